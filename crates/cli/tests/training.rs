//! Short training runs, and what they leave behind.

use std::fs;
use std::path::Path;

use crate::{metrics, n2n, smoke, stderr, summary};

/// flex and ndarray add the same f32 products in different orders: an error of about 1e-7 for each
/// of a few steps.
const BACKEND_TOLERANCE: f64 = 1e-5;

#[test]
fn run_directory_has_all_files_and_records() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let summary = summary(&smoke(&run, &["--backend", "flex", "--seed", "5"]));
    assert_eq!(summary["images"], 36);
    assert_eq!(summary["backend"], "flex");
    for key in ["psnr_db", "noisy_psnr_db", "seconds", "images_per_s"] {
        assert!(summary[key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert!(Path::new(summary["model"].as_str().unwrap()).is_file());

    // 9 batches of 4 images, validated after 4, 8 and at the end.
    let metrics = metrics(&run);
    let images: Vec<_> = metrics
        .iter()
        .map(|record| record["images"].as_u64())
        .collect();
    assert_eq!(images, [Some(16), Some(32), Some(36)]);
    assert_eq!(metrics[2]["batches"], 9);
    assert_eq!(metrics[2]["psnr_db"], summary["psnr_db"]);
    assert_eq!(metrics[0]["lr"], 0.001);
    assert!(metrics[0]["train_loss"].as_f64().unwrap() > 0.0);
    assert!(metrics[0]["val_mse"].as_f64().unwrap() > 0.0);

    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(
        config.contains("seed = 5") && config.contains("patience = 10"),
        "{config}"
    );
    let provenance = fs::read_to_string(run.join("run.json")).unwrap();
    for key in ["git_revision", "backend", "device", "seed"] {
        assert!(provenance.contains(key), "{key}");
    }
    assert!(run.join("best.safetensors").is_file() && run.join("last.safetensors").is_file());
}

#[test]
fn a_run_directory_alone_repeats_the_run_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let normalized = ["--backend", "flex", "--set", "data.normalize=per_pixel"];
    summary(&smoke(&first, &normalized));
    let config = first.join("config.toml");
    let output = n2n(&[
        "train",
        config.to_str().unwrap(),
        "--backend",
        "flex",
        "--json",
    ])
    .args(["--run-dir", second.to_str().unwrap()])
    // The number of threads must not matter.
    .env("RAYON_NUM_THREADS", "1")
    .output()
    .unwrap();
    summary(&output);
    for file in ["config.toml", "best.safetensors", "last.safetensors"] {
        let (a, b) = (
            fs::read(first.join(file)).unwrap(),
            fs::read(second.join(file)).unwrap(),
        );
        assert!(a == b, "{file} differs");
    }
}

#[test]
fn flex_and_ndarray_agree_from_one_seed() {
    let folder = tempfile::tempdir().unwrap();
    let run = |backend: &str| {
        let path = folder.path().join(backend);
        summary(&smoke(&path, &["--backend", backend]));
        metrics(&path)
    };
    let (flex, ndarray) = (run("flex"), run("ndarray"));
    assert_eq!(flex.len(), ndarray.len());
    for (a, b) in flex.iter().zip(&ndarray) {
        for key in ["train_loss", "val_mse"] {
            let (a, b) = (a[key].as_f64().unwrap(), b[key].as_f64().unwrap());
            assert!((a - b).abs() <= BACKEND_TOLERANCE * a, "{key}: {a} and {b}");
        }
    }
}

#[test]
fn sgd_and_clean_targets_and_file_order_train_too() {
    let folder = tempfile::tempdir().unwrap();
    let sgd = ["--set", "train.optimizer.kind=sgd", "--set", "train.lr=0.1"];
    let rest = [
        "--set",
        "train.target=clean",
        "--set",
        "data.shuffle=false",
        "--set",
        "data.limit=10",
    ];
    let args = [&["--backend", "flex"], sgd.as_slice(), rest.as_slice()].concat();
    let run = folder.path().join("run");
    // 10 examples make batches of 4, 4 and 2: 14 images after 4 batches, and the limit of 36 within the
    // eleventh, which ends there.
    assert_eq!(summary(&smoke(&run, &args))["images"], 36);
    assert_eq!(metrics(&run)[0]["images"], 14);
}

#[test]
fn progress_goes_to_standard_error_in_plain_lines() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = smoke(&run, &["--backend", "flex"]);
    summary(&output);
    assert_eq!(
        String::from_utf8(output.stdout.clone())
            .unwrap()
            .lines()
            .count(),
        1
    );
    let progress = stderr(&output);
    let (warnings, lines): (Vec<_>, Vec<_>) = progress
        .lines()
        .partition(|line| line.starts_with("warning: "));
    // Nine steps are too few.
    assert!(
        warnings[0].contains("no better than its noisy input"),
        "{progress}"
    );
    let last = lines.last().unwrap();
    assert!(last.starts_with("36/36 images  loss 0."), "{last}");
    for part in ["PSNR", "dB", "lr 1e-3", "images/s", "ETA 0:00"] {
        assert!(last.contains(part), "{part}: {last}");
    }
    assert!(!progress.contains('\u{1b}'), "no screen codes");
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_best_and_last_and_a_summary() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/smoke.toml");
    let mut child = n2n(&["train", config, "--backend", "flex", "--json"])
        .args(["--run-dir", run.to_str().unwrap()])
        .args([
            "--set",
            "train.max_images=100000000",
            "--set",
            "train.validate_every=1000000",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first progress line says that training is under way.
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    progress.read_line(&mut line).unwrap();
    assert!(line.contains("/100000000 images"), "{line}");
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());

    let mut rest = String::new();
    progress.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest}");
    let text = String::from_utf8(output.stdout).unwrap();
    let summary: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert!(summary["images"].as_u64().unwrap() > 0);
    assert!(run.join("best.safetensors").is_file() && run.join("last.safetensors").is_file());
    assert_eq!(metrics(&run).len(), 1);
}

#[test]
fn simple_net_implementations_train_alike() {
    let folder = tempfile::tempdir().unwrap();
    let mut results = Vec::new();
    for implementation in ["burn", "scratch", "layers"] {
        let run = folder.path().join(implementation);
        let implementation = format!("model.implementation={implementation}");
        let mut args = vec!["--backend", "flex"];
        for setting in [
            "model.kind=simple",
            "model.features=5",
            &implementation,
            "train.optimizer.kind=sgd",
            "train.lr=2",
            "train.validate_every=epoch",
        ] {
            args.extend(["--set", setting]);
        }
        let summary = summary(&smoke(&run, &args));
        assert_eq!(summary["images"], 36);
        let metrics = metrics(&run);
        // 24 images are an epoch, and the run ends in the second.
        let images: Vec<_> = metrics.iter().map(|record| &record["images"]).collect();
        assert_eq!(images, [24, 36]);
        let files = ["initial", "best", "last"].map(|name| run.join(format!("{name}.safetensors")));
        let sizes = files.map(|file| fs::metadata(file).unwrap().len());
        results.push((metrics[1]["val_mse"].as_f64().unwrap(), sizes));
    }
    let (expected, burns_sizes) = &results[0];
    for (mse, sizes) in &results[1..] {
        assert!(
            (mse - expected).abs() <= BACKEND_TOLERANCE * expected,
            "{results:?}"
        );
        // The names of the implementations differ in length.
        for (size, burns_size) in sizes.iter().zip(burns_sizes) {
            assert!(size.abs_diff(*burns_size) <= 8, "{results:?}");
        }
    }
}
