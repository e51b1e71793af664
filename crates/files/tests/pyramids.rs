//! Of an image in several sizes the largest is read, and the others are told.

use std::fs;

use n2n_files::{FileError, Samples, Stack, TiffStack, read_attached, read_header, read_picture};
use tempfile::TempDir;

use crate::tiff_file::{NEW_SUBFILE_TYPE, Page, file};

const REDUCED: u16 = 1;

/// A grey page of one value.
fn page(size: [u16; 2], value: u8) -> Page {
    let len = usize::from(size[0]) * usize::from(size[1]);
    Page::new(size, size[1], vec![vec![value; len]])
}

fn reduced(size: [u16; 2], value: u8) -> Page {
    page(size, value).shorts(NEW_SUBFILE_TYPE, &[REDUCED])
}

#[test]
pub fn the_largest_of_several_sizes_is_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("slide.tif");
    for (what, pages, count, left) in [
        (
            "halved",
            vec![page([13, 9], 5), page([7, 5], 1), page([4, 3], 2)],
            1,
            2,
        ),
        (
            "a thumbnail, a level and a label that say so",
            vec![
                page([13, 9], 5),
                reduced([3, 2], 1),
                reduced([12, 8], 2),
                reduced([2, 9], 3),
            ],
            1,
            3,
        ),
        (
            "a thumbnail before it",
            vec![reduced([4, 3], 1), page([13, 9], 5)],
            1,
            1,
        ),
        (
            "levels of two images",
            vec![
                page([13, 9], 5),
                page([13, 9], 5),
                page([6, 4], 1),
                page([6, 4], 2),
            ],
            2,
            2,
        ),
    ] {
        fs::write(&path, file(&pages, &[])).unwrap();
        let header = read_header(&path).unwrap();
        assert_eq!(
            (header.pages, header.shape()),
            (count, [1, 9, 13]),
            "{what}"
        );
        let expected = Samples::U8(vec![5; 13 * 9]);
        assert_eq!(read_picture(&path).unwrap().samples, expected, "{what}");
        let stack = TiffStack::open(&path).unwrap();
        assert_eq!(stack.len(), count, "{what}");
        assert_eq!(stack.read(count - 1).unwrap().samples, expected, "{what}");
        let told = read_attached(&path).unwrap().unread.join(", ");
        assert!(told.contains(&format!("in {left} of")), "{what}: {told}");
    }
}

#[test]
fn other_levels_are_read_when_asked_for() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("slide.tif");
    let as_pages = [
        page([13, 9], 5),
        reduced([4, 3], 3),
        reduced([7, 5], 2),
        // A label, of other proportions.
        reduced([2, 9], 9),
    ];
    let below = |value: u8| {
        page([13, 9], value)
            .with_below(reduced([7, 5], value - 3))
            .with_below(reduced([4, 3], value - 2))
    };
    for (pages, count) in [(&as_pages[..], 1), (&[below(5), below(15)], 2)] {
        fs::write(&path, file(pages, &[])).unwrap();
        for (level, [width, height], value) in [(0, [13, 9], 5), (1, [7, 5], 2), (2, [4, 3], 3)] {
            let stack = TiffStack::open_level(&path, level).unwrap();
            assert_eq!((stack.len(), stack.shape()), (count, [1, height, width]));
            for index in 0..count {
                let expected = Samples::U8(vec![value + 10 * index as u8; width * height]);
                assert_eq!(stack.read(index).unwrap().samples, expected, "{level}");
                stack.attached(index).unwrap();
            }
        }
        let error = TiffStack::open_level(&path, 3).err().unwrap();
        assert!(
            matches!(
                error,
                FileError::Level {
                    level: 3,
                    found: 3,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn smaller_images_without_end_are_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("slide.tif");
    let small = reduced([7, 5], 2);
    let pages = [page([13, 9], 5).with_below(small.clone()).with_below(small)];
    let mut bytes = file(&pages, &[]);
    // Many places of smaller images, all of them of the first one.
    let tag = bytes
        .windows(2)
        .position(|tag| tag == 330_u16.to_le_bytes());
    let tag = tag.unwrap();
    let first = u32::from_le_bytes(*bytes[tag + 8..].first_chunk().unwrap()) as usize;
    let first = bytes[first..first + 4].to_vec();
    let place = bytes.len() as u32;
    bytes[tag + 4..tag + 8].copy_from_slice(&1000_u32.to_le_bytes());
    bytes[tag + 8..tag + 12].copy_from_slice(&place.to_le_bytes());
    bytes.extend(first.repeat(1000));
    fs::write(&path, bytes).unwrap();
    let error = TiffStack::open_level(&path, 1).err().unwrap();
    assert!(matches!(error, FileError::Malformed { .. }), "{error}");
}

#[test]
fn pages_that_are_no_smaller_images_stay() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pages.tif");
    for other in [[5, 9], [9, 13], [12, 8], [26, 18]] {
        fs::write(&path, file(&[page([13, 9], 5), page(other, 1)], &[])).unwrap();
        let error = TiffStack::open(&path).err().unwrap();
        assert!(
            matches!(error, FileError::PagesDiffer { page: 1, .. }),
            "{error}"
        );
        assert_eq!(read_attached(&path).unwrap().unread, [""; 0]);
    }
    // All of them say that they are smaller ones, and of one that is not there.
    fs::write(
        &path,
        file(&[reduced([13, 9], 5), reduced([13, 9], 6)], &[]),
    )
    .unwrap();
    assert_eq!(TiffStack::open(&path).unwrap().len(), 2);
}
