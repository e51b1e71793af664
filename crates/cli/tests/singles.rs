//! Single noisy images.

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma};

use crate::data::SMALL;
use crate::{n2n, stderr, summary};

const SIDE: u32 = 96;

/// A slope from 60 to 156 of 255.
fn slope(x: u32, y: u32) -> f64 {
    60.0 + f64::from(x + y) / 2.0
}

/// A picture of the slope with nearly Gaussian noise of this deviation.
fn picture(path: &Path, deviation: f64) {
    let mut state = 7_u32;
    let mut even = move || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f64::from(state) / f64::from(u32::MAX)
    };
    let mut normal = move || (0..12).map(|_| even()).sum::<f64>() - 6.0;
    let picture = GrayImage::from_fn(SIDE, SIDE, |x, y| {
        Luma([(slope(x, y) + deviation * normal()).round() as u8])
    });
    picture.save(path).unwrap();
}

/// Mean squared distance of a picture from the slope.
fn error(path: &Path) -> f64 {
    let picture = image::open(path).unwrap().to_luma8();
    let pixels = picture.enumerate_pixels();
    let squares = pixels.map(|(x, y, pixel)| (f64::from(pixel[0]) - slope(x, y)).powi(2));
    squares.sum::<f64>() / f64::from(SIDE * SIDE)
}

#[test]
fn one_noisy_picture_is_trained_on_and_denoised() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    picture(Path::new(&path("one.png")), 20.0);
    let (one, out, run) = (path("one.png"), path("out.png"), path("run"));
    let train = [
        "train",
        "--backend",
        "flex",
        "--json",
        "--data",
        &one,
        "--run-dir",
        &run,
    ];
    let train = [&train[..], &SMALL, &["--denoise", &out]].concat();
    let output = n2n(&train).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    let of_training: serde_json::Value =
        serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let [denoised, noisy] =
        ["sub_images_db", "noisy_sub_images_db"].map(|key| of_training[key].as_f64().unwrap());
    // The noise of the other sub-image stays, so that 3 dB would be all.
    assert!(denoised > noisy + 1.0 && denoised < noisy + 3.5, "{lines}");
    for key in ["psnr_db", "psnr_est_db", "noisy_psnr_est_db", "gain_db"] {
        assert!(of_training.get(key).is_none(), "{key}: {lines}");
    }
    let [before, after] = [&one, &out].map(|path| error(Path::new(path)));
    assert!(after < before / 4.0, "{before} became {after}");
    let config = fs::read_to_string(path("run/config.toml")).unwrap();
    assert!(config.contains("pairing = \"subsample\""), "{config}");

    let again = n2n(&train).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(
        stderr(&again).contains("is there already"),
        "{}",
        stderr(&again)
    );
}

#[test]
fn pictures_that_may_be_clean_are_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.png");
    picture(&path, 0.0);
    let path = path.to_str().unwrap();
    let output = n2n(&["data", "inspect", path]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    for choice in [
        "--set data.pairing=subsample",
        "--noise gaussian:25",
        "--pairs A B",
    ] {
        assert!(message.contains(choice), "{message}");
    }
    let args = ["data", "inspect", path, "--set", "data.pairing=subsample"];
    assert!(n2n(&args).output().unwrap().status.success());
}

#[test]
fn another_loss_of_sub_images_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("one.png");
    picture(&one, 20.0);
    let args = [
        "data",
        "inspect",
        one.to_str().unwrap(),
        "--set",
        "train.loss=l1",
    ];
    let output = n2n(&[&args[..], &["--set", "data.subsample_weight=1"]].concat());
    let message = stderr(&{ output }.output().unwrap());
    assert!(message.contains("data.subsample_weight = 0"), "{message}");
    let output = n2n(&[&args[..], &["--set", "data.subsample_weight=0"]].concat());
    assert!({ output }.output().unwrap().status.success());
}

#[test]
fn inspect_says_what_was_chosen_and_draws_it() {
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("one.png");
    picture(&one, 20.0);
    let sheet = folder.path().join("sheets/sheet.png");
    let args = [
        "data",
        "inspect",
        one.to_str().unwrap(),
        "--picture",
        sheet.to_str().unwrap(),
    ];
    let output = n2n(&args).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().next(), Some("single noisy images"));
    for part in [
        "pairs: two sub-images of each image",
        "range: samples from 0 to 255 become 0 to 1",
        "--set data.range=[LOW,HIGH]",
        "held out: ",
        "variance = ",
        "about the same at every brightness",
        "correlation about ",
        "denoised wrongly:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let drawn = image::open(&sheet).unwrap();
    assert!(drawn.width() > 1000 && drawn.height() > 500);
    let output = n2n(&args).output().unwrap();
    assert!(
        stderr(&output).contains("--overwrite"),
        "{}",
        stderr(&output)
    );

    let output = n2n(&["data", "inspect", one.to_str().unwrap(), "--json"])
        .output()
        .unwrap();
    let report = summary(&output);
    assert_eq!(report["subsamples"], true);
    assert_eq!(report["validates_against"], "other sub-images");
    let names: Vec<_> = report["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| &of["name"])
        .collect();
    assert_eq!(
        names,
        ["pairs", "range", "patches", "held out", "normalization"]
    );
    let level = &report["noise_levels"][0];
    let variance = level["offset"].as_f64().unwrap() + 108.0 * level["slope"].as_f64().unwrap();
    // 20 squared, of 9,216 pixels.
    assert!((300.0..500.0).contains(&variance), "{level}");
    assert!(
        report["single_noise"]["neighbours"].as_f64().unwrap().abs() < 0.2,
        "{report}"
    );
}
