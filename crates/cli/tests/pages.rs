//! `n2n denoise`: which images of a TIFF file are its pages.

use std::fs;
use std::path::Path;

use n2n_files::{AxesFrom, NpyStack, Samples, Stack, TiffStack};

use crate::{error, n2n, stderr};

/// Rows and columns, and planes of a stack.
const SIZE: [u32; 2] = [20, 32];
const PLANES: u32 = 4;

/// The description of a stack of ImageJ.
const TEXT: &[u8] = b"ImageJ=1.54f\nimages=4\nframes=4\nloop=false\n";

/// A TIFF file of one directory of grey bytes, with one tag more: its number, type, count and value or place.
/// What follows the directory begins at byte 200.
fn file(photometric: u32, tag: [u32; 4], behind: &[u8], pixels: &[u8]) -> Vec<u8> {
    let place = 200 + behind.len() as u32;
    let [height, width] = SIZE;
    let mut entries = vec![
        [256, 4, 1, width],
        [257, 4, 1, height],
        [258, 4, 1, 8],
        [259, 4, 1, 1],
        [262, 4, 1, photometric],
        tag,
        [273, 4, 1, place],
        [278, 4, 1, height],
        [279, 4, 1, height * width],
    ];
    entries.sort_unstable();
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend((entries.len() as u16).to_le_bytes());
    for [tag, kind, count, value] in entries {
        file.extend((tag as u16).to_le_bytes());
        file.extend((kind as u16).to_le_bytes());
        file.extend(count.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.resize(200, 0);
    [&file, behind, pixels].concat()
}

/// Pixels of planes, each brighter than the one before.
fn pixels(planes: u32) -> Vec<u8> {
    let [height, width] = SIZE;
    let plane = |index| (0..height * width).map(move |at| (40 * index + at % 7) as u8);
    (0..planes).flat_map(plane).collect()
}

fn denoise(folder: &Path, input: &str) -> std::process::Output {
    let args = ["denoise", "--backend", "flex", input, "-o", "clean.tif"];
    n2n(&args).current_dir(folder).output().unwrap()
}

#[test]
fn planes_behind_one_directory_become_pages() {
    let folder = tempfile::tempdir().unwrap();
    let description = [270, 2, TEXT.len() as u32, 200];
    let stack = file(1, description, TEXT, &pixels(PLANES));
    fs::write(folder.path().join("movie.tif"), stack).unwrap();
    let output = denoise(folder.path(), "movie.tif");
    assert!(output.status.success(), "{}", stderr(&output));
    let stack = TiffStack::open(&folder.path().join("clean.tif")).unwrap();
    assert_eq!(stack.len(), PLANES as usize);
    let description = stack.attached(0).unwrap().description;
    assert_eq!(description.as_deref(), Some(TEXT));
    let means = (0..stack.len()).map(|index| {
        let Samples::U8(samples) = stack.read(index).unwrap().samples else {
            panic!("bytes");
        };
        samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / samples.len() as f64
    });
    // Each plane has its own brightness, about 40 above the one before.
    let means: Vec<f64> = means.collect();
    assert!(
        means.windows(2).all(|pair| pair[1] - pair[0] > 20.0),
        "{means:?}"
    );
}

#[test]
fn raw_files_of_cameras_are_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let dng = file(1, [50706, 1, 4, 0x401], &[], &pixels(1));
    fs::write(folder.path().join("photo.tif"), &dng).unwrap();
    fs::write(folder.path().join("photo.nef"), &dng).unwrap();
    for input in ["photo.tif", "photo.nef"] {
        let message = error(&denoise(folder.path(), input));
        assert!(
            message.contains(input) && message.contains("16 bits"),
            "{message}"
        );
        assert!(!folder.path().join("clean.tif").exists());
    }
}

/// A TIFF file of a page of grey bytes of each size.
fn pyramid(sizes: &[[u32; 2]]) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    for (at, &[width, height]) in sizes.iter().enumerate() {
        let entries = [
            [256, width],
            [257, height],
            [258, 8],
            [259, 1],
            [262, 1],
            [273, file.len() as u32 + 2 + 8 * 12 + 4],
            [278, height],
            [279, width * height],
        ];
        file.extend(8_u16.to_le_bytes());
        for [tag, value] in entries {
            file.extend((tag as u16).to_le_bytes());
            file.extend(4_u16.to_le_bytes());
            file.extend(1_u32.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        let next = file.len() as u32 + 4 + width * height;
        let is_last = at + 1 == sizes.len();
        file.extend((if is_last { 0 } else { next }).to_le_bytes());
        file.extend((0..width * height).map(|at| (at % 200) as u8));
    }
    file
}

#[test]
fn a_level_of_a_pyramid_is_denoised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slide.tif");
    fs::write(&path, pyramid(&[[33, 21], [17, 11], [8, 5]])).unwrap();
    let denoise = |level: &str, output: &str| {
        let args = ["denoise", "--backend", "flex", "slide.tif", "-o", output];
        let mut command = n2n(&args);
        command.args(["--level", level]).current_dir(folder.path());
        command.output().unwrap()
    };
    for (level, width) in [("0", 33), ("1", 17), ("2", 8)] {
        let output = format!("{level}.tif");
        let done = denoise(level, &output);
        assert!(done.status.success(), "{}", stderr(&done));
        let clean = TiffStack::open(&folder.path().join(&output)).unwrap();
        assert_eq!((clean.len(), clean.shape()[2]), (1, width));
    }
    let message = error(&denoise("3", "3.tif"));
    assert!(
        message.contains("no level 3: it holds images of 3 sizes"),
        "{message}"
    );
    assert!(!folder.path().join("3.tif").exists());
}

#[test]
fn channels_of_a_level_are_one_image() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let sizes = [[33, 21], [33, 21], [17, 11], [17, 11]];
    fs::write(root.join("slide.tif"), pyramid(&sizes)).unwrap();
    let denoise = |input: &str, output: &str| {
        let args = ["denoise", "--backend", "flex", input, "-o", output];
        let mut command = n2n(&args);
        command.args(["--level", "1", "--axes", "CYX"]);
        command.current_dir(root).output().unwrap()
    };
    let done = denoise("slide.tif", "level.npy");
    assert!(done.status.success(), "{}", stderr(&done));
    let given = AxesFrom::Given("CYX".parse().unwrap());
    let level = NpyStack::open_with(&root.join("level.npy"), &given).unwrap();
    assert_eq!((level.len(), level.shape()), (1, [2, 11, 17]));

    let message = error(&denoise("level.npy", "smaller.npy"));
    assert!(message.contains("level.npy has no level 1"), "{message}");
}

#[test]
fn folders_of_other_formats_name_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("cells")).unwrap();
    fs::write(root.join("cells/notes.txt"), "of Monday").unwrap();
    fs::write(root.join("cells/one.czi"), b"ZISRAWFILE\0\0\0\0").unwrap();
    let way_out = "one.czi holds images of a Zeiss microscope";
    for args in [
        &["denoise", "--backend", "flex", "cells", "-o", "out"][..],
        &["denoise", "--backend", "flex", "cells/one.czi", "-o", "out"],
        &["train", "--backend", "flex", "--data", "cells"],
        &["data", "inspect", "cells/one.czi"],
    ] {
        let message = error(&n2n(args).current_dir(root).output().unwrap());
        assert!(message.contains(way_out), "{message}");
    }
    fs::write(root.join("cells/two.tif"), pyramid(&[[33, 21]])).unwrap();
    let args = ["denoise", "--backend", "flex", "cells", "-o", "out"];
    let done = n2n(&args).current_dir(root).output().unwrap();
    let message = stderr(&done);
    assert!(done.status.success(), "{message}");
    assert!(
        message.contains(way_out) && message.contains("left out"),
        "{message}"
    );
    assert!(root.join("out/two.tif").exists());
}
