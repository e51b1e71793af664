//! Strips and tiles of TIFF in Zstandard, JPEG and WebP.

use std::{fs, path::Path};

use n2n_files::{
    Attached, FileError, PictureFormat, Raster, Samples, encode_picture, read_header, read_picture,
};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tempfile::TempDir;

use crate::tiff_file::{BITS, COMPRESSION, PHOTOMETRIC, Page, SAMPLES, file};

/// Values of tags.
const JPEG: u16 = 7;
const ZSTD: u16 = 50000;
const WEBP: u16 = 50001;
const YCBCR: u16 = 6;
const PREDICTOR: u16 = 317;
const DIFFERENCES: u16 = 2;
const TABLES: u16 = 347;

/// `[width, height]`, both those of a tile.
const SIZE: [u16; 2] = [48, 32];

/// How far a plain colour may be from what it was, after JPEG at the quality written here.
const PLAIN: u8 = 2;

/// A picture of `[channels, 32, 48]`.
fn raster(channels: usize) -> Raster {
    let [width, height] = SIZE.map(usize::from);
    let samples = (0..channels * width * height).map(|at| (at * at / 97 % 251) as u8);
    Raster {
        channels,
        height,
        width,
        samples: Samples::U8(samples.collect()),
        alpha: None,
    }
}

fn read(folder: &Path, page: Page) -> Result<Raster, FileError> {
    let path = folder.join("a.tif");
    fs::write(&path, file(&[page], &[])).unwrap();
    read_picture(&path)
}

fn encoded(raster: &Raster, format: PictureFormat) -> Vec<u8> {
    encode_picture(raster, format, &Attached::default()).unwrap()
}

/// The picture of a file of its own.
fn alone(folder: &Path, bytes: &[u8]) -> Raster {
    let path = folder.join("alone");
    fs::write(&path, bytes).unwrap();
    read_picture(&path).unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

#[test]
fn zstandard_is_read_with_and_without_differences() {
    let folder = TempDir::new().unwrap();
    let [width, height] = SIZE.map(usize::from);
    let numbers: Vec<u16> = (0..width * height).map(|at| (at * 37) as u16).collect();
    for predictor in [1, DIFFERENCES] {
        let mut stored = numbers.clone();
        if predictor == DIFFERENCES {
            for row in stored.chunks_exact_mut(width) {
                for at in (1..width).rev() {
                    row[at] = row[at].wrapping_sub(row[at - 1]);
                }
            }
        }
        let bytes: Vec<u8> = stored.iter().flat_map(|v| v.to_le_bytes()).collect();
        // The last strip has fewer rows.
        let strips = bytes.chunks(2 * width * 10).map(zstd).collect();
        for page in [
            Page::new(SIZE, 10, strips),
            Page::tiled(SIZE, SIZE, zstd(&bytes)),
        ] {
            let page = page
                .shorts(BITS, &[16])
                .shorts(COMPRESSION, &[ZSTD])
                .shorts(PREDICTOR, &[predictor]);
            let read = read(folder.path(), page).unwrap();
            assert_eq!(read.samples, Samples::U16(numbers.clone()), "{predictor}");
        }
    }
}

#[test]
fn webp_in_strips_and_tiles_is_read() {
    let folder = TempDir::new().unwrap();
    let raster = raster(3);
    let bytes = encoded(&raster, PictureFormat::WebP);
    for page in [
        Page::new(SIZE, SIZE[1], vec![bytes.clone()]),
        Page::tiled(SIZE, SIZE, bytes.clone()),
    ] {
        let page = page.rgb().shorts(COMPRESSION, &[WEBP]);
        assert_eq!(read(folder.path(), page).unwrap(), raster);
    }
}

/// The segments of a JPEG that define tables as a stream of their own, and the stream without them.
fn apart(bytes: &[u8]) -> [Vec<u8>; 2] {
    let (mut tables, mut image) = (bytes[..2].to_vec(), bytes[..2].to_vec());
    let mut at = 2;
    // Up to the start of the scan.
    while bytes[at + 1] != 0xda {
        let len = 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        let is_table = matches!(bytes[at + 1], 0xdb | 0xc4);
        let place = if is_table { &mut tables } else { &mut image };
        place.extend(&bytes[at..at + len]);
        at += len;
    }
    tables.extend([0xff, 0xd9]);
    image.extend(&bytes[at..]);
    [tables, image]
}

#[test]
fn jpeg_in_strips_and_tiles_is_read() {
    let folder = TempDir::new().unwrap();
    for channels in [1, 3] {
        let bytes = encoded(&raster(channels), PictureFormat::Jpeg);
        let expected = alone(folder.path(), &bytes);
        let [tables, image] = apart(&bytes);
        for page in [
            Page::new(SIZE, SIZE[1], vec![bytes.clone()]),
            Page::tiled(SIZE, SIZE, bytes.clone()),
            Page::tiled(SIZE, SIZE, image).bytes(TABLES, 7, &tables),
        ] {
            let page = match channels {
                1 => page,
                _ => page.rgb().shorts(PHOTOMETRIC, &[YCBCR]),
            };
            let page = page.shorts(COMPRESSION, &[JPEG]);
            assert_eq!(read(folder.path(), page).unwrap(), expected, "{channels}");
        }
    }
}

#[test]
fn jpeg_of_rgb_is_read_as_stored() {
    let folder = TempDir::new().unwrap();
    let mut plain = raster(3);
    plain.samples = Samples::U8(vec![90; plain.samples.len()]);
    let bytes = encoded(&plain, PictureFormat::Jpeg);
    let page = Page::new(SIZE, SIZE[1], vec![bytes]).rgb();
    let read = read(folder.path(), page.shorts(COMPRESSION, &[JPEG])).unwrap();
    // Brightness, and no colour.
    let Samples::U8(samples) = &read.samples else {
        panic!("bytes");
    };
    for (plane, expected) in samples.chunks(samples.len() / 3).zip([90_u8, 128, 128]) {
        assert!(
            plane
                .iter()
                .all(|&sample| sample.abs_diff(expected) <= PLAIN)
        );
    }
}

#[test]
fn damaged_strips_are_one_error_each() {
    let folder = TempDir::new().unwrap();
    let [width, height] = SIZE.map(usize::from);
    let mut state = 1_u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let noise: Vec<u8> = (0..3 * width * height).map(|_| byte()).collect();
    let whole = [
        (ZSTD, zstd(&noise)),
        (JPEG, encoded(&raster(3), PictureFormat::Jpeg)),
        (WEBP, encoded(&raster(3), PictureFormat::WebP)),
    ];
    for (compression, bytes) in whole {
        for len in [0, 1, 10, bytes.len() / 2] {
            let page = Page::new(SIZE, SIZE[1], vec![bytes[..len].to_vec()]).rgb();
            let error = read(folder.path(), page.shorts(COMPRESSION, &[compression])).unwrap_err();
            assert!(
                matches!(
                    error,
                    FileError::Truncated { .. } | FileError::Malformed { .. }
                ),
                "{compression}, {len}: {error}"
            );
        }
    }
    let short = Page::new(SIZE, SIZE[1], vec![zstd(&noise[1..])]).rgb();
    let error = read(folder.path(), short.shorts(COMPRESSION, &[ZSTD])).unwrap_err();
    assert!(matches!(error, FileError::Truncated { .. }), "{error}");
    // Pictures of another size than the strip.
    for (compression, format) in [(JPEG, PictureFormat::Jpeg), (WEBP, PictureFormat::WebP)] {
        let bytes = encoded(&raster(3), format);
        let page = Page::new([SIZE[0] - 1, SIZE[1]], SIZE[1], vec![bytes]).rgb();
        let error = read(folder.path(), page.shorts(COMPRESSION, &[compression])).unwrap_err();
        assert!(matches!(error, FileError::Malformed { .. }), "{error}");
    }
}

#[test]
fn other_compressions_are_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.tif");
    for (compression, name) in [
        (34925, "LZMA"),
        (34712, "JPEG 2000"),
        (33003, "JPEG 2000"),
        (50002, "JPEG XL"),
        (4, "CCITT"),
        (12345, "compression 12345"),
    ] {
        let page = Page::new(SIZE, SIZE[1], vec![vec![0; 9]]);
        fs::write(
            &path,
            file(&[page.shorts(COMPRESSION, &[compression])], &[]),
        )
        .unwrap();
        let error = read_header(&path).unwrap_err();
        assert!(matches!(error, FileError::Unsupported { .. }), "{error}");
        let told = error.to_string();
        assert!(
            told.contains(name) && told.contains("; save it"),
            "{name}: {told}"
        );
    }
    // JPEG and WebP of other samples than they have.
    for (compression, bits, samples) in [(JPEG, 12, 1), (WEBP, 8, 1)] {
        let page = Page::new(SIZE, SIZE[1], vec![vec![0; 9]])
            .shorts(BITS, &[bits])
            .shorts(SAMPLES, &[samples]);
        let error = read(folder.path(), page.shorts(COMPRESSION, &[compression])).unwrap_err();
        assert!(matches!(error, FileError::Unsupported { .. }), "{error}");
    }
}
