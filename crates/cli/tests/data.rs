//! Own data, as a person gives it.

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma};
use tempfile::TempDir;

use crate::{n2n, stderr, summary};

/// A folder with pairs of noisy pictures of a slope, 20x24 pixels, with clean ones or without.
fn pairs(count: usize, clean: bool) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut state = 1_u32;
    let mut noise = move || {
        // Marsaglia's xorshift; the sum of bytes is nearly Gaussian.
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state % 41) as f32 - 20.0
        };
        byte() + byte()
    };
    for name in ["a", "b", "clean"]
        .into_iter()
        .take(if clean { 3 } else { 2 })
    {
        let folder = folder.path().join(name);
        fs::create_dir(&folder).unwrap();
        for index in 0..count {
            let picture = GrayImage::from_fn(24, 20, |x, y| {
                let slope = 60.0 + 3.0 * (x + y) as f32 + index as f32;
                let noise = if name == "clean" { 0.0 } else { noise() };
                Luma([(slope + noise) as u8])
            });
            picture.save(folder.join(format!("{index}.png"))).unwrap();
        }
    }
    folder
}

/// A tiny network, for a moment.
pub const SMALL: [&str; 10] = [
    "--set",
    "model.features=4",
    "--set",
    "model.depth=2",
    "--set",
    "train.max_images=2560",
    "--set",
    "train.validate_every=40",
    "--set",
    "train.scheduler.warmup=5",
];

fn train(data: &Path, run: &Path, args: &[&str]) -> std::process::Output {
    let paths = [
        "train",
        "--backend",
        "flex",
        "--json",
        "--data",
        data.to_str().unwrap(),
        "--run-dir",
        run.to_str().unwrap(),
    ];
    n2n(&[&paths[..], &SMALL, args].concat()).output().unwrap()
}

#[test]
fn own_pairs_train_without_a_config_or_clean_images() {
    let data = pairs(20, false);
    let run = data.path().join("run");
    let summary = summary(&train(data.path(), &run, &[]));
    let [denoised, noisy] = ["psnr_est_db", "noisy_psnr_est_db"].map(|key| {
        summary[key]
            .as_f64()
            .expect("without clean images PSNR is estimated")
    });
    assert!(denoised > noisy + 2.0, "{summary}");
    assert!(summary.get("psnr_db").is_none() && summary["skipped"] == 0);
    let pictures = fs::read_dir(run.join("pictures")).unwrap().count();
    let validations = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    assert_eq!(pictures, validations.lines().count());
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("channels = 1"), "{config}");
}

#[test]
fn estimated_psnr_is_near_the_measured_one() {
    let data = pairs(40, true);
    let run = |name: &str, args: &[&str]| {
        let run = data.path().join(name);
        let summary = summary(&train(data.path(), &run, args));
        let last = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        let last: serde_json::Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
        (summary, last)
    };
    let (_, measured) = run("measured", &[]);
    assert!(measured["ssim"].as_f64().unwrap() > 0.3, "{measured}");
    fs::remove_dir_all(data.path().join("clean")).unwrap();
    let (_, estimated) = run("estimated", &[]);
    assert!(estimated.get("ssim").is_none());
    // The same pairs are held out and the same steps taken, so the networks are the same.
    assert_eq!(measured["train_loss"], estimated["train_loss"]);
    let [mse, estimate] = [&measured, &estimated].map(|record| record["val_mse"].as_f64().unwrap());
    let error_db = estimated["psnr_est_se_db"].as_f64().unwrap();
    let deviation_db = 10.0 * (mse / estimate).log10();
    assert!(
        deviation_db.abs() < 3.0 * error_db,
        "{deviation_db} dB, {error_db} dB"
    );
}

#[test]
fn inspect_reports_training_and_validation_sets() {
    let data = pairs(10, true);
    fs::write(data.path().join("a").join("3.png"), b"no picture").unwrap();
    let path = data.path().to_str().unwrap();
    let output = n2n(&["data", "inspect", path, "--json"]).output().unwrap();
    let report = summary(&output);
    assert_eq!(report["kind"], "pairs in two folders, with clean images");
    assert_eq!(report["training"]["scenes"], 8);
    assert_eq!(
        report["training"]["example_shape"],
        serde_json::json!([1, 16, 16])
    );
    assert_eq!(report["validation"]["scenes"], 1);
    assert_eq!(report["validates_against"], "clean images");
    assert!(report["skipped"][0].as_str().unwrap().contains("3.png"));

    let text = n2n(&["data", "inspect", path]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    for part in [
        "8 scenes of 2 shots and a clean image, 20x24 pixels, grey, uint8",
        "left out: 1",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let output = n2n(&["data", "inspect", path, "--strict"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("3.png"), "{}", stderr(&output));
}

#[test]
fn noise_is_put_on_clean_images() {
    let data = pairs(12, true);
    let clean = data.path().join("clean");
    for noise in ["gaussian:25", "bernoulli:0.4", "poisson:10..40"] {
        let run = data.path().join(noise.replace(':', "-"));
        let summary = summary(&train(&clean, &run, &["--noise", noise]));
        let [denoised, noisy] =
            ["psnr_db", "noisy_psnr_db"].map(|key| summary[key].as_f64().unwrap());
        assert!(denoised > noisy, "{noise}: {summary}");
    }
    let output = train(
        data.path(),
        &data.path().join("x"),
        &["--noise", "gaussian:lots"],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("gaussian:SIGMA_255"),
        "{}",
        stderr(&output)
    );
}
