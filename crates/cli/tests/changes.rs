//! Runs whose data or settings change between a stop and `--resume`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use image::{Luma, RgbImage};
use n2n_denoise::Denoiser;

use crate::{error, metrics, n2n, stderr, summary};

/// Images of the run before the stop, and in all.
const LENGTHS: [&str; 2] = ["max_images = 32", "max_images = 64"];

/// Saves pairs of grey pictures, whose pixels depend on `shift`.
fn save_pairs(data: &Path, numbers: std::ops::Range<u32>, [width, height]: [u32; 2], shift: u32) {
    for (folder, seed) in [("a", 1), ("b", 2)] {
        fs::create_dir_all(data.join(folder)).unwrap();
        for number in numbers.clone() {
            let picture = image::GrayImage::from_fn(width, height, |x, y| {
                let noise = (x * 37 + y * 91 + number * 53 + seed * 29 + shift) % 41;
                Luma([(60 + 3 * x + 2 * y + noise) as u8])
            });
            let path = data.join(folder).join(format!("{number:02}.png"));
            picture.save(path).unwrap();
        }
    }
}

/// A run of half its length, in `run`, on pairs in `data`.
struct Half {
    folder: tempfile::TempDir,
}

impl Half {
    fn new(settings: &[&str]) -> Self {
        let half = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        save_pairs(&half.data(), 0..12, [24, 16], 0);
        let mut args = vec![
            "train",
            "--data",
            "data",
            "--run-dir",
            "run",
            "--backend",
            "flex",
        ];
        args.push("--json");
        let fixed = [
            "model.features=4",
            "model.depth=2",
            "train.validate_every=4",
        ];
        let settings = fixed.iter().chain(settings);
        args.extend(settings.flat_map(|setting| ["--set", setting]));
        args.extend([
            "--set",
            "train.max_images=32",
            "--set",
            "train.batch_size=4",
        ]);
        summary(&n2n(&args).current_dir(half.path()).output().unwrap());
        half.edit(LENGTHS[0], LENGTHS[1]);
        half
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Replaces a text in the run's config.
    fn edit(&self, from: &str, to: &str) {
        let path = self.path().join("run/config.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// Resumes from another folder than the run began in.
    fn resume(&self, args: &[&str]) -> Output {
        let run = self.path().join("run");
        let fixed = [
            "train",
            "--resume",
            run.to_str().unwrap(),
            "--backend",
            "flex",
            "--json",
        ];
        let elsewhere = tempfile::tempdir().unwrap();
        let mut command = n2n(&[&fixed, args].concat());
        command.current_dir(elsewhere.path()).output().unwrap()
    }

    fn model(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join("run").join(format!("{name}.safetensors"))).unwrap()
    }
}

#[test]
fn changed_data_and_settings_are_refused() {
    let half = Half::new(&[]);
    let [best, last] = ["best", "last"].map(|name| half.model(name));
    let before = metrics(&half.path().join("run"));
    let data = half.data();
    let sound = half.path().join("sound");
    fs::rename(&data, &sound).unwrap();
    let restore = || {
        let _ = fs::remove_dir_all(&data);
        for folder in ["a", "b"] {
            fs::create_dir_all(data.join(folder)).unwrap();
            for entry in fs::read_dir(sound.join(folder)).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), data.join(folder).join(entry.file_name())).unwrap();
            }
        }
    };
    let each = |change: fn(&Path)| {
        for folder in ["a", "b"] {
            change(&data.join(folder));
        }
    };
    type Change<'a> = (&'a dyn Fn(), &'a str);
    let of_data: [Change; 7] = [
        (
            &|| save_pairs(&data, 0..12, [24, 16], 5),
            "content of images",
        ),
        (
            &|| {
                let path = data.join("b/07.png");
                let mut picture = image::open(&path).unwrap().into_luma8();
                picture.get_pixel_mut(3, 5).0[0] ^= 1;
                picture.save(path).unwrap();
            },
            "content of images",
        ),
        (
            &|| each(|folder| fs::remove_file(folder.join("11.png")).unwrap()),
            "scenes instead of",
        ),
        (
            &|| save_pairs(&data, 12..20, [24, 16], 0),
            "scenes instead of",
        ),
        (
            &|| {
                each(|folder| {
                    fs::rename(folder.join("00.png"), folder.join("000.png")).unwrap();
                });
            },
            "names",
        ),
        (&|| save_pairs(&data, 0..12, [26, 16], 0), "sizes"),
        (
            &|| {
                let picture = RgbImage::from_fn(24, 16, |x, _| [x as u8; 3].into());
                each(|folder| fs::remove_dir_all(folder).unwrap());
                for folder in ["a", "b"] {
                    fs::create_dir_all(data.join(folder)).unwrap();
                    for number in 0..12 {
                        let path = data.join(folder).join(format!("{number:02}.png"));
                        picture.save(path).unwrap();
                    }
                }
            },
            "content of images",
        ),
    ];
    for (change, expected) in of_data {
        restore();
        change();
        let message = error(&half.resume(&[]));
        assert!(message.contains(expected), "{expected}: {message}");
        assert!(message.contains("--accept-changes"), "{message}");
    }
    restore();
    let kept = fs::read_to_string(half.path().join("run/config.toml")).unwrap();
    for (from, to, expected) in [
        (
            "batch_size = 4",
            "batch_size = 8",
            "train.batch_size was 4 and is 8",
        ),
        ("seed = 0", "seed = 1", "train.seed was 0 and is 1"),
        ("\"per_channel\"", "\"per_image\"", "data.normalize was"),
        ("loss = \"l2\"", "loss = \"l1\"", "train.loss was"),
        ("flip = true", "flip = false", "data.augment.flip was true"),
        (
            "warmup = 100",
            "warmup = 50",
            "train.scheduler.warmup was 100 and is 50",
        ),
        ("ema = 0.999", "ema = 0.9", "train.ema was 0.999 and is 0.9"),
    ] {
        half.edit(from, to);
        let message = error(&half.resume(&[]));
        assert!(message.contains(expected), "{expected}: {message}");
        fs::write(half.path().join("run/config.toml"), &kept).unwrap();
    }
    assert_eq!((half.model("best"), half.model("last")), (best, last));
    assert_eq!(metrics(&half.path().join("run")), before);
    summary(&half.resume(&[]));
}

#[test]
fn data_that_have_moved_go_on_to_the_same_bytes() {
    let [there, moved] = [Half::new(&[]), Half::new(&[])];
    summary(&there.resume(&[]));
    let place = moved.path().join("elsewhere");
    fs::rename(moved.data(), &place).unwrap();
    let message = error(&moved.resume(&[]));
    assert!(message.contains("data"), "{message}");
    summary(&moved.resume(&["--data", place.to_str().unwrap()]));
    assert_eq!(there.model("last"), moved.model("last"));
    // From now on the run knows the new place.
    moved.edit(LENGTHS[1], "max_images = 72");
    summary(&moved.resume(&[]));
}

#[test]
fn accepted_changes_keep_statistics_and_begin_a_new_best() {
    let half = Half::new(&[]);
    let normalization = |name: &str| {
        let path = half.path().join("run").join(format!("{name}.safetensors"));
        Denoiser::load(path)
            .unwrap()
            .metadata()
            .normalization
            .clone()
    };
    let (before, best) = (normalization("best"), half.model("best"));
    save_pairs(&half.data(), 0..12, [24, 16], 90);
    let output = half.resume(&["--accept-changes"]);
    summary(&output);
    assert_eq!(
        [normalization("best"), normalization("last")],
        [before.clone(), before]
    );
    assert_ne!(half.model("best"), best);
    let records = metrics(&half.path().join("run"));
    assert!(records.last().unwrap()["images"].as_u64() >= Some(64));
    // It stands on the new data now.
    half.edit(LENGTHS[1], "max_images = 72");
    summary(&half.resume(&[]));
}

#[test]
fn a_damaged_best_checkpoint_is_a_warning() {
    // Nothing is learned: the first validation stays best.
    let half = Half::new(&["train.lr=1e-30", "train.checkpoint_every=1"]);
    let best = metrics(&half.path().join("run"))
        .iter()
        .map(|record| {
            (
                record["val_mse"].as_f64().unwrap(),
                record["batches"].clone(),
            )
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
        .1;
    let name = format!("{:08}.checkpoint", best.as_u64().unwrap());
    let path = half.path().join("run/checkpoints").join(&name);
    let weights = half.model("best");
    let mut bytes = fs::read(&path).unwrap();
    bytes[400] ^= 1;
    fs::write(&path, bytes).unwrap();
    let output = half.resume(&[]);
    let message = stderr(&output);
    assert!(output.status.success(), "{message}");
    assert!(message.contains(&format!("{name} is damaged")), "{message}");
    assert!(
        message.contains("the best model stays as it is"),
        "{message}"
    );
    assert_eq!(half.model("best"), weights);
}

#[test]
fn data_that_vanish_leave_a_checkpoint() {
    let half = Half::new(&["data.cache_mb=0"]);
    half.edit(LENGTHS[1], "max_images = 40000000");
    let run = half.path().join("run");
    let mut command = n2n(&[
        "train",
        "--resume",
        run.to_str().unwrap(),
        "--backend",
        "flex",
    ]);
    command.arg("--json").stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    let validations = || metrics(&run).len();
    let begun = validations();
    while validations() < begun + 2 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    fs::remove_dir_all(half.data()).unwrap();
    let output = child.wait_with_output().unwrap();
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("it is left out from now on"), "{message}");
    let newest = fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()?
                .to_str()?
                .parse::<u64>()
                .ok()
        })
        .max();
    let last = metrics(&run).last().unwrap()["batches"].as_u64();
    assert!(
        newest > last,
        "{newest:?} after the validation at {last:?}: {message}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn pipes_among_the_data_are_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    save_pairs(&data, 0..12, [24, 16], 0);
    for folder in ["a", "b"] {
        let pipe = data.join(folder).join("99.png");
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.unwrap().success());
    }
    let output = n2n(&["data", "inspect", data.to_str().unwrap()]).output();
    let output = output.unwrap();
    let message = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{message}");
    assert!(message.contains("a pipe"), "{message}");
}
