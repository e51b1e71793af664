//! Folders with files that cannot be read, with odd names, and folders that cannot be written.

use std::fs;
use std::path::Path;
use std::process::Output;

use image::{GrayImage, Luma};

use crate::data::SMALL;
use crate::{n2n, stderr, summary};

/// A noisy grey picture of 20x24 pixels.
fn picture(path: &Path, seed: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let picture = GrayImage::from_fn(24, 20, |x, y| {
        let noise = (x * 7919 + y * 104_729 + seed * 1_299_709) % 37;
        Luma([(60 + 3 * (x + y) + noise) as u8])
    });
    let bytes = {
        let mut file = std::io::Cursor::new(Vec::new());
        picture
            .write_to(&mut file, image::ImageFormat::Png)
            .unwrap();
        file.into_inner()
    };
    fs::write(path, bytes).unwrap();
}

fn in_folder(folder: &Path, args: &[&str]) -> Output {
    n2n(args).current_dir(folder).output().unwrap()
}

/// Pairs, and beside them what cannot be read.
#[cfg(unix)]
fn damaged_pairs(root: &Path) {
    use std::os::unix::fs::symlink;

    for (side, name) in ["a", "b"].iter().enumerate() {
        let folder = root.join(name);
        for index in 0..12 {
            picture(
                &folder.join(format!("{index}.png")),
                2 * index + side as u32,
            );
        }
        let whole = fs::read(folder.join("3.png")).unwrap();
        fs::write(folder.join("torn.png"), &whole[..whole.len() - 20]).unwrap();
        symlink("nowhere.png", folder.join("gone.png")).unwrap();
        symlink("self.png", folder.join("self.png")).unwrap();
        symlink(".", folder.join("loop")).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn bad_entries_of_a_folder_hold_up_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    damaged_pairs(&root.join("in"));
    let done = in_folder(
        root,
        &["denoise", "in", "-o", "out", "--backend", "flex", "--json"],
    );
    assert_eq!(done.status.code(), Some(2), "{}", stderr(&done));
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["files"], 24);
    assert_eq!(report["failed"].as_array().unwrap().len(), 6, "{report}");
    for name in [
        "in/a/torn.png",
        "in/a/gone.png",
        "in/b/self.png",
        "in/a/loop",
    ] {
        assert!(stderr(&done).contains(name), "{name}: {}", stderr(&done));
    }

    let report = summary(&in_folder(root, &["data", "inspect", "in", "--json"]));
    let skipped = report["skipped"].to_string();
    for name in ["torn.png", "gone.png", "self.png"] {
        assert!(skipped.contains(name), "{name}: {skipped}");
    }
    for set in ["training", "validation"] {
        let [low, high, mean] = [0, 1, 2].map(|at| report[set]["values"][at].as_f64().unwrap());
        assert!(
            low >= 60.0 && low < mean && mean < high && high <= 255.0,
            "{report}"
        );
    }

    let train = [
        "train",
        "--backend",
        "flex",
        "--json",
        "--data",
        "in",
        "--run-dir",
        "run",
    ];
    summary(&in_folder(root, &[&train[..], &SMALL].concat()));
    let evaluate = [
        "evaluate",
        "run",
        "--backend",
        "flex",
        "--data",
        "in",
        "--json",
    ];
    let evaluate = [&evaluate[..], &["--baselines", "none"]].concat();
    let report = summary(&in_folder(root, &evaluate));
    assert_eq!(report["images"], 12, "{report}");
}

#[cfg(unix)]
#[test]
fn links_back_make_no_bursts_of_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for index in 0..4 {
        picture(&root.join(format!("clean/{index}.png")), index);
    }
    std::os::unix::fs::symlink("..", root.join("clean/up")).unwrap();
    std::os::unix::fs::symlink(".", root.join("clean/here")).unwrap();
    let args = [
        "data",
        "inspect",
        "clean",
        "--noise",
        "gaussian:25",
        "--json",
    ];
    let report = summary(&in_folder(root, &args));
    assert_eq!(report["kind"], "clean images");
}

#[test]
fn results_in_place_of_folders_hold_up_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["in/1.png", "in/2.png", "in/s/3.png", "in/t/4.png"] {
        picture(&root.join(name), 7);
    }
    fs::create_dir_all(root.join("out/1.png/full")).unwrap();
    fs::write(root.join("out/s"), "a file").unwrap();
    let args = [
        "denoise",
        "in",
        "-o",
        "out",
        "--overwrite",
        "--backend",
        "flex",
        "--json",
    ];
    let done = in_folder(root, &args);
    assert_eq!(done.status.code(), Some(2), "{}", stderr(&done));
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        [&report["files"], &report["failed"][0]["path"]],
        [&2.into(), &"in/1.png".into()] as [&serde_json::Value; 2]
    );
    assert!(root.join("out/2.png").exists() && root.join("out/t/4.png").exists());
    let message = stderr(&done);
    assert!(
        message.contains("which is a folder") && message.contains("a file is where"),
        "{message}"
    );
}

#[test]
fn a_second_run_of_a_pattern_finds_no_results() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    picture(&root.join("in/0.png"), 1);
    picture(&root.join("in/s/1.png"), 2);
    for (pattern, output) in [
        ("in/*", "in/out"),
        ("in/*", "in/s/out"),
        ("*/*.png", "in/o"),
    ] {
        let args = [
            "denoise",
            pattern,
            "-o",
            output,
            "--backend",
            "flex",
            "--json",
        ];
        let first = summary(&in_folder(root, &args));
        let second = summary(&in_folder(root, &args));
        assert_eq!(first["files"], second["skipped"], "{pattern} {output}");
        assert_eq!(second["files"], 0, "{pattern} {output}");
        fs::remove_dir_all(root.join(output)).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_train_and_denoise() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    // Two letters of Latin-1 that look alike once they are made text.
    for (side, name) in ["noisy_a", "noisy_b"].iter().enumerate() {
        for (index, letter) in (0..12).flat_map(|index| [(index, 0xe8), (index, 0xe9)]) {
            let file = [b"cell", &[letter][..], format!("{index}.png").as_bytes()].concat();
            let path = root.join("in").join(name).join(OsStr::from_bytes(&file));
            picture(&path, 4 * index + 2 * side as u32 + u32::from(letter & 1));
        }
    }
    let report = summary(&in_folder(root, &["data", "inspect", "in", "--json"]));
    let scenes = ["training", "validation"].map(|set| report[set]["scenes"].as_u64().unwrap());
    assert_eq!(scenes.iter().sum::<u64>(), 24, "{report}");
    assert_eq!(report["skipped"], serde_json::json!([]));
    let train = [
        "train",
        "--backend",
        "flex",
        "--json",
        "--data",
        "in",
        "--run-dir",
        "run",
    ];
    summary(&in_folder(root, &[&train[..], &SMALL].concat()));
    let args = [
        "denoise",
        "in/noisy_a",
        "-o",
        "out",
        "--backend",
        "flex",
        "--json",
    ];
    assert_eq!(summary(&in_folder(root, &args))["files"], 24);
    let odd = OsStr::from_bytes(b"cell\xe90.png");
    assert!(root.join("out").join(odd).exists());
}

/// A folder in which even the superuser cannot create a file.
#[cfg(target_os = "linux")]
const UNWRITABLE: &str = "/proc";

#[cfg(target_os = "linux")]
#[test]
fn unwritable_places_are_told_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/smoke.toml");
    let run = root.join("run");
    let run = run.to_str().unwrap();
    summary(&in_folder(
        root,
        &[
            "train",
            config,
            "--backend",
            "flex",
            "--json",
            "--run-dir",
            run,
        ],
    ));
    for side in ["a", "b"] {
        for index in 0..3 {
            picture(&root.join(side).join(format!("{index}.png")), index);
        }
    }
    let (data, one) = (root.to_str().unwrap(), root.join("a/0.png"));
    let one = one.to_str().unwrap();
    let fixed = ["--backend", "flex"];
    for (args, way_out) in [
        (&["train", config][..], "--run-dir"),
        (&["denoise", one, "-o", "results"], "-o"),
        (&["denoise", data, "-o", "results"], "-o"),
        (&["evaluate", run, "--data", data], "--sheet"),
        (
            &[
                "evaluate",
                run,
                "--data",
                data,
                "--sheet",
                "/dev/null",
                "--csv",
                "a.csv",
            ],
            "--csv",
        ),
    ] {
        let done = in_folder(Path::new(UNWRITABLE), &[args, &fixed].concat());
        let message = stderr(&done);
        assert_eq!(done.status.code(), Some(2), "{args:?}: {message}");
        assert_eq!(message.matches("error: ").count(), 1, "{args:?}: {message}");
        assert!(message.contains(way_out), "{args:?}: {message}");
    }
}
