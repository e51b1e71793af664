//! Runs that end early, or whose numbers get out of hand.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::{error, metrics, n2n, smoke, stderr, summary};

/// Two sums of f32 products in different orders, over a few steps.
const TOLERANCE: f64 = 1e-5;

/// A short run on flex with settings.
fn run(folder: &Path, settings: &[&str]) -> Output {
    let mut args = vec!["--backend", "flex"];
    for setting in settings {
        args.extend(["--set", setting]);
    }
    smoke(folder, &args)
}

/// A learning rate that blows the network up in a few steps.
const TOO_LARGE: [&str; 3] = [
    "train.optimizer.kind=sgd",
    "train.scheduler.kind=constant",
    "train.lr=1e8",
];

/// The run in a folder has come to its end.
fn assert_is_over(folder: &Path) {
    let folder = folder.to_str().unwrap();
    let args = ["train", "--resume", folder, "--backend", "flex", "--json"];
    let message = error(&n2n(&args).output().unwrap());
    assert!(message.contains("is over"), "{message}");
}

#[test]
fn a_run_that_finds_no_better_weights_ends() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing is learned, so that every validation is like the first.
    let settings = [
        "train.lr=1e-30",
        "train.optimizer.kind=sgd",
        "train.early_stop=2",
        "train.max_images=1000",
    ];
    let summary = summary(&run(folder.path(), &settings));
    assert_eq!(summary["images"], 3 * 16);
    assert_eq!(metrics(folder.path()).len(), 3);
    assert_is_over(folder.path());
}

#[test]
fn a_run_ends_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["train.max_minutes=0.01", "train.max_images=1000000000"];
    let summary = summary(&run(folder.path(), &settings));
    let seconds = summary["seconds"].as_f64().unwrap();
    assert!(seconds >= 0.6, "{seconds}");
    assert!(summary["images"].as_u64().unwrap() < 1_000_000_000);
    assert_is_over(folder.path());
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    let folder = tempfile::tempdir().unwrap();
    let train = |name: &str, settings: &[&str]| {
        let folder = folder.path().join(name);
        let common = ["train.optimizer.kind=sgd", "train.lr=1"];
        summary(&run(&folder, &[&common, settings].concat()));
        metrics(&folder)
    };
    let large = train("large", &["train.batch_size=4"]);
    let accumulated = train("two", &["train.batch_size=2", "train.accumulate=2"]);
    assert_eq!(large.len(), accumulated.len());
    for (a, b) in large.iter().zip(&accumulated) {
        assert_eq!((&a["images"], &a["batches"]), (&b["images"], &b["batches"]));
        for key in ["train_loss", "val_mse"] {
            let (a, b) = (a[key].as_f64().unwrap(), b[key].as_f64().unwrap());
            assert!((a - b).abs() <= TOLERANCE * a, "{key}: {a} and {b}");
        }
    }
}

#[test]
fn nan_loss_stops_the_run_and_keeps_its_images() {
    let folder = tempfile::tempdir().unwrap();
    let message = error(&run(folder.path(), &TOO_LARGE));
    assert!(
        message.contains("the training loss became NaN at batch 2"),
        "{message}"
    );
    assert!(message.contains("lower train.lr"), "{message}");
    let dump = folder.path().join("non_finite-00000002.safetensors");
    assert!(message.contains(dump.to_str().unwrap()), "{message}");
    let bytes = fs::read(&dump).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    // The second batch of four, in the order that the seed gives.
    for part in [
        "input.0",
        "target.0",
        "\\\"epoch\\\":0",
        "\\\"examples\\\":[9,5,21,12]",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn rollback_halves_the_learning_rate() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(
        folder.path(),
        &[&TOO_LARGE, ["train.on_nan=rollback"].as_slice()].concat(),
    );
    assert_eq!(summary(&output)["images"], 36);
    let message = stderr(&output);
    let times = message.matches("at half the learning rate").count();
    assert!(times > 1, "{message}");
    let metrics = metrics(folder.path());
    assert_eq!(metrics.len(), 3);
    for record in metrics {
        let lr = record["lr"].as_f64().unwrap();
        assert_eq!(lr, 1e8 / f64::powi(2.0, times as i32));
    }
}
