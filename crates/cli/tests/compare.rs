//! `n2n compare`: its JSON, its table, and what it refuses.

use std::path::Path;
use std::process::Output;

use image::GenericImageView;

use crate::{n2n, stderr, summary};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/smoke.toml");

/// flex and ndarray add the same f32 products in different orders: an error of about 1e-7 for each
/// of a few steps.
const BACKEND_TOLERANCE: f64 = 1e-5;

fn compare(base: &Path, args: &[&str]) -> Output {
    let base = base.to_str().unwrap();
    n2n(&[&["compare", CONFIG, "--picture", base], args].concat())
        .output()
        .unwrap()
}

#[test]
fn two_backends_agree() {
    let args = ["--backends", "flex,ndarray", "--steps", "4", "--json"];
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("new/picture.of");
    let output = compare(&base, &args);
    let comparison = summary(&output);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
    assert_eq!(comparison["steps"], 4);
    assert_eq!(comparison["batch_size"], 4);

    let backends = comparison["backends"].as_array().unwrap();
    let names: Vec<_> = backends.iter().map(|one| &one["backend"]).collect();
    assert_eq!(names, ["flex", "ndarray"]);
    for (index, one) in backends.iter().enumerate() {
        assert_eq!(one["losses"].as_array().unwrap().len(), 4);
        for key in ["first_step_s", "images_per_s", "psnr_db"] {
            assert!(one[key].as_f64().unwrap() > 0.0, "{key}");
        }
        assert!(!one["device"].as_str().unwrap().is_empty());
        let memory = &one["peak_memory_mib"];
        assert!(
            memory.is_null() || memory.as_f64().unwrap() > 1.0,
            "{memory}"
        );
        for key in ["loss_deviation", "weight_deviation"] {
            let deviation = one[key].as_f64().unwrap();
            match index {
                0 => assert_eq!(deviation, 0.0, "{key}"),
                _ => assert!(
                    (0.0..=BACKEND_TOLERANCE).contains(&deviation),
                    "{key}: {deviation}"
                ),
            }
        }
    }

    let svg = std::fs::read_to_string(base.with_extension("of.svg")).unwrap();
    for part in ["<svg", "flex", "ndarray", "training loss"] {
        assert!(svg.contains(part), "{part}");
    }
    let png = image::open(base.with_extension("of.png")).unwrap();
    let first = png.get_pixel(0, 0);
    assert!(
        png.pixels().any(|(_, _, color)| color != first),
        "{:?} of one colour",
        png.dimensions()
    );
}

#[test]
fn the_table_has_a_row_for_each_backend() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--backends", "ndarray,flex", "--steps", "2"];
    let output = compare(&folder.path().join("picture"), &args);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "smoke: 2 steps of 4 images, 8x12 pixels each");
    let starts = ["backend ", "ndarray ", "flex "];
    for (line, start) in lines[1..].iter().zip(starts) {
        assert!(line.starts_with(start), "{text}");
    }
    assert_eq!(lines.len(), 4, "{text}");
}

#[test]
fn bad_backend_lists_and_single_steps_are_errors() {
    for (args, expected) in [
        (&["--backends", "flex,abacus"][..], "ndarray"),
        (&["--backends", "flex,flex"], "flex,flex"),
        (&["--backends", "auto"], "auto"),
        (&["--backends", "flex", "--steps", "1"], "1 is not in 2.."),
        (&["--implementations", "layers"], "has burn and scratch"),
        (
            &[
                "--implementations",
                "layers",
                "--set",
                "model.kind=simple",
                "--set",
                "train.loss=l1",
            ],
            "its only loss",
        ),
    ] {
        let output = compare(Path::new("unused"), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let message = stderr(&output);
        assert!(message.contains(expected), "{args:?}: {message}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}
