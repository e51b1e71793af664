//! TIFF of fewer than 8 bits looks as its tags say: which number is white, and which bit comes first.

use std::{fs, path::Path};

use n2n_files::{FileError, Samples, read_picture};
use tempfile::TempDir;

/// Rows end within a byte.
const SIZE: [usize; 2] = [7, 19];

/// Values of tags.
const WHITE_IS_ZERO: u32 = 0;
const BLACK_IS_ZERO: u32 = 1;
const HIGHEST_BIT_FIRST: u32 = 1;
const LOWEST_BIT_FIRST: u32 = 2;
const UNCOMPRESSED: u32 = 1;
const LZW: u32 = 5;

/// The number of a pixel, of this many bits.
fn number(at: usize, bits: u32) -> u8 {
    ((at * at / 3 + at) % (1 << bits)) as u8
}

/// A file of one strip of grey, or of one tile that is wider and higher than the image.
fn file(bits: u32, white: u32, order: u32, compression: u32, tiled: bool) -> Vec<u8> {
    let [height, width] = SIZE;
    let [rows, columns] = if tiled { [16, 32] } else { SIZE };
    let mut data = Vec::new();
    for y in 0..rows {
        let mut row = vec![0_u8; (columns * bits as usize).div_ceil(8)];
        for x in (0..width).filter(|_| y < height) {
            for bit in 0..bits as usize {
                let place = x * bits as usize + bit;
                let set = number(y * width + x, bits) >> (bits as usize - 1 - bit) & 1;
                row[place / 8] |= set << (7 - place % 8);
            }
        }
        if order == LOWEST_BIT_FIRST {
            row.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        data.extend(row);
    }
    let mut tags = vec![
        (256, width as u32),
        (257, height as u32),
        (258, bits),
        (259, compression),
        (262, white),
        (266, order),
        (277, 1),
    ];
    let start = |tags: usize| (8 + 2 + 12 * tags + 4) as u32;
    if tiled {
        let place = start(tags.len() + 4);
        tags.extend([(322, 32), (323, 16), (324, place), (325, data.len() as u32)]);
    } else {
        let place = start(tags.len() + 3);
        tags.extend([(273, place), (278, height as u32), (279, data.len() as u32)]);
        tags.sort_unstable();
    }
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend((tags.len() as u16).to_le_bytes());
    for (tag, value) in tags {
        file.extend((tag as u16).to_le_bytes());
        // One number of 32 bits.
        file.extend([4, 0, 1, 0, 0, 0]);
        file.extend(value.to_le_bytes());
    }
    [file, vec![0; 4], data].concat()
}

fn read(path: &Path, file: &[u8]) -> Result<Samples, FileError> {
    fs::write(path, file).unwrap();
    read_picture(path).map(|picture| picture.samples)
}

#[test]
fn few_bits_look_as_their_tags_say() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bits.tif");
    for bits in [1, 2, 4] {
        for white in [WHITE_IS_ZERO, BLACK_IS_ZERO] {
            let most = u8::MAX >> (8 - bits);
            let pixels = (0..SIZE[0] * SIZE[1]).map(|at| {
                let sample = number(at, bits) * (u8::MAX / most);
                if white == WHITE_IS_ZERO {
                    u8::MAX - sample
                } else {
                    sample
                }
            });
            let expected = Samples::U8(pixels.collect());
            for order in [HIGHEST_BIT_FIRST, LOWEST_BIT_FIRST] {
                for tiled in [false, true] {
                    let file = file(bits, white, order, UNCOMPRESSED, tiled);
                    let what = format!("{bits} bits, white {white}, order {order}, tiled {tiled}");
                    assert_eq!(read(&path, &file).unwrap(), expected, "{what}");
                }
            }
        }
    }
}

#[test]
fn turned_bits_of_other_kinds_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bits.tif");
    for (bits, compression) in [(1, LZW), (8, UNCOMPRESSED)] {
        let file = file(bits, BLACK_IS_ZERO, LOWEST_BIT_FIRST, compression, false);
        let error = read(&path, &file).unwrap_err().to_string();
        assert!(error.contains("turned around"), "{error}");
    }
}
