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
