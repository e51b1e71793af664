//! Files that people have images in and that are not read here: what they are, and how to export them.
//!
//! Microscopes write formats of their makers, which change with each version of a maker's program. That
//! program, or Bio-Formats, saves what is read here.

use std::{io::Read, path::Path};

use crate::{
    FileError,
    input::{has_extension, open_file, unsupported},
    tiff,
};

/// Bytes from the start of a file that tell its format.
const START: u64 = 512;

/// What a file of a format says of itself, and what to do with it.
struct Foreign {
    /// Bytes of the file, and where they stand.
    mark: (usize, &'static [u8]),
    /// How its name ends, where the mark alone tells too little.
    ending: Option<&'static str>,
    name: &'static str,
    way_out: &'static str,
}

const SAVE: &str = "save it as PNG or TIFF";
const FRAMES: &str = "save its frames as pictures: ffmpeg -i MOVIE FOLDER/%06d.png";
const GATAN: &str = "export it as MRC or TIFF, in that program or with dm2mrc of IMOD";

const BIO_FORMATS: &str = "export it as OME-TIFF with bfconvert of Bio-Formats";

/// A movie, or pictures in the container of one.
const IN_BOXES: &[u8] = b"ftyp";

/// A file of files, which may hold anything.
const COMPOUND: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// The formats; where the marks of two are in a file, it is of the first one.
static FORMATS: [Foreign; 17] = [
    format(
        0,
        b"ZISRAWFILE",
        "images of a Zeiss microscope (CZI)",
        "export it as OME-TIFF in ZEN, or with bfconvert of Bio-Formats",
    ),
    format(
        0,
        &[0xda, 0xce, 0xbe, 0x0a],
        "images of a Nikon microscope (ND2)",
        "export it as TIFF in NIS-Elements, or as OME-TIFF with bfconvert of Bio-Formats",
    ),
    format(
        0,
        b"\0\0\0\x0cjP  ",
        "JPEG 2000",
        "save it as TIFF; if it is an old ND2 file, in NIS-Elements or with bfconvert of Bio-Formats",
    ),
    format(0, &[0xff, 0x4f, 0xff, 0x51], "JPEG 2000", "save it as TIFF"),
    format(
        0,
        b"p\0\0\0",
        "images of a Leica microscope (LIF)",
        "export it as OME-TIFF in LAS X, or with bfconvert of Bio-Formats",
    )
    .named("lif"),
    format(
        0,
        COMPOUND,
        "images of an Olympus microscope (OIB)",
        BIO_FORMATS,
    )
    .named("oib"),
    format(
        0,
        COMPOUND,
        "images of a Zeiss microscope (ZVI)",
        BIO_FORMATS,
    )
    .named("zvi"),
    format(
        0,
        b"\x89HDF\r\n\x1a\n",
        "HDF5 (Imaris, BigDataViewer and others)",
        "export it as OME-TIFF or OME-Zarr, or save its array as .npy with h5py",
    ),
    format(
        0,
        b"\0\0\0\x03",
        "an image of DigitalMicrograph (DM3)",
        GATAN,
    )
    .named("dm3"),
    format(
        0,
        b"\0\0\0\x04",
        "an image of DigitalMicrograph (DM4)",
        GATAN,
    )
    .named("dm4"),
    format(
        128,
        b"DICM",
        "DICOM",
        "save its images as TIFF or .npy, for example with pydicom",
    ),
    format(
        344,
        b"n+1\0",
        "NIfTI",
        "save its volume as .npy, for example with nibabel",
    ),
    format(4, b"ftyphei", "HEIC", SAVE),
    format(4, b"ftypavif", "AVIF", SAVE),
    format(4, IN_BOXES, "a movie", FRAMES),
    format(8, b"AVI LIST", "a movie", FRAMES),
    format(0, b"GIF8", "GIF", "save its images as PNG"),
];

const fn format(
    place: usize,
    mark: &'static [u8],
    name: &'static str,
    way_out: &'static str,
) -> Foreign {
    Foreign {
        mark: (place, mark),
        ending: None,
        name,
        way_out,
    }
}

impl Foreign {
    const fn named(mut self, ending: &'static str) -> Self {
        self.ending = Some(ending);
        self
    }

    fn of(start: &[u8], path: &Path) -> Option<&'static Self> {
        FORMATS.iter().find(|format| {
            let (place, mark) = format.mark;
            let rest = start.get(place..);
            rest.is_some_and(|rest| rest.starts_with(mark))
                && format
                    .ending
                    .is_none_or(|ending| has_extension(path, &[ending]))
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
    let format = Foreign::of(&start, path)?;
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
            let path = Path::new("a").with_extension(format.ending.unwrap_or("x"));
            let found = Foreign::of(&start, &path).unwrap();
            assert!(std::ptr::eq(found, &FORMATS[at]), "{}", format.name);
            assert!(format.ending.is_none() || Foreign::of(&start, Path::new("a.x")).is_none());
            let cut = &start[..place + mark.len() - 1];
            let found = Foreign::of(cut, &path);
            // A movie's mark is the start of more special ones.
            assert!(
                found.is_none_or(|found| found.mark.1 == IN_BOXES),
                "{}",
                format.name
            );
        }
    }
}
