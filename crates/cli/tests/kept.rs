//! `n2n denoise`: what an image looks like, what it is called and what stands beside it.

use std::fs;
use std::path::Path;
use std::process::Output;

use n2n_files::{
    Attached, Axes, Header, NpyStack, NpyWriter, Own, PictureFormat, Raster, Samples, Stack,
    TiffStack, TiffWriter, encode_picture, read_attached, read_header, read_picture,
};

use crate::{n2n, stderr, summary};

/// Rows and columns.
const SIZE: [usize; 2] = [20, 32];

/// A colour picture whose left half is dark and whose upper half is red: no two turns are alike.
fn raster() -> Raster {
    let [height, width] = SIZE;
    let plane = |channel: usize| {
        (0..height * width).map(move |at| {
            let (y, x) = (at / width, at % width);
            let red = if channel == 0 && y < height / 2 {
                60
            } else {
                0
            };
            if x < width / 2 { 30 + red } else { 150 + red }
        })
    };
    Raster {
        channels: 3,
        height,
        width,
        samples: Samples::U8((0..3).flat_map(plane).collect()),
        alpha: None,
    }
}

fn save(path: &Path, raster: &Raster, attached: &Attached) {
    let format = PictureFormat::of_path(path).unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, encode_picture(raster, format, attached).unwrap()).unwrap();
}

/// Metadata that ask for one of EXIF's turns.
fn turned(orientation: u8) -> Attached {
    let entry = [0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    Attached {
        exif: Some([b"II*\0\x08\0\0\0\x01\0", &entry[..], &[0; 4]].concat()),
        ..Attached::default()
    }
}

fn denoise(folder: &Path, args: &[&str]) -> Output {
    let mut command = n2n(&["denoise", "--backend", "flex"]);
    command.args(args).current_dir(folder).output().unwrap()
}

/// The means of a quarter's colours, as [`corners`] gives them.
type Corner = [f64; 3];

/// The means of the four quarters of an image: upper left, upper right, lower left, lower right.
fn corners(raster: &Raster) -> [Corner; 4] {
    let Samples::U8(samples) = &raster.samples else {
        panic!("bytes, not {}", raster.samples.kind());
    };
    let (height, width) = (raster.height, raster.width);
    [[0, 0], [0, 1], [1, 0], [1, 1]].map(|[down, right]| {
        [0, 1, 2].map(|channel| {
            let rows = down * height / 2..(down + 1) * height / 2;
            let sum: f64 = rows
                .flat_map(|y| {
                    let columns = right * width / 2..(right + 1) * width / 2;
                    columns.map(move |x| (channel * height + y) * width + x)
                })
                .map(|at| f64::from(samples[at]))
                .sum();
            sum / (height / 2 * (width / 2)) as f64
        })
    })
}

/// Most that a quarter's mean may change by denoising and by JPEG; the quarters are 60 apart.
const SAME_QUARTER: f64 = 20.0;

/// What an eye sees of a file: the picture as its metadata ask to turn it, or an array.
fn seen(path: &Path) -> Raster {
    if path.extension().is_some_and(|extension| extension == "npy") {
        return NpyStack::open(path).unwrap().read(0).unwrap();
    }
    let turn = read_attached(path).unwrap().turn();
    read_picture(path).unwrap().turned(turn)
}

#[test]
fn images_look_the_same_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for orientation in [1, 3, 5, 6, 7] {
        for from in ["png", "jpg", "webp", "tif"] {
            let input = format!("{orientation}.{from}");
            save(&root.join(&input), &raster(), &turned(orientation));
            let expected = seen(&root.join(&input));
            assert_eq!(expected.height > expected.width, orientation > 4);
            for to in ["png", "jpg", "webp", "tif", "bmp", "npy"] {
                let output = format!("{orientation}-{from}.{to}");
                let done = denoise(root, &[&input, "-o", &output]);
                let message = stderr(&done);
                assert!(done.status.success(), "{message}");
                // An image that was turned has lost nothing.
                assert!(!message.contains("EXIF"), "{output}: {message}");
                let found = seen(&root.join(&output));
                assert_eq!(
                    [found.height, found.width],
                    [expected.height, expected.width],
                    "{output}"
                );
                for (found, expected) in corners(&found).iter().zip(corners(&expected)) {
                    for (found, expected) in found.iter().zip(expected) {
                        assert!(
                            (found - expected).abs() < SAME_QUARTER,
                            "{output}: {found} for {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_lost_is_told_once_for_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let gamma = Own::Png(vec![
        (*b"gAMA", 100_000_u32.to_be_bytes().to_vec()),
        (*b"tEXt", b"Author\0somebody".to_vec()),
    ]);
    let comment = Own::Jpeg(vec![(0xfe, b"a comment".to_vec())]);
    for (name, own) in [("linear.png", gamma), ("said.jpg", comment)] {
        let attached = Attached {
            own: Some(own),
            xmp: Some(b"<x:xmpmeta/>".to_vec()),
            ..Attached::default()
        };
        save(&root.join("in").join(name), &raster(), &attached);
    }
    // In the same format everything stays, and nothing is said.
    let done = denoise(root, &["in", "-o", "out"]);
    assert!(done.status.success() && !stderr(&done).contains("warning"));
    for name in ["linear.png", "said.jpg"] {
        let [before, after] = ["in", "out"].map(|side| root.join(side).join(name));
        assert_eq!(
            read_attached(&before).unwrap(),
            read_attached(&after).unwrap()
        );
    }
    for (input, output, lost) in [
        (
            "in/linear.png",
            "a.tif",
            "what its colours mean (gAMA), its texts (tEXt)",
        ),
        (
            "in/linear.png",
            "a.bmp",
            "the XMP data, what its colours mean (gAMA), its texts (tEXt)",
        ),
        ("in/said.jpg", "b.webp", "its comment"),
        ("in/said.jpg", "b.npy", "the XMP data, its comment"),
    ] {
        let message = stderr(&denoise(root, &[input, "-o", output]));
        let expected = format!("warning: {output} does not keep {lost}\n");
        assert_eq!(message.matches("warning").count(), 1, "{message}");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn contents_and_not_names_choose_formats() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut deep = raster();
    deep.samples = Samples::U16(vec![9000; deep.samples.len()]);
    deep.alpha = Some(Samples::U16(vec![40_000; SIZE[0] * SIZE[1]]));
    let misnamed = [
        ("web.jpg", PictureFormat::Png, raster()),
        ("deep.jpg", PictureFormat::Png, deep.clone()),
        ("scan.png", PictureFormat::Tiff, deep),
        ("photo.png", PictureFormat::Jpeg, raster()),
    ];
    fs::create_dir(root.join("in")).unwrap();
    for (name, format, raster) in &misnamed {
        let bytes = encode_picture(raster, *format, &Attached::default()).unwrap();
        fs::write(root.join("in").join(name), bytes).unwrap();
    }
    assert_eq!(
        summary(&denoise(root, &["in", "-o", "out", "--json"]))["files"],
        4
    );
    for (name, format, raster) in &misnamed {
        let path = root.join("out").join(name);
        assert_eq!(PictureFormat::of_file(&path).unwrap(), *format, "{name}");
        assert_eq!(read_header(&path).unwrap(), raster.header(), "{name}");
    }
    // A name that a person chose says what is wanted.
    assert!(
        denoise(root, &["in/web.jpg", "-o", "chosen.jpg"])
            .status
            .success()
    );
    let chosen = PictureFormat::of_file(&root.join("chosen.jpg")).unwrap();
    assert_eq!(chosen, PictureFormat::Jpeg);
}

#[test]
fn arrays_of_four_axes_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let [height, width] = SIZE;
    let save = |name: &str, axes: &str, sizes: &[usize]| {
        let file = fs::File::create(root.join(name)).unwrap();
        let image = Samples::U8(vec![90; sizes[1..].iter().product()]);
        let axes = axes.parse::<Axes>().unwrap().sized(sizes);
        let mut writer = NpyWriter::new(file, &axes, image.kind()).unwrap();
        writer.write(&image).unwrap();
        writer.write(&image).unwrap();
    };
    save("volume.npy", "NCYX", &[2, 3, height, width]);
    save("movie.npy", "NYXC", &[2, height, width, 3]);
    save("single.npy", "NCYX", &[2, 1, height, width]);
    save("grey.npy", "NYX", &[2, height, width]);
    for (name, axis) in [
        ("volume.npy", Some("second")),
        ("movie.npy", Some("last")),
        ("single.npy", None),
        ("grey.npy", None),
    ] {
        let done = denoise(root, &[name, "-o", "out"]);
        let message = stderr(&done);
        assert!(done.status.success(), "{message}");
        match axis {
            Some(axis) => {
                let expected =
                    format!("{name}: its {axis} axis is taken for 3 channels of 2 images");
                assert!(message.contains(&expected), "{message}");
            }
            None => assert!(!message.contains("warning"), "{message}"),
        }
    }
    let text = n2n(&["data", "inspect"])
        .arg(root.join("volume.npy"))
        .output();
    let text = String::from_utf8(text.unwrap().stdout).unwrap();
    assert!(text.contains("2 images of 3 channels"), "{text}");
}

#[test]
fn a_fourth_sample_of_no_known_kind_stays() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut image = raster();
    let fourth: Vec<u8> = (0..SIZE[0] * SIZE[1])
        .map(|at| (at * 7 % 256) as u8)
        .collect();
    image.alpha = Some(Samples::U8(fourth));
    let unspecified = Attached {
        unspecified_alpha: true,
        ..Attached::default()
    };
    save(&root.join("a.tif"), &image, &unspecified);
    save(&root.join("b.tif"), &image, &Attached::default());
    for (name, told) in [("a.tif", true), ("b.tif", false)] {
        let done = denoise(root, &[name, "-o", "out"]);
        let message = stderr(&done);
        assert!(done.status.success(), "{message}");
        assert_eq!(message.contains("its fourth channel"), told, "{message}");
        let [before, after] = [root.join(name), root.join("out").join(name)];
        assert_eq!(read_header(&before).unwrap(), read_header(&after).unwrap());
        let [before, after] = [before, after].map(|path| {
            let picture = read_picture(&path).unwrap();
            let kept = picture.alpha.clone();
            kept.unwrap_or_else(|| picture.with_last_as_alpha().alpha.unwrap())
        });
        assert_eq!(before, after, "{name}");
    }
}

#[test]
fn a_movie_in_two_files_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let page = raster();
    let header = Header {
        pages: 3,
        ..page.header()
    };
    // As OME-TIFF names both files in each, and cameras write of every frame.
    let described = |file: usize, index: usize| Attached {
        description: Some(format!("part {file} of m0.tif and m1.tif, frame {index}").into_bytes()),
        exif: turned(1 + index as u8).exif.filter(|_| index > 0),
        ..Attached::default()
    };
    fs::create_dir(root.join("in")).unwrap();
    for file in 0..2 {
        let path = root.join(format!("in/m{file}.tif"));
        let mut writer = TiffWriter::new(
            fs::File::create(path).unwrap(),
            &header,
            &described(file, 0),
        )
        .unwrap();
        for index in 0..3 {
            writer.write(&page, &described(file, index)).unwrap();
        }
    }
    let done = denoise(root, &["in", "-o", "out", "--json"]);
    assert!(!stderr(&done).contains("warning"), "{}", stderr(&done));
    assert_eq!(summary(&done)["files"], 2);
    for file in 0..2 {
        let stack = TiffStack::open(&root.join(format!("out/m{file}.tif"))).unwrap();
        assert_eq!(stack.len(), 3);
        for index in 0..3 {
            assert_eq!(stack.attached(index).unwrap(), described(file, index));
        }
    }
}
