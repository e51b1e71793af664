//! TIFF of samples that are packed: bits that cross bytes, and numbers of colours.

use std::{fs, path::Path};

use n2n_files::{FileError, Raster, Samples, read_header, read_picture};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tempfile::TempDir;

use crate::tiff_file::{BITS, COMPRESSION, PHOTOMETRIC, Page, RGB, SAMPLES, file};

/// Values of tags.
const ZSTD: u16 = 50000;
const WHITE_IS_ZERO: u16 = 0;
const PALETTE: u16 = 3;
const COLOURS: u16 = 320;
const PREDICTOR: u16 = 317;

/// `[width, height]`: rows end within a byte.
const SIZE: [u16; 2] = [19, 7];

fn read(folder: &Path, page: Page) -> Result<Raster, FileError> {
    let path = folder.join("a.tif");
    fs::write(&path, file(&[page], &[])).unwrap();
    read_picture(&path)
}

/// Rows of so many numbers, highest bit first, each row from a new byte on.
fn packed(numbers: &[u16], row: usize, bits: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    for numbers in numbers.chunks_exact(row) {
        let all = numbers
            .iter()
            .flat_map(|number| (0..bits).rev().map(move |bit| number >> bit & 1));
        let all: Vec<u16> = all.collect();
        bytes.extend(all.chunks(8).map(|eight| {
            let shifted = (0..8).map(|at| (eight.get(at).copied().unwrap_or(0) as u8) << (7 - at));
            shifted.sum::<u8>()
        }));
    }
    bytes
}

fn numbers(count: usize, bits: u16) -> Vec<u16> {
    (0..count)
        .map(|at| (at * 977 % (1 << bits)) as u16)
        .collect()
}

#[test]
pub fn bits_that_cross_bytes_keep_their_values() {
    let folder = TempDir::new().unwrap();
    let [width, height] = SIZE.map(usize::from);
    for bits in 9..16 {
        for samples in [1, 3] {
            let numbers = numbers(width * height * samples, bits);
            let row = width * samples;
            let row_bytes = (row * usize::from(bits)).div_ceil(8);
            let bytes = packed(&numbers, row, bits);
            let plain = bytes.chunks(row_bytes * 3).map(<[u8]>::to_vec).collect();
            let zstd = |bytes: &[u8]| compress_to_vec(bytes, CompressionLevel::Fastest);
            let zstd = bytes.chunks(row_bytes * 3).map(zstd).collect();
            for (compression, strips) in [(1, plain), (ZSTD, zstd)] {
                let page = Page::new(SIZE, 3, strips)
                    .shorts(BITS, &vec![bits; samples])
                    .shorts(SAMPLES, &[samples as u16])
                    .shorts(COMPRESSION, &[compression]);
                let page = match samples {
                    1 => page,
                    _ => page.shorts(PHOTOMETRIC, &[RGB]),
                };
                let read = read(folder.path(), page).unwrap();
                let planes = (0..samples)
                    .flat_map(|plane| numbers.iter().skip(plane).step_by(samples).copied());
                let what = format!("{bits} bits, {samples} samples, compression {compression}");
                assert_eq!(read.samples, Samples::U16(planes.collect()), "{what}");
            }
        }
    }
}

#[test]
fn twelve_bits_in_tiles_are_read_and_inverted() {
    let folder = TempDir::new().unwrap();
    let (tile, bits) = ([32, 16], 12);
    let [width, height] = SIZE.map(usize::from);
    let all = numbers(32 * 16, bits);
    let page = Page::tiled(SIZE, tile, packed(&all, 32, bits))
        .shorts(BITS, &[bits])
        .shorts(PHOTOMETRIC, &[WHITE_IS_ZERO]);
    let rows = all.chunks_exact(32).take(height);
    let expected = rows.flat_map(|row| row[..width].iter().map(|number| 0xfff - number));
    let read = read(folder.path(), page).unwrap();
    assert_eq!(read.samples, Samples::U16(expected.collect()));
}

#[test]
fn differences_of_packed_bits_are_refused() {
    let folder = TempDir::new().unwrap();
    let page = Page::new(SIZE, SIZE[1], vec![vec![0; 1000]])
        .shorts(BITS, &[12])
        .shorts(PREDICTOR, &[2]);
    let error = read(folder.path(), page).unwrap_err();
    assert!(
        error.to_string().contains("differences of 12 bits"),
        "{error}"
    );
}

#[test]
fn packed_bits_that_end_early_are_an_error() {
    let folder = TempDir::new().unwrap();
    let page = Page::new(SIZE, SIZE[1], vec![vec![0; 29 * 7 - 1]]).shorts(BITS, &[12]);
    let error = read(folder.path(), page).unwrap_err();
    assert!(matches!(error, FileError::Malformed { .. }), "{error}");
}

#[test]
fn palettes_of_tiff_become_their_colours() {
    let folder = TempDir::new().unwrap();
    let [width, height] = SIZE.map(usize::from);
    for bits in [1, 2, 4, 8] {
        let count = 1_usize << bits;
        let indices = numbers(width * height, bits);
        let colour = |plane: usize, index: u16| (plane * 80 + usize::from(index) * 5 % 80) as u8;
        let expected = (0..3).flat_map(|plane| indices.iter().map(move |&i| colour(plane, i)));
        let expected = Samples::U8(expected.collect());
        // Numbers of 16 bits, and of 8 as some writers have them.
        for scale in [257, 1] {
            let colours = (0..3).flat_map(|plane| {
                (0..count as u16).map(move |index| u16::from(colour(plane, index)) * scale)
            });
            let colours: Vec<u16> = colours.collect();
            let page = Page::new(SIZE, SIZE[1], vec![packed(&indices, width, bits)])
                .shorts(BITS, &[bits])
                .shorts(PHOTOMETRIC, &[PALETTE]);
            let whole = page.clone().shorts(COLOURS, &colours);
            let read_whole = read(folder.path(), whole).unwrap();
            assert_eq!(read_whole.samples, expected, "{bits} bits, times {scale}");
            let header = read_header(&folder.path().join("a.tif")).unwrap();
            assert_eq!(header, read_whole.header());
            let short = page.shorts(COLOURS, &colours[1..]);
            let error = read(folder.path(), short).unwrap_err();
            assert!(error.to_string().contains("palette"), "{error}");
        }
    }
}
