//! Sound files of other things are refused with what they hold and a way out.

use std::fs;

use n2n_files::{FileError, Stack, TiffStack, read_header, read_picture, refusal};
use tempfile::TempDir;

use crate::expected::{data, open_stacks};

#[test]
fn other_pictures_are_refused_with_what_they_hold() {
    for (file, found) in [
        ("tiff/complex64.tif", "64-bit numbers of an unknown kind"),
        (
            "tiff/inverted-alpha.tif",
            "2 samples per pixel of 8 bits and WhiteIsZero",
        ),
        (
            "tiff/bands65.tif",
            "65 samples per pixel of 8 bits and BlackIsZero",
        ),
        ("tiff/cmyk.tif", "CMYK"),
        ("exr/uint.exr", "32-bit integers"),
        ("exr/depth.exr", "no layer of plain colours"),
    ] {
        for error in [
            read_header(&data(file)).unwrap_err(),
            read_picture(&data(file)).unwrap_err(),
        ] {
            let FileError::Unsupported { found: told, .. } = &error else {
                panic!("{error}");
            };
            assert!(told.contains(found), "{error}");
            assert!(error.to_string().contains("; save it"), "{error}");
        }
    }
}

#[test]
fn other_arrays_are_refused_with_what_they_hold() {
    for (file, found) in [
        ("bool", "|b1"),
        ("complex64", "<c8"),
        ("text", "<U2"),
        ("records", "structured records"),
        ("object", "|O"),
        ("zero-axes", "shape []"),
        ("one-axis", "shape [5]"),
        ("five-axes", "shape [2, 3, 2, 7, 5]"),
        ("six-channels", "shape [2, 6, 5, 7]"),
        ("empty", "no image"),
    ] {
        let path = data(&format!("npy/refused-{file}.npy"));
        let error = open_stacks(&path).err().unwrap();
        let message = error.to_string();
        assert!(
            message.contains(found) && message.contains(path.to_str().unwrap()),
            "{message}"
        );
        assert!(
            matches!(
                error,
                FileError::ArrayType { .. }
                    | FileError::ArrayShape { .. }
                    | FileError::Empty { .. }
            ),
            "{message}"
        );
    }
}

#[test]
fn pages_that_differ_are_named() {
    let error = TiffStack::open(&data("tiff/pages-of-two-shapes.tif"))
        .err()
        .unwrap();
    assert!(
        matches!(
            error,
            FileError::PagesDiffer {
                page: 2,
                found: [1, 5, 7],
                expected: [1, 7, 5],
                ..
            }
        ),
        "{error}"
    );
    let error = TiffStack::open(&data("tiff/pages-of-two-kinds.tif"))
        .err()
        .unwrap();
    assert!(error.to_string().contains("page 1"), "{error}");
    assert!(error.to_string().contains("of uint16"), "{error}");
    // One page at a time, any of them is a picture.
    assert_eq!(
        read_header(&data("tiff/pages-of-two-shapes.tif"))
            .unwrap()
            .pages,
        3
    );
}

#[test]
fn the_format_is_told_by_the_first_bytes() {
    let folder = TempDir::new().unwrap();
    let misnamed = folder.path().join("photo.png");
    fs::copy(data("jpeg/rgb.jpg"), &misnamed).unwrap();
    assert_eq!(
        read_picture(&misnamed).unwrap(),
        read_picture(&data("jpeg/rgb.jpg")).unwrap()
    );

    for (name, bytes) in [
        ("empty.png", &b""[..]),
        ("text.png", b"no picture at all, but text"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        for error in [
            read_header(&path).unwrap_err(),
            read_picture(&path).unwrap_err(),
        ] {
            assert!(matches!(error, FileError::NotPicture { .. }), "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}

#[test]
fn formats_of_microscopes_name_their_export() {
    let folder = TempDir::new().unwrap();
    for (name, bytes, export) in [
        ("cells.czi", &b"ZISRAWFILE\0\0\0\0\0\0"[..], "in ZEN"),
        ("cells.nd2", b"\xda\xce\xbe\x0a\0\0\0\x10", "NIS-Elements"),
        ("cells.lif", b"p\0\0\0\x10\0\0\0*", "in LAS X"),
        ("photo.png", b"\0\0\0\x18ftypheic", "PNG or TIFF"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let refused = refusal(&path).unwrap();
        for error in [
            refused,
            read_header(&path).unwrap_err(),
            read_picture(&path).unwrap_err(),
        ] {
            assert!(matches!(error, FileError::Unsupported { .. }), "{error}");
            let message = error.to_string();
            assert!(
                message.contains(name) && message.contains(export),
                "{error}"
            );
        }
    }
    for known in [data("jpeg/rgb.jpg"), folder.path().to_owned()] {
        assert!(refusal(&known).is_none(), "{}", known.display());
    }
}

#[test]
fn missing_files_and_folders_are_errors_of_the_system() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    for ending in ["tif", "npy", "npz", "bin", "pkl"] {
        let path = missing.with_extension(ending);
        let error = open_stacks(&path).err().unwrap();
        assert!(matches!(error, FileError::Io { .. }), "{error}");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
    for path in [&*missing, folder.path()] {
        let error = read_picture(path).unwrap_err();
        assert!(matches!(error, FileError::Io { .. }), "{error}");
    }
}

#[test]
#[should_panic(expected = "index 4 of a stack of 4 images")]
fn an_index_beyond_the_end_panics() {
    let _ = TiffStack::open(&data("tiff/pages-grey16.tif"))
        .unwrap()
        .read(4);
}
