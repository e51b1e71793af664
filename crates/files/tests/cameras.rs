//! Raw files of cameras are refused, and never their previews taken for them.

use std::fs;

use n2n_files::{FileError, TiffStack, read_attached, read_header, read_picture};
use tempfile::TempDir;

use crate::tiff_file::{NEW_SUBFILE_TYPE, PHOTOMETRIC, Page, file};

/// Values of tags.
const REDUCED: u16 = 1;
const MOSAIC: u16 = 32803;
const LINEAR: u16 = 34892;
const DNG_VERSION: u16 = 50706;

fn preview() -> Page {
    Page::new([2, 2], 2, vec![vec![9; 12]]).rgb()
}

fn sensor() -> Page {
    Page::new([4, 4], 4, vec![vec![7; 16]])
}

/// The errors of all readers.
fn errors(name: &str, pages: &[Page]) -> Vec<FileError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, file(pages, &[])).unwrap();
    [
        read_header(&path).err(),
        read_picture(&path).err(),
        read_attached(&path).err(),
        TiffStack::open(&path).err(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
pub fn raw_files_are_told_by_what_they_hold() {
    let small = preview().shorts(NEW_SUBFILE_TYPE, &[REDUCED]);
    let mosaic = sensor().shorts(PHOTOMETRIC, &[MOSAIC]);
    for (what, page) in [
        (
            "the version of DNG",
            preview().bytes(DNG_VERSION, 1, &[1, 4, 0, 0]),
        ),
        ("a mosaic", mosaic.clone()),
        (
            "colours of a sensor",
            preview().shorts(PHOTOMETRIC, &[LINEAR]),
        ),
        ("a mosaic below", preview().with_below(mosaic)),
        ("a full image below", small.with_below(sensor())),
    ] {
        let errors = errors("photo.tif", &[page]);
        assert_eq!(errors.len(), 4, "{what}");
        for error in errors {
            assert!(
                matches!(error, FileError::CameraRaw { .. }),
                "{what}: {error}"
            );
            assert!(error.to_string().contains("16 bits"), "{error}");
        }
    }
}

#[test]
fn raw_files_are_told_by_the_names_makers_give() {
    for name in ["a.NEF", "a.cr2", "a.arw", "a.dng"] {
        let errors = errors(name, &[preview()]);
        assert_eq!(errors.len(), 4, "{name}");
        for error in errors {
            assert!(matches!(error, FileError::CameraRaw { .. }), "{error}");
        }
    }
}

#[test]
fn raw_files_are_told_by_their_first_bytes() {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in [
        ("a.raf", &b"FUJIFILMCCD-RAW 0201"[..]),
        ("a.tif", b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = read_picture(&path).unwrap_err();
        assert!(matches!(error, FileError::CameraRaw { .. }), "{error}");
    }
}

#[test]
fn small_images_below_a_full_one_are_no_raw_file() {
    let small = sensor().shorts(NEW_SUBFILE_TYPE, &[REDUCED]);
    let found = errors("photo.tif", &[preview().with_below(small)]);
    assert!(found.is_empty(), "{found:?}");
}
