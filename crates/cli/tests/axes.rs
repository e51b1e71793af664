//! Frames, planes and channels of one file.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::process::Output;

use n2n_files::{
    Attached, Axes, AxesFrom, Header, NpyStack, NpyWriter, PageStack, PagesWriter, PictureFormat,
    Raster, Samples, Stack,
};

use crate::{error, n2n, stderr};

/// Rows and columns.
const SIZE: [usize; 2] = [20, 32];

/// A description of ImageJ, with three frames of two planes in two channels.
const TEXT: &str = "ImageJ=1.54f\nimages=12\nchannels=2\nslices=2\nframes=3\nhyperstack=true\n";

/// The same for OME, where planes follow each other before channels do.
const OME: &str = "<?xml version=\"1.0\"?><OME><Image><Pixels DimensionOrder=\"XYZCT\" SizeX=\"32\" \
                   SizeY=\"20\" SizeT=\"3\" SizeZ=\"2\" SizeC=\"2\"/></Image></OME>";

/// Waves, brighter in each page.
fn page(page: usize) -> Raster {
    let [height, width] = SIZE;
    let wave = |at: usize| 0.05 * (page as f32 + 1.0) + 0.03 * ((at + 7 * page) as f32 * 0.9).sin();
    Raster {
        channels: 1,
        height,
        width,
        samples: Samples::F32((0..height * width).map(wave).collect()),
        alpha: None,
    }
}

/// A file of 12 pages, the first with a description.
fn write(path: &Path, text: &str) {
    let header = Header {
        pages: 12,
        ..page(0).header()
    };
    let file = BufWriter::new(File::create(path).unwrap());
    let format = PictureFormat::of_path(path).unwrap();
    let mut writer = PagesWriter::new(file, format, &header, &Attached::default()).unwrap();
    for index in 0..12 {
        let attached = Attached {
            description: (index == 0 && !text.is_empty()).then(|| text.as_bytes().to_vec()),
            ..Attached::default()
        };
        writer.write(&page(index), &[attached]).unwrap();
    }
}

fn denoise(folder: &Path, args: &[&str]) -> Output {
    let mut command = n2n(&["denoise", "--backend", "flex"]);
    command.args(args).current_dir(folder).output().unwrap()
}

fn inspect(folder: &Path, args: &[&str]) -> Output {
    let mut command = n2n(&["data", "inspect"]);
    command.args(args).current_dir(folder).output().unwrap()
}

fn mean(raster: &Raster) -> f32 {
    let Samples::F32(samples) = &raster.samples else {
        panic!("{}", raster.samples.kind());
    };
    samples.iter().sum::<f32>() / samples.len() as f32
}

#[test]
fn hyperstacks_keep_their_pages_and_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (name, text) in [("imagej.tif", TEXT), ("ome.tif", OME)] {
        write(&root.join(name), text);
        let done = denoise(root, &[name, "-o", "out"]);
        let message = stderr(&done);
        assert!(done.status.success(), "{message}");
        assert!(!message.contains("warning"), "{message}");
        let found = PageStack::open_with(&root.join("out").join(name), &AxesFrom::Pages).unwrap();
        assert_eq!(found.len(), 12);
        for index in 0..12 {
            let (found, expected) = (found.read(index).unwrap(), page(index));
            // Each page lies 0.05 above the one before.
            assert!(
                (mean(&found) - mean(&expected)).abs() < 0.01,
                "{name} {index}"
            );
            assert_ne!(found, expected);
        }
        let attached = found.attached(0).unwrap();
        assert_eq!(attached[0].description.as_deref(), Some(text.as_bytes()));
    }
}

#[test]
fn an_array_made_of_pages_has_their_axes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(&root.join("ome.tif"), OME);
    let done = denoise(root, &["ome.tif", "-o", "ome.npy"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let given = AxesFrom::Given("TCZYX".parse().unwrap());
    let array = NpyStack::open_with(&root.join("ome.npy"), &given).unwrap();
    let sizes: Vec<usize> = array.axes().iter().map(|(_, size)| *size).collect();
    assert_eq!(sizes, [3, 2, 2, SIZE[0], SIZE[1]]);
    // Frame 1, plane 1: pages 5 and 7 of the file.
    let image = array.read(3).unwrap();
    let expected = (mean(&page(5)) + mean(&page(7))) / 2.0;
    assert!((mean(&image) - expected).abs() < 0.01);
}

#[test]
fn axes_of_arrays_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let [height, width] = SIZE;
    let axes = "TCZYX"
        .parse::<Axes>()
        .unwrap()
        .sized(&[3, 2, 2, height, width]);
    let file = File::create(root.join("movie.npy")).unwrap();
    let mut writer = NpyWriter::new(file, &axes, page(0).samples.kind()).unwrap();
    for image in 0..6 {
        let [Samples::F32(mut first), Samples::F32(second)] =
            [2 * image, 2 * image + 1].map(|index| page(index).samples)
        else {
            panic!("floats");
        };
        first.extend(second);
        writer.write(&Samples::F32(first)).unwrap();
    }
    writer.finish().unwrap();
    let message = error(&denoise(root, &["movie.npy", "-o", "out"]));
    assert!(message.contains("--axes TZCYX"), "{message}");
    let done = denoise(root, &["movie.npy", "-o", "out", "--axes", "TCZYX"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let bytes = |path: &str| fs::read(root.join(path)).unwrap();
    assert_eq!(bytes("out/movie.npy").len(), bytes("movie.npy").len());
    let wrong = denoise(root, &["movie.npy", "-o", "wrong", "--axes", "TZYX"]);
    assert!(error(&wrong).contains("axes TZYX"), "{}", stderr(&wrong));
    let no_axes = denoise(root, &["movie.npy", "-o", "wrong", "--axes", "TXT"]);
    assert!(error(&no_axes).contains("`TXT` says no axes"));

    let seen = inspect(root, &["movie.npy", "--set", "data.axes=TCZYX", "--json"]);
    let seen: serde_json::Value = serde_json::from_slice(&seen.stdout).unwrap();
    let kind = seen["kind"].as_str().unwrap();
    assert!(kind.contains("3 frames T, 2 planes Z"), "{kind}");
    // One of the two planes is held out.
    assert_eq!(seen["training"]["scenes"], 1);
    assert_eq!(seen["training"]["shots"], serde_json::json!([3, 3]));
    assert_eq!(seen["training"]["channels"], 2);
}

#[test]
fn files_that_do_not_say_their_axes_are_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(&root.join("sections.mrc"), "");
    let message = error(&inspect(root, &["sections.mrc"]));
    for choice in ["TYX", "ZYX", "CYX", "--pairs"] {
        assert!(message.contains(choice), "{message}");
    }
    let mut volume = fs::read(root.join("sections.mrc")).unwrap();
    volume[88] = 1;
    fs::write(root.join("sections.mrc"), volume).unwrap();
    let message = error(&inspect(root, &["sections.mrc"]));
    assert!(message.contains("planes of a volume"), "{message}");
    assert!(message.contains("--pairs A B"), "{message}");
    let seen = inspect(root, &["sections.mrc", "--set", "data.axes=TYX", "--json"]);
    assert!(seen.status.success(), "{}", stderr(&seen));
}
