//! One clear error and exit code 2 for what a person can get wrong.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{n2n, smoke, stderr};

fn reference_file(name: &str) -> PathBuf {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../files/tests/data/torch");
    Path::new(data).join(name)
}

/// The error of a run that must fail as bad input does, without a panic.
fn refused(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = smoke(&run, args);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        output.stdout.is_empty() && !message.contains("panicked"),
        "{message}"
    );
    assert!(!run.join("metrics.jsonl").exists(), "nothing was started");
    message
}

/// The error of a run on a folder whose training file is `train`.
fn refused_data(train: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("train_data.pkl"), train).unwrap();
    fs::copy(
        reference_file("pairs_zip.pkl"),
        folder.path().join("val_data.pkl"),
    )
    .unwrap();
    let message = refused(&["--data", folder.path().to_str().unwrap()]);
    assert!(
        message.contains("train_data.pkl"),
        "names the file: {message}"
    );
    message
}

#[test]
fn missing_data() {
    let message = refused(&["--data", "no/such/folder"]);
    assert!(
        message.contains("no/such/folder") && message.contains("No such file"),
        "{message}"
    );
}

#[test]
fn truncated_pickles() {
    for name in ["pairs_zip.pkl", "pairs_legacy.pkl"] {
        let bytes = fs::read(reference_file(name)).unwrap();
        for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            refused_data(&bytes[..length]);
        }
    }
}

#[test]
fn pickles_of_other_contents() {
    let message = refused_data(&fs::read(reference_file("float32.pkl")).unwrap());
    assert!(message.contains("uint8"), "{message}");
    refused_data(&fs::read(reference_file("three_dim.pkl")).unwrap());
    refused_data(&fs::read(reference_file("shapes_differ.pkl")).unwrap());
    refused_data(b"neither a zip archive nor a pickle");
}

#[test]
fn hostile_pickle() {
    let message = refused_data(&fs::read(reference_file("hostile.pkl")).unwrap());
    assert!(
        message.contains("system"),
        "names what it would have called: {message}"
    );
}

#[test]
fn indivisible_sizes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["train_data.pkl", "val_data.pkl"] {
        fs::copy(reference_file("pairs_zip.pkl"), folder.path().join(name)).unwrap();
    }
    let data = folder.path().to_str().unwrap();
    let message = refused(&["--data", data, "--set", "data.patch_size=6"]);
    assert!(
        message.contains("data.patch_size is 6") && message.contains("set 4 or 8"),
        "{message}"
    );
    let message = refused(&["--data", data, "--set", "model.depth=7"]);
    assert!(message.contains("lower model.depth"), "{message}");
}

#[test]
fn clean_targets_need_clean_images() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["train_data.pkl", "val_data.pkl"] {
        fs::copy(reference_file("pairs_zip.pkl"), folder.path().join(name)).unwrap();
    }
    let data = folder.path().to_str().unwrap();
    let message = refused(&["--data", data, "--set", "train.target=clean"]);
    assert!(message.contains("no clean targets"), "{message}");
}

#[test]
fn unknown_keys_values_and_files() {
    let message = refused(&["--set", "train.learning_rate=1"]);
    assert!(
        message.contains("learning_rate") && message.contains("did you mean"),
        "{message}"
    );
    let message = refused(&["--set", "train.batch_size=0"]);
    assert!(message.contains("train.batch_size is 0"), "{message}");

    let output = n2n(&["train", "no-such-config.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("no-such-config.toml"),
        "{}",
        stderr(&output)
    );

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("typo.toml");
    fs::write(&config, "[train]\nbatchsize = 3\n").unwrap();
    let output = n2n(&["train", config.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    for part in [
        "typo.toml",
        "line 2",
        "batchsize",
        "did you mean `batch_size`?",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn layers_know_only_l2() {
    let message = refused(&[
        "--set",
        "model.kind=simple",
        "--set",
        "model.implementation=layers",
        "--set",
        "train.loss=l1",
    ]);
    assert!(
        message.contains("model.implementation is layers"),
        "{message}"
    );
    assert!(message.contains("train.loss"), "{message}");
}

#[test]
fn unknown_backend_error_lists_the_backends() {
    let message = refused(&["--backend", "abacus"]);
    for name in [
        "abacus", "auto", "wgpu", "vulkan", "metal", "dx12", "flex", "ndarray",
    ] {
        assert!(message.contains(name), "{name}: {message}");
    }
    // No machine has both.
    let absent = if cfg!(target_os = "macos") {
        "dx12"
    } else {
        "metal"
    };
    let message = refused(&["--backend", absent, "--data", "no/such/folder"]);
    assert!(
        message.contains("no such adapter"),
        "before any data is read: {message}"
    );
    let message = refused(&["--backend", "flex", "--device", "3"]);
    assert!(message.contains("--device 3"), "{message}");
}

#[test]
fn run_directory_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let output = smoke(&file.join("run"), &["--backend", "flex"]);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(message.contains("cannot create run directory"), "{message}");
}

#[test]
fn run_directory_that_holds_a_run_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        smoke(folder.path(), &["--backend", "flex"])
            .status
            .success()
    );
    let metrics = folder.path().join("metrics.jsonl");
    let before = fs::read(&metrics).unwrap();
    let output = smoke(folder.path(), &["--backend", "flex"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("already holds a run"),
        "{}",
        stderr(&output)
    );
    assert_eq!(fs::read(&metrics).unwrap(), before);
}
