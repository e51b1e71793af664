//! Texts beside the arrays of an archive.

use std::{io::Cursor, path::Path};

use n2n_files::{FileError, read_npz};
use zip::CompressionMethod;

use crate::hostile::{npy, npz};

/// An array of a text, as NumPy saves it.
fn text(text: &str) -> Vec<u8> {
    let header = format!(
        "{{'descr': '<U{}', 'fortran_order': False, 'shape': (), }}",
        text.len()
    );
    let letters = text
        .chars()
        .flat_map(|letter| u32::from(letter).to_le_bytes());
    npy(&header, &letters.collect::<Vec<_>>())
}

fn bytes(shape: &[usize]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let header = format!(
        "{{'descr': '|u1', 'fortran_order': False, 'shape': ({}), }}",
        sizes.join(", ")
    );
    npy(&header, &vec![7; shape.iter().product()])
}

#[test]
fn texts_beside_arrays_are_passed_over() {
    let array = bytes(&[4, 1, 9, 8]);
    let archive = npz(
        CompressionMethod::Stored,
        &[
            ("X.npy", &array),
            ("Y.npy", &array),
            ("axes.npy", &text("SCYX")),
            ("comment.npy", &text("two cameras")),
        ],
    );
    let arrays = read_npz(Cursor::new(archive), Path::new("a.npz")).unwrap();
    let names: Vec<_> = arrays.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["X", "Y"]);
    for (_, array) in arrays {
        let letters: String = array.axes().iter().map(|(axis, _)| axis.letter()).collect();
        assert_eq!(letters, "NCYX");
    }
}

#[test]
fn axes_that_an_archive_says_are_held_to() {
    for (shape, axes, agree) in [
        (&[4, 1, 9, 8][..], "SCYX", true),
        (&[4, 9, 8, 3], "SYXC", true),
        (&[4, 9, 8, 3], "TYXC", true),
        (&[4, 9, 8], "ZYX", true),
        (&[4, 9, 8], "SCYX", true),
        (&[4, 3, 9, 8], "SYXC", false),
        (&[3, 9, 8], "CYX", false),
    ] {
        let (array, said) = (bytes(shape), text(axes));
        let entries: [(&str, &[u8]); 2] = [("X.npy", &array), ("axes.npy", &said)];
        let archive = npz(CompressionMethod::Deflated, &entries);
        let read = read_npz(Cursor::new(archive), Path::new("a.npz"));
        assert_eq!(read.is_ok(), agree, "{axes} {shape:?}");
        if let Some(error) = read.err() {
            assert!(matches!(error, FileError::Unsupported { .. }), "{error}");
            assert!(error.to_string().contains(axes), "{error}");
        }
    }
}

#[test]
fn an_archive_of_texts_alone_holds_no_image() {
    let archive = npz(CompressionMethod::Stored, &[("axes.npy", &text("YX"))]);
    let read = read_npz(Cursor::new(archive), Path::new("a.npz"));
    assert!(matches!(read.err(), Some(FileError::Empty { .. })));
}
