//! Files that people have images in and that are not read here: what they are, and how to export them.
//!
//! Microscopes write formats of their makers, which change with each version of a maker's program. That
//! program, or Bio-Formats, saves what is read here.

use std::{io::Read, path::Path};

use crate::{
    FileError,
    input::{open_file, unsupported},
    tiff,
};

/// Bytes from the start of a file that tell its format.
const START: u64 = 512;

/// What a file of a format says of itself, and what to do with it.
struct Foreign {
    /// Bytes of the file, and where they stand.
    mark: (usize, &'static [u8]),
    name: &'static str,
    way_out: &'static str,
}

/// For formats of which Bio-Formats is the way out.
const CONVERT: &str =
    "export it as OME-TIFF in the program that wrote it, or with bfconvert of Bio-Formats";

/// A movie, or pictures in the container of one.
const IN_BOXES: (usize, &[u8]) = (4, b"ftyp");

/// The formats; where the marks of two are in a file, it is of the first one.
static FORMATS: [Foreign; 17] = [
    Foreign {
        mark: (0, b"ZISRAWFILE"),
        name: "images of a Zeiss microscope (CZI)",
        way_out: "export it as OME-TIFF in ZEN, or with bfconvert of Bio-Formats",
    },
    Foreign {
        mark: (0, &[0xda, 0xce, 0xbe, 0x0a]),
        name: "images of a Nikon microscope (ND2)",
        way_out: "export it as TIFF in NIS-Elements, or as OME-TIFF with bfconvert of Bio-Formats",
    },
    Foreign {
        mark: (0, b"\0\0\0\x0cjP  "),
        name: "JPEG 2000",
        way_out: "save it as TIFF; if it is an old ND2 file, in NIS-Elements or with bfconvert of Bio-Formats",
    },
    Foreign {
        mark: (0, &[0xff, 0x4f, 0xff, 0x51]),
        name: "JPEG 2000",
        way_out: "save it as TIFF",
    },
    Foreign {
        mark: (0, b"p\0\0\0"),
        name: "images of a Leica microscope (LIF)",
        way_out: "export it as OME-TIFF in LAS X, or with bfconvert of Bio-Formats",
    },
    Foreign {
        mark: (0, &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]),
        name: "a compound file, as some microscopes write (OIB, ZVI)",
        way_out: CONVERT,
    },
    Foreign {
        mark: (0, b"\x89HDF\r\n\x1a\n"),
        name: "HDF5 (Imaris, BigDataViewer and others)",
        way_out: "export it as OME-TIFF or OME-Zarr, or save its array as .npy with h5py",
    },
    Foreign {
        mark: (0, b"\0\0\0\x03"),
        name: "an image of Gatan's DigitalMicrograph (DM3)",
        way_out: "export it as MRC or TIFF, in that program or with dm2mrc of IMOD",
    },
    Foreign {
        mark: (0, b"\0\0\0\x04"),
        name: "an image of Gatan's DigitalMicrograph (DM4)",
        way_out: "export it as MRC or TIFF, in that program or with dm2mrc of IMOD",
    },
    Foreign {
        mark: (128, b"DICM"),
        name: "DICOM",
        way_out: "save its images as TIFF or .npy, for example with pydicom",
    },
    Foreign {
        mark: (344, b"n+1\0"),
        name: "NIfTI",
        way_out: "save its volume as .npy, for example with nibabel",
    },
    Foreign {
        mark: (4, b"ftyphei"),
        name: "HEIC",
        way_out: "save it as PNG or TIFF",
    },
    Foreign {
        mark: (4, b"ftypavif"),
        name: "AVIF",
        way_out: "save it as PNG or TIFF",
    },
    Foreign {
        mark: (4, b"ftypmif1"),
        name: "HEIF",
        way_out: "save it as PNG or TIFF",
    },
    Foreign {
        mark: IN_BOXES,
        name: "a movie",
        way_out: "save its frames as pictures: ffmpeg -i MOVIE FOLDER/%06d.png",
    },
    Foreign {
        mark: (8, b"AVI LIST"),
        name: "a movie",
        way_out: "save its frames as pictures: ffmpeg -i MOVIE FOLDER/%06d.png",
    },
    Foreign {
        mark: (0, b"GIF8"),
        name: "GIF",
        way_out: "save its images as PNG",
    },
];

impl Foreign {
    fn of_start(start: &[u8]) -> Option<&'static Self> {
        FORMATS.iter().find(|format| {
            let (place, mark) = format.mark;
            start
                .get(place..)
                .is_some_and(|rest| rest.starts_with(mark))
        })
    }
}

/// Why a file is not read, if it holds images in a format that is known for it: of a camera, a microscope or a
/// movie. The error names the format and the way out.
pub fn refusal(path: &Path) -> Option<FileError> {
    if tiff::is_named_raw(path) {
        return Some(tiff::raw(path));
    }
    let mut start = Vec::new();
    let file = open_file(path).ok()?;
    file.take(START).read_to_end(&mut start).ok()?;
    let format = Foreign::of_start(&start)?;
    Some(unsupported(path, format.name, format.way_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_told_by_its_mark() {
        for (at, format) in FORMATS.iter().enumerate() {
            let (place, mark) = format.mark;
            let mut start = vec![1; place];
            start.extend(mark);
            start.extend([1; 9]);
            let found = Foreign::of_start(&start).unwrap();
            assert!(std::ptr::eq(found, &FORMATS[at]), "{}", format.name);
            let cut = &start[..place + mark.len() - 1];
            let found = Foreign::of_start(cut);
            // A movie's mark is the start of more special ones.
            assert!(
                found.is_none_or(|found| found.mark == IN_BOXES),
                "{}",
                format.name
            );
        }
    }
}
