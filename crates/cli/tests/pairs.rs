//! Which images are pairs: found by names and axes, told, and refused where they are none.

use std::fs::{self, File};
use std::path::Path;
use std::process::Output;

use image::{GrayImage, Luma};
use n2n_files::{Attached, Header, PagesWriter, PictureFormat, Raster, Samples};

use crate::data::SMALL;
use crate::{error, n2n, stderr, summary};

const SIDE: u32 = 64;

/// A noisy picture of a scene, whose waves have moved by some pixels; 16 bits.
fn frame(scene: u32, noise: u32, moved: f32) -> Vec<u16> {
    let pixel = |at: u32| {
        let (x, y) = (at % SIDE, at / SIDE);
        let wave = ((x as f32 - moved) / 3.0 + scene as f32).sin() + (y as f32 / 4.0).cos();
        let random = (at.wrapping_mul(2_654_435_761) ^ noise.wrapping_mul(40_503))
            .wrapping_mul(2_246_822_519);
        (30_000.0 + 8000.0 * wave) as u16 + ((random >> 16) % 4000) as u16
    };
    (0..SIDE * SIDE).map(pixel).collect()
}

fn picture(path: &Path, samples: &[u16]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixel = |x, y| Luma([(samples[(y * SIDE + x) as usize] >> 8) as u8]);
    GrayImage::from_fn(SIDE, SIDE, pixel).save(path).unwrap();
}

/// Twelve frames in a stack of ImageJ, along an axis of time.
fn movie(path: &Path, step: f32) {
    let frame = |number: u32| Raster {
        channels: 1,
        height: SIDE as usize,
        width: SIDE as usize,
        samples: Samples::U16(frame(1, number, step * number as f32)),
        alpha: None,
    };
    let header = Header {
        pages: 12,
        ..frame(0).header()
    };
    let file = File::create(path).unwrap();
    let format = PictureFormat::of_path(path).unwrap();
    let mut writer = PagesWriter::new(file, format, &header, &Attached::default()).unwrap();
    for number in 0..12 {
        let text = "ImageJ=1.54f\nimages=12\nframes=12\n";
        let attached = Attached {
            description: (number == 0).then(|| text.as_bytes().to_vec()),
            ..Attached::default()
        };
        writer.write(&frame(number), &[attached]).unwrap();
    }
}

fn in_folder(folder: &Path, args: &[&str]) -> Output {
    n2n(args).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn train(folder: &Path, args: &[&str]) -> Output {
    let short = ["--set", "train.max_images=8", "--backend", "flex", "--json"];
    in_folder(folder, &[&["train"], &SMALL[..], &short, args].concat())
}

#[test]
fn names_that_differ_in_a_word_are_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for scene in 0..4 {
        for side in [1, 2] {
            let name = format!("in/cell_{scene}_noisy{side}.png");
            picture(&root.join(name), &frame(scene, 10 * scene + side, 0.0));
        }
    }
    picture(&root.join("in/cell_9_noisy1.png"), &frame(9, 99, 0.0));
    let seen = text(&in_folder(root, &["data", "inspect", "in"]));
    let first = seen.lines().next().unwrap();
    assert_eq!(
        first,
        "pairs by name: cell_0_noisy1.png + cell_0_noisy2.png and 3 more"
    );
    assert!(seen.contains("cell_9_noisy1.png has no partner"), "{seen}");
    assert!(!seen.contains("warning"), "{seen}");
    summary(&train(root, &["--data", "in", "--run-dir", "run"]));

    picture(&root.join("in/notes.png"), &frame(10, 100, 0.0));
    for number in 0..9 {
        picture(
            &root.join(format!("in/other{number}.png")),
            &frame(11, number, 0.0),
        );
    }
    let message = error(&in_folder(root, &["data", "inspect", "in"]));
    assert!(message.contains("--set data.layout=pairs"), "{message}");
    let pairs = ["data", "inspect", "in", "--set", "data.layout=pairs"];
    assert!(text(&in_folder(root, &pairs)).contains("cell_0_noisy1.png"));
}

#[test]
fn frames_in_time_are_neighbours_and_motion_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    movie(&root.join("rests.tif"), 0.0);
    movie(&root.join("moves.tif"), 3.0);
    let inspect = |args: &[&str]| text(&in_folder(root, &[&["data", "inspect"], args].concat()));
    let rests = inspect(&["rests.tif"]);
    assert!(rests.contains("pairs (neighbours): each frame"), "{rests}");
    assert!(!rests.contains("warning: scenes move"), "{rests}");
    let moves = inspect(&["moves.tif"]);
    assert!(
        moves.contains("warning: scenes move from frame to frame by 3"),
        "{moves}"
    );
    let any = inspect(&["rests.tif", "--set", "data.pairing=any"]);
    assert!(any.contains("pairs (any): any two shots"), "{any}");
    let halves = inspect(&["rests.tif", "--set", "data.pairing=even_odd", "--json"]);
    let halves: serde_json::Value = serde_json::from_str(&halves).unwrap();
    assert_eq!(halves["training"]["shots"], serde_json::json!([2, 2]));
    assert_eq!(halves["pairing"]["pairing"], "even_odd");

    let done = train(root, &["--data", "rests.tif", "--run-dir", "run"]);
    summary(&done);
    let config = fs::read_to_string(root.join("run/config.toml")).unwrap();
    assert!(config.contains("pairing = \"neighbours\""), "{config}");
}

#[test]
fn copies_are_refused_by_training_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for scene in 0..4 {
        for side in ["even", "odd"] {
            let path = root.join(format!("in/{side}/{scene}.png"));
            picture(&path, &frame(scene, scene, 0.0));
        }
    }
    let seen = text(&in_folder(root, &["data", "inspect", "in"]));
    assert!(seen.contains("warning: the images of"), "{seen}");
    assert!(seen.contains("equal or nearly so"), "{seen}");
    let message = error(&train(root, &["--data", "in", "--run-dir", "run"]));
    for part in [
        "in/even/",
        "two exposures of each scene",
        "0.0 % of the noise",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!root.join("run/config.toml").exists());
}

#[test]
fn partners_that_fade_are_scaled_to_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for scene in 0..4 {
        picture(
            &root.join(format!("in/a/{scene}.png")),
            &frame(scene, 2 * scene, 0.0),
        );
        let faded = frame(scene, 2 * scene + 1, 0.0);
        let faded: Vec<u16> = faded.iter().map(|sample| sample / 5 * 4).collect();
        picture(&root.join(format!("in/b/{scene}.png")), &faded);
    }
    let matched = ["--set", "data.match_gain=true"];
    let seen = text(&in_folder(root, &["data", "inspect", "in"]));
    assert!(seen.contains("has 0.80 times the contrast"), "{seen}");
    assert!(
        seen.contains("warning") && seen.contains("data.match_gain = true"),
        "{seen}"
    );
    let seen = text(&in_folder(
        root,
        &[&["data", "inspect", "in"], &matched[..]].concat(),
    ));
    assert!(seen.contains("partners are scaled to each other"), "{seen}");
    assert!(!seen.contains("warning"), "{seen}");
    summary(&train(
        root,
        &[&["--data", "in", "--run-dir", "run"], &matched[..]].concat(),
    ));
    let config = fs::read_to_string(root.join("run/config.toml")).unwrap();
    assert!(config.contains("match_gain = true"), "{config}");
}
