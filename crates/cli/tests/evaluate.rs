//! `n2n evaluate`: its numbers, its files, and what it refuses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use image::{GenericImageView, GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;
use tempfile::TempDir;

use crate::{n2n, smoke, stderr, summary};

/// Sums of the same numbers in another order, in double precision.
const TOLERANCE: f64 = 1e-9;

/// A value between -1 and 1 that looks random.
fn noise(at: u32) -> f32 {
    let mixed = at.wrapping_mul(0x9e37_79b9) ^ (at >> 3);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b);
    (mixed >> 8) as f32 / 8_388_608.0 - 1.0
}

/// A folder of pictures of a slope, 20x14 pixels, with noise in `a` and `b` and without in `clean`, in
/// three colours each.
fn pictures(folders: &[&str], count: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (number, name) in folders.iter().enumerate() {
        let folder = folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        let strength = if *name == "clean" { 0.0 } else { 40.0 };
        for index in 0..count {
            let picture = RgbImage::from_fn(14, 20, |x, y| {
                Rgb([0, 1, 2].map(|channel| {
                    let at = (((number as u32 * 97 + index) * 20 + y) * 14 + x) * 3 + channel;
                    let slope = 80 + 3 * x + 2 * y + 10 * channel;
                    (slope as f32 + strength * noise(at)) as u8
                }))
            });
            picture.save(folder.join(format!("{index}.png"))).unwrap();
        }
    }
    folder
}

/// A model trained for a few steps, in the run directory.
fn model(folder: &Path, args: &[&str]) -> PathBuf {
    let run = folder.join(format!("run-{}", args.len()));
    summary(&smoke(&run, &[&["--backend", "flex"], args].concat()));
    run
}

fn evaluate(models: &[&Path], data: &Path, args: &[&str]) -> Output {
    let models: Vec<_> = models.iter().map(|path| path.to_str().unwrap()).collect();
    let data = [
        "--data",
        data.to_str().unwrap(),
        "--backend",
        "flex",
        "--overwrite",
    ];
    let args = [&["evaluate"], &models[..], &data, args].concat();
    n2n(&args).output().unwrap()
}

fn number(value: &Value, key: &str) -> f64 {
    let number = value[key].as_f64();
    number.unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// The lines of a CSV file, by title.
fn lines(path: &Path) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn json_csv_and_sheet_of_two_models_agree() {
    let data = pictures(&["a", "b", "clean"], 5);
    let models = [
        model(data.path(), &[]),
        model(data.path(), &["--seed", "3"]),
    ];
    let csv = data.path().join("new/scores.csv");
    let sheet = data.path().join("new/sheet.png");
    let args = [
        "--json",
        "--csv",
        csv.to_str().unwrap(),
        "--sheet",
        sheet.to_str().unwrap(),
    ];
    // The second as a file.
    let file = models[1].join("last.safetensors");
    let output = evaluate(&[&models[0], &file], data.path(), &args);
    let report = summary(&output);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
    assert_eq!(report["images"], 5);
    assert_eq!(report["compared_with"], "clean images");
    assert_eq!(report["kind"], "pairs in two folders, with clean images");
    let methods = report["methods"].as_array().unwrap();
    let kinds: Vec<_> = methods.iter().map(|method| &method["kind"]).collect();
    assert_eq!(
        kinds,
        [
            "input",
            "classical",
            "classical",
            "classical",
            "model",
            "model"
        ]
    );
    assert_eq!(methods[4]["method"], models[0].to_str().unwrap());
    assert_eq!(methods[5]["method"], file.to_str().unwrap());
    // Each classical method is at its best no worse than the noisy input, but for the median, whose
    // least window is not the pixel itself.
    for classical in [&methods[1], &methods[3]] {
        assert!(
            number(classical, "psnr_db") > number(&methods[0], "psnr_db"),
            "{report}"
        );
        assert!(number(classical, "strengths_tried") > 3.0);
    }

    let lines = lines(&csv);
    assert_eq!(lines.len(), 5 * methods.len());
    for method in methods {
        let of_method = lines
            .iter()
            .filter(|line| line["method"] == method["method"]);
        let column = |title: &str| -> Vec<f64> {
            let numbers = of_method.clone().map(|line| line[title].parse().unwrap());
            numbers.collect()
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (psnr, mse, ssim) = (column("psnr_db"), column("mse"), column("ssim"));
        let pooled = -10.0 * mean(&mse).log10();
        let squares: Vec<f64> = psnr.iter().map(|one| (one - mean(&psnr)).powi(2)).collect();
        let error = (mean(&squares) / 4.0).sqrt();
        for (key, expected) in [
            ("psnr_db", mean(&psnr)),
            ("psnr_se_db", error),
            ("pooled_psnr_db", pooled),
            ("ssim", mean(&ssim)),
        ] {
            let got = number(method, key);
            assert!(
                (got - expected).abs() < TOLERANCE,
                "{key}: {got} and {expected}"
            );
        }
        assert!(number(method, "pooled_psnr_se_db") > 0.0 && number(method, "ssim_se") > 0.0);
    }
    assert!(lines[0]["file"].ends_with("0.png") && lines[0]["height"] == "20");

    // The noisy input, straight from the files.
    let [noisy, clean] = ["a/3.png", "clean/3.png"].map(|name| {
        let picture = image::open(data.path().join(name)).unwrap();
        picture.to_rgb8().into_raw()
    });
    let squares = noisy.iter().zip(&clean).map(|(a, b)| {
        let difference = (f64::from(*a) - f64::from(*b)) / 255.0;
        difference * difference
    });
    let mse = squares.sum::<f64>() / noisy.len() as f64;
    let line = lines.iter().find(|line| line["image"] == "3").unwrap();
    // The program's values are f32.
    assert!((line["mse"].parse::<f64>().unwrap() - mse).abs() < 1e-7);

    // Three rows of six images, 9 times larger, 126x180 each.
    let picture = image::open(&sheet).unwrap();
    assert_eq!(
        picture.dimensions(),
        (10 + 6 * 136, 10 + 3 * (180 + 66 + 10))
    );
}

#[test]
fn evaluate_estimates_psnr_without_clean_images() {
    let data = pictures(&["a", "b", "clean"], 30);
    let model = model(data.path(), &[]);
    let sheet = data.path().join("sheet.png");
    let csv = data.path().join("scores.csv");
    let args = [
        "--sheet",
        sheet.to_str().unwrap(),
        "--csv",
        csv.to_str().unwrap(),
    ];
    let json = |more: &[&str]| {
        let args = [&args[..], &["--json"], more].concat();
        summary(&evaluate(&[&model], data.path(), &args))
    };
    let measured = json(&[]);
    fs::remove_dir_all(data.path().join("clean")).unwrap();
    let estimated = json(&[]);
    assert_eq!(estimated["compared_with"], "second noisy images");
    for method in 0..5 {
        let (measured, estimated) = (&measured["methods"][method], &estimated["methods"][method]);
        assert!(estimated.get("ssim").is_none() && estimated.get("psnr_db").is_none());
        let error = number(estimated, "psnr_est_se_db");
        let deviation = number(estimated, "psnr_est_db") - number(measured, "pooled_psnr_db");
        assert!(deviation.abs() < 4.0 * error, "{measured} {estimated}");
    }
    let lines = lines(&csv);
    assert!(lines[0]["psnr_db"].is_empty() && !lines[0]["mse_est"].is_empty());

    let output = evaluate(&[&model], data.path(), &args);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "no clean images",
        "PSNR, estimated [dB]",
        "no SSIM",
        "noisy input",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // A row for each image shown: noisy, denoised, second noisy, removed.
    assert_eq!(image::open(&sheet).unwrap().width(), 10 + 4 * 136);
}

#[test]
fn table_names_strengths_and_their_tuning_images() {
    let data = pictures(&["clean"], 2);
    let clean = data.path().join("clean");
    let model = model(data.path(), &[]);
    let sheet = data.path().join("sheet.png");
    let sheet = ["--sheet", sheet.to_str().unwrap()];
    let run = |args: &[&str]| {
        let output = evaluate(&[&model], &clean, &[&sheet, args].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let noise = ["--noise", "gaussian:25", "--seed", "7"];
    let text = run(&noise);
    for part in [
        "2 images, noise gaussian:25 of seed 7, compared with clean images",
        "noisy input",
        "sigma ",
        "3 px",
        "h 0.",
        "best on all images",
        "favours them",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(run(&noise), text, "the noise is the same each time");
    assert_ne!(run(&noise[..2]), text, "and of another seed another");
    let without = run(&[&noise[..], &["--baselines", "none"]].concat());
    assert!(
        !without.contains("median") && !without.contains("favours"),
        "{without}"
    );
    let one = run(&[&noise[..], &["--baselines", "median", "--limit", "1"]].concat());
    let averaged = run(&[&noise[..], &["--baselines", "none", "--self-ensemble"]].concat());
    assert!(
        averaged.contains("models averaged over flips and turns"),
        "{averaged}"
    );
    let model_line = |text: &str| {
        text.lines()
            .find(|line| line.contains("run-0"))
            .map(str::to_owned)
    };
    assert_ne!(model_line(&averaged), model_line(&without));
    assert!(
        one.contains("1 image,") && !one.contains("Gaussian blur"),
        "{one}"
    );

    let output = evaluate(&[&model], &clean, &sheet);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--noise gaussian:25"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn grey_and_colour_networks_take_each_others_images() {
    let data = pictures(&["noisy", "clean"], 2);
    for name in ["noisy", "clean"] {
        let folder = data.path().join("grey").join(name);
        fs::create_dir_all(&folder).unwrap();
        for index in 0..2_u32 {
            let strength = if name == "clean" { 0.0 } else { 30.0 };
            let value =
                |x, y| 90.0 + (4 * x + y) as f32 + strength * noise(index * 999 + x * 31 + y);
            let picture = GrayImage::from_fn(14, 20, |x, y| Luma([value(x, y) as u8]));
            picture.save(folder.join(format!("{index}.png"))).unwrap();
        }
    }
    let colour = model(data.path(), &[]);
    let grey = model(data.path(), &["--set", "data.channels=1"]);
    let sheet = data.path().join("sheet.png");
    let args = [
        "--json",
        "--baselines",
        "none",
        "--sheet",
        sheet.to_str().unwrap(),
    ];
    for folder in [data.path().to_owned(), data.path().join("grey")] {
        let report = summary(&evaluate(&[&colour, &grey], &folder, &args));
        for method in report["methods"].as_array().unwrap() {
            assert!(number(method, "psnr_db") > 3.0, "{report}");
        }
    }
}

#[test]
fn damaged_image_is_skipped_and_reported() {
    let data = pictures(&["noisy", "clean"], 4);
    let model = model(data.path(), &[]);
    let damaged = data.path().join("noisy/2.png");
    let bytes = fs::read(&damaged).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let sheet = data.path().join("sheet.png");
    let args = ["--json", "--sheet", sheet.to_str().unwrap()];
    let output = evaluate(&[&model], data.path(), &args);
    let report = summary(&output);
    assert_eq!(
        (&report["images"], &report["skipped"]),
        (&3.into(), &1.into())
    );
    assert!(
        stderr(&output).contains("noisy/2.png"),
        "{}",
        stderr(&output)
    );
    let output = evaluate(&[&model], data.path(), &[&args[..], &["--strict"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("noisy/2.png"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn evaluation_failure_is_one_error() {
    let data = pictures(&["noisy", "clean"], 2);
    let run = model(data.path(), &[]);
    let empty = tempfile::tempdir().unwrap();
    let file = data.path().join("noisy/0.png");
    let within = file.join("sheet.png");
    let no_model = data.path().join("no-model");
    for (model, data, args, expected) in [
        (&no_model, data.path(), &[][..], "no-model"),
        (
            &data.path().to_owned(),
            data.path(),
            &[],
            "best.safetensors",
        ),
        (&file, data.path(), &[], "not a valid safetensors file"),
        (&run, empty.path(), &[], "no data that is understood"),
        (&run, &empty.path().join("none"), &[], "none"),
        (&run, &file, &[], "holds clean images only"),
        (
            &run,
            data.path(),
            &["--baselines", "wavelets"],
            "gaussian, median, nlm, none",
        ),
        (
            &run,
            data.path(),
            &["--noise", "gaussian:x"],
            "gaussian:SIGMA_255",
        ),
        (
            &run,
            data.path(),
            &["--second", "blurred"],
            "clean or noisy",
        ),
        (&run, data.path(), &["--limit", "0"], "at least 1"),
        (
            &run,
            data.path(),
            &["--set", "data.validation=x"],
            "--data x",
        ),
        (
            &run,
            data.path(),
            &["--set", "data.rang=[0,1]"],
            "did you mean `range`?",
        ),
        (
            &run,
            data.path(),
            &["--sheet", within.to_str().unwrap()],
            "cannot create",
        ),
        (
            &run,
            data.path(),
            &["--sheet", "/"],
            "not the name of a file",
        ),
    ] {
        let output = evaluate(&[model], data, args);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{expected}: {message}");
        assert!(message.contains(expected), "{expected}: {message}");
        assert!(
            output.stdout.is_empty() && !message.contains("panicked"),
            "{message}"
        );
    }
}

#[test]
fn embedded_scenes_are_the_default_data() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), &[]);
    let args = ["--limit", "3", "--baselines", "none", "--backend", "flex"];
    let output = n2n(&[&["evaluate", model.to_str().unwrap(), "--json"], &args[..]].concat())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let report = summary(&output);
    assert_eq!(
        (&report["kind"], &report["images"]),
        (&"embedded scenes".into(), &3.into())
    );
    assert_eq!(report["sheet"], "runs/evaluate-scenes.png");
    assert!(folder.path().join("runs/evaluate-scenes.png").is_file());
}

#[test]
fn bundled_model_is_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--limit", "2", "--baselines", "none", "--backend", "flex"];
    let noise = ["--noise", "gaussian:25"];
    let output = n2n(&[&["evaluate", "--json"], &args[..], &noise].concat())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let report = summary(&output);
    let methods = report["methods"].as_array().unwrap();
    assert_eq!(methods[1]["method"], "bundled model");
    let [noisy, denoised] = [0, 1].map(|at| number(&methods[at], "psnr_db"));
    assert!(denoised > noisy + 3.0, "{report}");
}
