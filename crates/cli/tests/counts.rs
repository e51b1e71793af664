//! Samples of any type, scale and number of channels, through `train`, `denoise`, `evaluate` and `export`.

use std::fs::{self, File};
use std::path::Path;

use n2n_files::{Axes, NpyStack, NpyWriter, Sample, SampleKind, Samples, Stack, with_samples};

use crate::data::SMALL;
use crate::{n2n, stderr, summary};

/// Scenes, and the sides of their images.
const SCENES: usize = 12;
const SIDES: [usize; 2] = [20, 24];

/// Deviation of the noise, relative to the range of the scene.
const NOISE: f64 = 0.08;

/// Numbers that are the same everywhere, nearly Gaussian with deviation 1.
fn noise(at: usize, shot: usize) -> f64 {
    let mut state = (at as u64 * 4 + shot as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    // The variance of an even distribution is 1/12.
    (0..4).map(|_| next()).sum::<f64>() * 3.0_f64.sqrt()
}

/// Writes `a.npy`, `b.npy` and `clean.npy`: waves of `channels`, between the ends of `range`.
fn write(folder: &Path, kind: SampleKind, channels: usize, [low, high]: [f64; 2]) {
    let [height, width] = SIDES;
    for (name, shot) in [("a", 1), ("b", 2), ("clean", 0)] {
        let file = File::create(folder.join(format!("{name}.npy"))).unwrap();
        let sizes = [SCENES, channels, height, width];
        let axes = "NCYX".parse::<Axes>().unwrap().sized(&sizes);
        let mut writer = NpyWriter::new(file, &axes, kind).unwrap();
        for scene in 0..SCENES {
            let value = |at: usize| {
                let (y, x) = (at / width % height, at % width);
                let wave = (0.3 * (y + scene) as f64).sin() + (0.25 * x as f64).cos();
                let all = scene * channels * height * width + at;
                let noise = if shot == 0 {
                    0.0
                } else {
                    NOISE * noise(all, shot)
                };
                low + (high - low) * (0.5 + 0.2 * wave + noise)
            };
            let mut samples = Samples::zeros(kind, channels * height * width);
            with_samples!(&mut samples, samples => put(samples, value));
            writer.write(&samples).unwrap();
        }
        writer.finish().unwrap();
    }
}

fn put<T: Sample>(samples: &mut [T], value: impl Fn(usize) -> f64) {
    for (at, sample) in samples.iter_mut().enumerate() {
        *sample = T::from_f64(value(at));
    }
}

/// All samples of an array.
fn read(path: &Path) -> Vec<f64> {
    let stack = NpyStack::open(path).unwrap();
    let images = (0..stack.len()).map(|index| stack.read(index).unwrap());
    let values = images.map(|image| -> Vec<f64> {
        with_samples!(&image.samples, samples => samples.iter().map(|&s| Sample::to_f64(s)).collect())
    });
    values.flatten().collect()
}

/// Mean squared difference.
fn mse(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>() / a.len() as f64
}

fn run(folder: &Path, args: &[&str]) -> serde_json::Value {
    let output = n2n(args).current_dir(folder).output().unwrap();
    summary(&output)
}

fn train(folder: &Path) -> serde_json::Value {
    let args = [
        "train",
        "--backend",
        "flex",
        "--json",
        "--data",
        ".",
        "--run-dir",
        "run",
    ];
    let longer = [
        "--set",
        "train.max_images=3840",
        "--set",
        "train.validate_every=120",
    ];
    run(folder, &[&args[..], &SMALL, &longer].concat())
}

/// Denoises an array into `out.npy` with the model of the run.
fn denoise(folder: &Path, input: &str) {
    let args = ["denoise", input, "-o", "out.npy", "--model", "run"];
    run(
        folder,
        &[&args[..], &["--backend", "flex", "--json"]].concat(),
    );
}

#[test]
fn counts_of_any_type_are_trained_and_denoised() {
    for (kind, range) in [
        (SampleKind::I16, [-1024.0, 3071.0]),
        (SampleKind::U16, [100.0, 4000.0]),
        (SampleKind::U32, [0.0, 2e6]),
        (SampleKind::I64, [-5e6, 3e6]),
        (SampleKind::F32, [-30.0, 900.0]),
        (SampleKind::F64, [1e-6, 3e-6]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), kind, 1, range);
        let trained = train(folder.path());
        assert!(
            trained["gain_db"].as_f64().unwrap() > 2.0,
            "{kind}: {trained}"
        );
        denoise(folder.path(), "a.npy");
        let [noisy, clean, denoised] =
            ["a", "clean", "out"].map(|name| read(&folder.path().join(format!("{name}.npy"))));
        assert_eq!(
            NpyStack::open(&folder.path().join("out.npy"))
                .unwrap()
                .kind(),
            kind
        );
        let gain = mse(&noisy, &clean) / mse(&denoised, &clean);
        assert!(gain > 1.5, "{kind}: the error falls to 1/{gain}");
    }
}

#[test]
fn five_channels_go_the_whole_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, SampleKind::U16, 5, [200.0, 3000.0]);
    let trained = train(path);
    assert!(trained["gain_db"].as_f64().unwrap() > 1.0, "{trained}");
    let config = fs::read_to_string(path.join("run/config.toml")).unwrap();
    assert!(config.contains("channels = 5"), "{config}");
    assert!(path.join("run/pictures/00000240.png").exists());

    // One image of five channels, as NumPy users keep it.
    let image = NpyStack::open(&path.join("a.npy"))
        .unwrap()
        .read(3)
        .unwrap();
    let file = File::create(path.join("image.npy")).unwrap();
    let sizes = [5, SIDES[0], SIDES[1]];
    let axes = "CYX".parse::<Axes>().unwrap().sized(&sizes);
    let mut writer = NpyWriter::new(file, &axes, SampleKind::U16).unwrap();
    writer.write(&image.samples).unwrap();
    writer.finish().unwrap();
    denoise(path, "image.npy");
    let clean = NpyStack::open(&path.join("clean.npy"))
        .unwrap()
        .read(3)
        .unwrap();
    let clean: Vec<f64> = with_samples!(&clean.samples, samples => samples.iter().map(|&s| Sample::to_f64(s)).collect());
    let [noisy, denoised] = ["image.npy", "out.npy"].map(|name| read(&path.join(name)));
    assert!(mse(&denoised, &clean) < mse(&noisy, &clean));

    let args = [
        "evaluate",
        "run",
        "--data",
        ".",
        "--backend",
        "flex",
        "--json",
        "--sheet",
        "sheet.png",
    ];
    let output = n2n(&args).current_dir(path).output().unwrap();
    assert!(
        stderr(&output).contains("false colour"),
        "{}",
        stderr(&output)
    );
    let report = summary(&output);
    assert_eq!(report["range"].as_array().unwrap().len(), 5);
    let exported = run(path, &["export", "run", "--to", "onnx", "--json"]);
    assert_eq!(exported["channels"], 5);
}

#[test]
fn holes_are_trained_around() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, SampleKind::F32, 1, [0.0, 1.0]);
    for name in ["a.npy", "b.npy"] {
        let file = path.join(name);
        let mut bytes = fs::read(&file).unwrap();
        let first = bytes.len() - 4 * SCENES * SIDES[0] * SIDES[1];
        // A dead row in every image, and one infinite pixel.
        for scene in 0..SCENES {
            for x in 0..SIDES[1] {
                let at = first + 4 * ((scene * SIDES[0] + 7) * SIDES[1] + x);
                bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
            }
        }
        bytes[first..first + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
        fs::write(&file, bytes).unwrap();
    }
    let inspected = run(path, &["data", "inspect", ".", "--json"]);
    assert!(inspected["holes"].as_u64().unwrap() >= 24, "{inspected}");
    let trained = train(path);
    assert!(trained["gain_db"].as_f64().unwrap() > 2.0, "{trained}");
    // The hand-written layers count every pixel.
    let args = [
        "train",
        "--json",
        "--backend",
        "flex",
        "--data",
        ".",
        "--run-dir",
        "layers",
    ];
    let layers = [
        "--set",
        "model.kind=simple",
        "--set",
        "model.implementation=layers",
        "--set",
        "train.max_images=64",
    ];
    let output = n2n(&[&args[..], &layers].concat())
        .current_dir(path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("cannot leave out"),
        "{}",
        stderr(&output)
    );
}
