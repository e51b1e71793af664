//! Curves of runs as pictures and tables.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{n2n, smoke, stderr, summary};

const REFERENCE: &str =
    r#"{"source": "made up", "sizes": {"3": [[0, 12.5], [16, 14.0]], "9": [[0, 11.0]]}}"#;

/// Two short runs in a folder.
fn runs(folder: &Path) {
    for (name, features) in [("a", "3"), ("b", "4")] {
        let features = format!("model.features={features}");
        let args = [
            "--backend",
            "flex",
            "--set",
            "train.on_dead=ignore",
            "--set",
            &features,
        ];
        summary(&smoke(&folder.join(name), &args));
    }
}

fn plot(folder: &Path, args: &[&str]) -> std::process::Output {
    n2n(&[&["plot"], args].concat())
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn runs_are_drawn_beside_other_curves() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    runs(folder);
    fs::write(folder.join("other.json"), REFERENCE).unwrap();
    let args = [".", "-o", "runs.svg", "--json", "--table", "runs.csv"];
    let beside = [
        "--reference",
        "other.json#sizes/3",
        "--reference",
        "other.json#sizes/9",
        "--reference-name",
        "theirs",
    ];
    let drawn = summary(&plot(folder, &[&args[..], &beside].concat()));
    let labels: Vec<&str> = drawn["curves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|curve| curve["label"].as_str().unwrap())
        .collect();
    for label in ["features 3", "features 4", "theirs 3", "theirs 9"] {
        assert!(labels.contains(&label), "{labels:?}");
    }
    let svg = fs::read_to_string(folder.join("runs.svg")).unwrap();
    assert!(
        svg.contains("PSNR [dB]") && svg.contains("features 4"),
        "{svg}"
    );
    // The points are the validations.
    let metrics = fs::read_to_string(folder.join("a/metrics.jsonl")).unwrap();
    let validations = metrics
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let validations: Vec<Value> = validations.collect();
    let curves = drawn["curves"].as_array().unwrap();
    let curve = curves
        .iter()
        .find(|curve| curve["label"] == "features 3")
        .unwrap();
    assert_eq!(curve["points"].as_array().unwrap().len(), validations.len());
    assert_eq!(curve["points"][1][1], validations[1]["psnr_db"]);
    let table = fs::read_to_string(folder.join("runs.csv")).unwrap();
    assert!(table.contains("\nfeatures 4,1,1,measured,"), "{table}");
    // A default name, which is written anew each time.
    for _ in 0..2 {
        let output = plot(folder, &["a", "--y", "loss", "--x", "time"]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert!(folder.join("a/plot.svg").exists());
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    runs(folder);
    fs::write(folder.join("other.json"), REFERENCE).unwrap();
    fs::write(folder.join("there.png"), "mine").unwrap();
    for (args, expected) in [
        (vec!["gone"], "gone does not exist"),
        (vec!["a", "-o", "a.pdf"], "pictures are .svg or .png files"),
        (vec!["a", "-o", "there.png"], "there.png is there already"),
        (
            vec!["a", "--table", "a.txt"],
            "expected a file of the extension .md, .csv or .json",
        ),
        (vec!["a", "--reference", "other.json#size"], "size"),
        (
            vec!["a", "--y", "loss", "--reference", "other.json"],
            "PSNR against images",
        ),
    ] {
        let output = plot(folder, &args);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(expected), "{args:?}: {text}");
    }
    assert_eq!(fs::read(folder.join("there.png")).unwrap(), b"mine");
}
