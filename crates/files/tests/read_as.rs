//! The second table of `FORMATS.md`: what is read as something else than it is.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Cursor,
    path::Path,
};

use exr::prelude::{
    AnyChannel, AnyChannels, Encoding, FlatSamples, Image, ImageAttributes, IntegerBounds, Layer,
    LayerAttributes, WritableImage,
};
use n2n_files::{
    Attached, PictureFormat, Raster, SampleKind, Samples, encode_picture, read_attached,
    read_header, read_picture,
};
use png::{BitDepth, ColorType, Encoder};
use tempfile::TempDir;

use crate::{cameras, expected::data, packed, planes, pyramids};

/// Where the table is, and how it begins.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/FORMATS.md");
const START: &str = "| read | as |\n| --- | --- |\n";

/// A grey or RGB picture of 2x2 bytes.
fn raster(channels: usize) -> Raster {
    Raster {
        channels,
        height: 2,
        width: 2,
        samples: Samples::U8((0..4 * channels).map(|at| 40 * at as u8).collect()),
        alpha: None,
    }
}

fn few_bits(_: &Path) {
    for file in [
        "png/grey1.png",
        "png/grey2.png",
        "png/grey4.png",
        "tiff/grey1.tif",
        "tiff/grey4.tif",
    ] {
        assert_eq!(read_header(&data(file)).unwrap().kind, SampleKind::U8);
        let Samples::U8(samples) = read_picture(&data(file)).unwrap().samples else {
            panic!("{file} is not of bytes");
        };
        assert_eq!(samples.iter().max(), Some(&255), "{file}");
    }
}

fn colours(_: &Path) {
    for file in [
        "png/palette2.png",
        "bmp/bits.bmp",
        "tiff/palette.tif",
        "jpeg/cmyk.jpg",
        "tiff/jpeg.tif",
    ] {
        assert_eq!(read_header(&data(file)).unwrap().channels, 3, "{file}");
        assert_eq!(read_picture(&data(file)).unwrap().channels, 3, "{file}");
    }
}

fn zero_is_white(folder: &Path) {
    let file = data("tiff/white-is-zero8.tif");
    let picture = read_picture(&file).unwrap();
    let Samples::U8(before) = &picture.samples else {
        panic!("bytes");
    };
    // As stored: the same file, said to be black where it is 0.
    let mut bytes = fs::read(&file).unwrap();
    let photometric = [0x06, 0x01, 3, 0, 1, 0, 0, 0];
    let tag = bytes
        .windows(8)
        .position(|found| found == photometric)
        .unwrap();
    bytes[tag + 8] = 1;
    let path = folder.join("black.tif");
    fs::write(&path, bytes).unwrap();
    let Samples::U8(stored) = read_picture(&path).unwrap().samples else {
        panic!("bytes");
    };
    assert!(
        stored
            .iter()
            .zip(before)
            .all(|(stored, read)| stored + read == 255)
    );
}

fn transparent_colour(folder: &Path) {
    let path = folder.join("key.png");
    let mut encoder = Encoder::new(File::create(&path).unwrap(), 2, 1);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_trns(vec![0, 7]);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[7, 9]).unwrap();
    writer.finish().unwrap();
    let alpha = read_picture(&path).unwrap().alpha;
    assert_eq!(alpha, Some(Samples::U8(vec![0, 255])));
}

fn fourth_sample(folder: &Path) {
    let path = folder.join("fourth.tif");
    let image = Raster {
        alpha: Some(Samples::U8(vec![1, 2, 3, 4])),
        ..raster(3)
    };
    let attached = Attached {
        unspecified_alpha: true,
        ..Attached::default()
    };
    fs::write(
        &path,
        encode_picture(&image, PictureFormat::Tiff, &attached).unwrap(),
    )
    .unwrap();
    let header = read_header(&path).unwrap();
    assert_eq!((header.channels, header.alpha), (4, false));
    assert!(read_attached(&path).unwrap().unspecified_alpha);
    assert_eq!(read_picture(&path).unwrap().with_last_as_alpha(), image);
}

/// A WebP of several frames, each the picture of a file of one.
fn animated_webp(frames: usize) -> Vec<u8> {
    let still = encode_picture(&raster(3), PictureFormat::WebP, &Attached::default()).unwrap();
    // Behind `RIFF`, the length and `WEBP`.
    let picture = &still[12..];
    let chunk = |name: &[u8; 4], bytes: &[u8]| {
        [&name[..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
    };
    // One less than the width and the height, in 24 bits each.
    let size = [1, 0, 0, 1, 0, 0];
    let animated = 2;
    let mut file = b"WEBP".to_vec();
    file.extend(chunk(b"VP8X", &[&[animated, 0, 0, 0][..], &size].concat()));
    file.extend(chunk(b"ANIM", &[0; 6]));
    for _ in 0..frames {
        let place_size_and_time = [&[0; 6][..], &size, &[10, 0, 0, 0]].concat();
        file.extend(chunk(b"ANMF", &[&place_size_and_time, picture].concat()));
    }
    chunk(b"RIFF", &file)
}

fn animations(folder: &Path) {
    let png = folder.join("moving.png");
    let mut encoder = Encoder::new(File::create(&png).unwrap(), 2, 1);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_animated(3, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for frame in [[1, 2], [3, 4], [5, 6]] {
        writer.write_image_data(&frame).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(read_picture(&png).unwrap().samples, Samples::U8(vec![1, 2]));
    assert_eq!(read_attached(&png).unwrap().unread, ["its other 2 frames"]);
    let webp = folder.join("moving.webp");
    for (frames, told) in [
        (1, None),
        (2, Some("its other frame")),
        (4, Some("its other 3 frames")),
    ] {
        fs::write(&webp, animated_webp(frames)).unwrap();
        let unread = read_attached(&webp).unwrap().unread;
        assert_eq!(unread.first().map(String::as_str), told);
        assert_eq!(read_header(&webp).unwrap().shape(), [3, 2, 2]);
    }
}

fn other_channels(folder: &Path) {
    let layer = |name: &str, channels: &[&str]| {
        let channel = |name: &&str| AnyChannel::new(*name, FlatSamples::F32(vec![0.5; 6]));
        let channels: Vec<_> = channels.iter().map(channel).collect();
        Layer::new(
            (3, 2),
            LayerAttributes::named(name),
            Encoding::UNCOMPRESSED,
            AnyChannels::sort(channels.into()),
        )
    };
    let path = folder.join("layers.exr");
    for (layers, told) in [
        (
            vec![layer("beauty", &["R", "G", "B", "Z"])],
            vec!["its channel Z"],
        ),
        (
            vec![layer("beauty", &["R", "G", "B"]), layer("depth", &["Z"])],
            vec!["its other layer"],
        ),
        (vec![layer("beauty", &["R", "G", "B"])], vec![]),
    ] {
        let bounds = IntegerBounds::from_dimensions((3, 2));
        let image = Image::from_layers(ImageAttributes::new(bounds), layers);
        let mut file = Cursor::new(Vec::new());
        image.write().to_buffered(&mut file).unwrap();
        fs::write(&path, file.into_inner()).unwrap();
        assert_eq!(read_header(&path).unwrap().channels, 3);
        let attached = read_attached(&path).unwrap();
        assert_eq!(PictureFormat::Exr.leaves_out(&attached, 3), [""; 0]);
        assert_eq!(PictureFormat::Tiff.leaves_out(&attached, 3), told);
    }
}

fn refused(folder: &Path) {
    let gif = folder.join("a.gif");
    fs::write(&gif, b"GIF89a and more than sixteen bytes").unwrap();
    for file in [data("tiff/cmyk.tif"), gif] {
        let error = read_picture(&file).unwrap_err().to_string();
        assert!(
            error.contains("save it") || error.contains("expected PNG"),
            "{error}"
        );
    }
}

#[test]
fn the_document_says_what_is_read_as_something_else() {
    let rows: HashMap<&str, fn(&Path)> = HashMap::from([
        ("PNG and TIFF of 1, 2 or 4 bits", few_bits as fn(&Path)),
        (
            "palettes of PNG, BMP and TIFF, CMYK of JPEG, YCbCr of TIFF in JPEG",
            colours,
        ),
        ("TIFF of 9 to 15 bits", |_| {
            packed::bits_that_cross_bytes_keep_their_values();
        }),
        ("TIFF in which 0 is white", zero_is_white),
        ("a transparent colour of PNG", transparent_colour),
        (
            "RGB of TIFF with a fourth sample of no stated kind",
            fourth_sample,
        ),
        ("animations of PNG and WebP", animations),
        ("OpenEXR with other channels or layers", other_channels),
        ("TIFF with smaller images of the first one", |_| {
            pyramids::the_largest_of_several_sizes_is_read();
        }),
        (
            "TIFF of ImageJ with many planes behind one directory",
            |_| planes::planes_behind_one_directory_are_pages(),
        ),
        ("raw files of cameras", |_| {
            cameras::raw_files_are_told_by_what_they_hold();
        }),
        ("CMYK of TIFF, and YCbCr of other TIFF; GIF", refused),
    ]);
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (_, table) = document.split_once(START).expect("the head of the table");
    let folder = TempDir::new().unwrap();
    let mut checked = 0;
    for line in table.lines().take_while(|line| line.starts_with('|')) {
        let row = line.split('|').nth(1).unwrap_or_default().trim();
        let check = rows
            .get(row)
            .unwrap_or_else(|| panic!("nothing checks the row {row}"));
        check(folder.path());
        checked += 1;
    }
    assert_eq!(checked, rows.len(), "rows of {DOCUMENT}");
}
