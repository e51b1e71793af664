//! Planes that follow each other behind one directory, as ImageJ writes large stacks.

use std::{fs, path::PathBuf};

use n2n_files::{FileError, Samples, Stack, TiffStack, read_attached, read_header, read_picture};
use tempfile::TempDir;

use crate::tiff_file::{BITS, COMPRESSION, DESCRIPTION, Page, file};

const SIZE: [u16; 2] = [5, 3];
const LEN: usize = 15;
const PLANES: usize = 12;
const TEXT: &str = "ImageJ=1.54f\nimages=12\nslices=3\nframes=4\nhyperstack=true\n\0";

/// Numbers of 16 bits, each another.
fn numbers(planes: usize) -> Vec<u16> {
    (0..(planes * LEN) as u16).map(|at| 300 * at).collect()
}

fn bytes(numbers: &[u16]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// A directory of the first plane in so many strips, with all others behind.
fn stack(folder: &TempDir, strips: usize, planes: usize) -> PathBuf {
    let bytes = bytes(&numbers(planes));
    let (first, others) = bytes.split_at(2 * LEN);
    let strips: Vec<_> = first.chunks(2 * LEN / strips).map(<[u8]>::to_vec).collect();
    let page = Page::new(SIZE, SIZE[1] / strips.len() as u16, strips)
        .shorts(BITS, &[16])
        .bytes(DESCRIPTION, 2, TEXT.as_bytes());
    let path = folder.path().join("stack.tif");
    fs::write(&path, file(&[page], others)).unwrap();
    path
}

#[test]
pub fn planes_behind_one_directory_are_pages() {
    let folder = TempDir::new().unwrap();
    for strips in [1, 3] {
        let path = stack(&folder, strips, PLANES);
        assert_eq!(read_header(&path).unwrap().pages, PLANES);
        let stack = TiffStack::open(&path).unwrap();
        assert_eq!((stack.len(), stack.shape()), (PLANES, [1, 3, 5]));
        for (index, expected) in numbers(PLANES).chunks(LEN).enumerate() {
            let expected = Samples::U16(expected.to_vec());
            assert_eq!(stack.read(index).unwrap().samples, expected, "{index}");
            let description = stack.attached(index).unwrap().description;
            let text = (index == 0).then(|| TEXT.trim_end_matches('\0').into());
            assert_eq!(description, text, "{index}");
        }
        assert_eq!(read_attached(&path).unwrap().unread, [""; 0]);
    }
}

#[test]
fn a_plane_without_the_others_is_one_page() {
    let folder = TempDir::new().unwrap();
    let path = stack(&folder, 1, 1);
    assert_eq!(read_header(&path).unwrap().pages, 1);
    let expected = Samples::U16(numbers(1));
    assert_eq!(read_picture(&path).unwrap().samples, expected);
    let told = read_attached(&path).unwrap().unread.join(", ");
    assert!(told.contains("11 planes"), "{told}");
}

#[test]
fn planes_that_are_cut_off_are_an_error() {
    let folder = TempDir::new().unwrap();
    let path = stack(&folder, 1, PLANES);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let error = read_header(&path).unwrap_err();
    assert!(matches!(error, FileError::Truncated { .. }), "{error}");
    assert!(error.to_string().contains("plane 12 of 12"), "{error}");
}

#[test]
fn compressed_pages_have_no_planes_behind_them() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("stack.tif");
    let pack_bits = 32773;
    // Each run of five equal bytes is a row.
    let page = Page::new(SIZE, SIZE[1], vec![vec![252, 7, 252, 8, 252, 9]])
        .shorts(COMPRESSION, &[pack_bits])
        .bytes(DESCRIPTION, 2, TEXT.as_bytes());
    fs::write(&path, file(&[page], &[0; 1000])).unwrap();
    assert_eq!(read_header(&path).unwrap().pages, 1);
}
