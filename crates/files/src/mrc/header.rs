//! The header of an MRC file, after MRC2014: 1024 bytes, most of them numbers of 4.

use std::path::Path;

use crate::{
    FileError, SampleKind,
    input::{malformed, unsupported},
};

/// Bytes of a header.
pub(crate) const LEN: usize = 1024;

/// Places in it.
pub(crate) const SIZES: usize = 0;
pub(crate) const MODE: usize = 12;
pub(crate) const INTERVALS: usize = 28;
pub(crate) const CELL: usize = 40;
pub(crate) const ANGLES: usize = 52;
pub(crate) const AXES: usize = 64;
/// DMIN, DMAX and DMEAN.
pub(crate) const DENSITIES: usize = 76;
const SPACE_GROUP: usize = 88;
pub(crate) const EXTENDED: usize = 92;
pub(crate) const VERSION: usize = 108;
const IMOD_STAMP: usize = 152;
pub(crate) const IMOD_FLAGS: usize = 156;
const ORIGIN: usize = 196;
pub(crate) const MAP: usize = 208;
pub(crate) const MACHINE: usize = 212;
pub(crate) const RMS: usize = 216;
const LABELS: usize = 220;

/// What IMOD writes at its place; only there the flags are its own.
const IMOD: i32 = 0x444f_4d49;

/// The flag that bytes are signed.
pub(crate) const SIGNED_BYTES: i32 = 1;

/// The header of an MRC file, which its results keep.
#[derive(Clone, Debug, PartialEq)]
pub struct MrcHeader {
    /// The first 1024 bytes of the file.
    pub(crate) bytes: Vec<u8>,
    /// What stands between them and the first image.
    pub(crate) extended: Vec<u8>,
    pub(crate) big_endian: bool,
}

/// What a header says of the images.
pub(super) struct Form {
    pub big_endian: bool,
    pub kind: SampleKind,
    /// Images, rows, columns.
    pub sizes: [usize; 3],
    /// Of each volume, where it says that there are any.
    pub slices: Option<usize>,
    /// Bytes between the header and the first image.
    pub extended: u64,
}

/// Whether a file begins as one of MRC does: with its stamp, or, before there were stamps, with numbers
/// that go together.
pub(crate) fn is_mrc(start: &[u8]) -> bool {
    let is_stamped = start.get(MAP..MAP + 3) == Some(&b"MAP"[..])
        && matches!(start.get(MACHINE), Some(0x44 | 0x11));
    is_stamped || [false, true].iter().any(|&order| is_sound(start, order))
}

/// Whether the numbers of a header go together in one byte order.
fn is_sound(start: &[u8], big_endian: bool) -> bool {
    if start.len() < LEN {
        return false;
    }
    let number = |place| int(start, place, big_endian);
    let mut axes = [0, 4, 8].map(|at| number(AXES + at));
    axes.sort_unstable();
    axes == [1, 2, 3]
        && (0..=127).contains(&number(MODE))
        && [0, 4, 8].iter().all(|at| number(SIZES + at) > 0)
        && number(EXTENDED) >= 0
}

/// The number of 4 bytes at a place.
pub(crate) fn int(bytes: &[u8], place: usize, big_endian: bool) -> i32 {
    let number = std::array::from_fn(|at| bytes[place + at]);
    if big_endian {
        i32::from_be_bytes(number)
    } else {
        i32::from_le_bytes(number)
    }
}

/// Whether IMOD wrote a header, and says that bytes are not signed.
fn has_unsigned_bytes(bytes: &[u8], big_endian: bool) -> bool {
    int(bytes, IMOD_STAMP, big_endian) == IMOD
        && int(bytes, IMOD_FLAGS, big_endian) & SIGNED_BYTES == 0
}

impl Form {
    /// From the first 1024 bytes of a file.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, FileError> {
        let big_endian = match bytes[MACHINE] {
            // Some programs stamp the order of another machine.
            0x44 => !is_sound(bytes, false) && is_sound(bytes, true),
            0x11 => is_sound(bytes, true) || !is_sound(bytes, false),
            _ => !is_sound(bytes, false),
        };
        let number = |place| int(bytes, place, big_endian);
        let [columns, rows, sections] = [0, 4, 8].map(|at| number(SIZES + at));
        if columns == 0 || rows == 0 || sections == 0 {
            return Err(FileError::Empty {
                path: path.to_owned(),
            });
        }
        let size = |size: i32| usize::try_from(size).ok();
        let (Some(columns), Some(rows), Some(sections)) =
            (size(columns), size(rows), size(sections))
        else {
            let found = format!("its size is {columns}x{rows}x{sections}");
            return Err(malformed(path, found));
        };
        let extended = number(EXTENDED);
        let Ok(extended) = u64::try_from(extended) else {
            let found = format!("its extended header takes {extended} bytes");
            return Err(malformed(path, found));
        };
        let axes = [0, 4, 8].map(|at| number(AXES + at));
        match axes {
            // Files before axes were numbered have none.
            [0, 0, 0] | [1, 2, 3] | [2, 1, 3] => {}
            [1..=3, 1..=3, 1..=3] => {
                let found = format!("sections of the axes {axes:?} in place of [1, 2, 3]");
                let way_out = "save it with sections along its third axis";
                return Err(unsupported(path, found, way_out));
            }
            _ => return Err(malformed(path, format!("its axes are {axes:?}"))),
        }
        // 0 for a stack of images, those of crystals for a volume, 400 more for a stack of volumes.
        let slices = match number(SPACE_GROUP) {
            1..=230 => Some(sections),
            401..=630 => size(number(INTERVALS + 8)).filter(|&slices| slices > 0),
            _ => None,
        };
        Ok(Self {
            big_endian,
            slices,
            kind: kind(bytes, big_endian, path)?,
            sizes: [sections, rows, columns],
            extended,
        })
    }
}

/// The kind of number that a mode stands for.
fn kind(bytes: &[u8], big_endian: bool, path: &Path) -> Result<SampleKind, FileError> {
    let mode = int(bytes, MODE, big_endian);
    Ok(match mode {
        0 if has_unsigned_bytes(bytes, big_endian) => SampleKind::U8,
        0 => SampleKind::I8,
        1 => SampleKind::I16,
        2 => SampleKind::F32,
        6 => SampleKind::U16,
        12 => SampleKind::F16,
        _ => {
            let of = match mode {
                3 | 4 => " (complex numbers)",
                16 => " (RGB)",
                101 => " (4 bits)",
                _ => "",
            };
            let way_out = "save it in mode 0, 1, 2, 6 or 12";
            return Err(unsupported(path, format!("mode {mode}{of}"), way_out));
        }
    })
}

impl MrcHeader {
    /// Whether bytes of mode 0 are not signed.
    pub(crate) fn has_unsigned_bytes(&self) -> bool {
        has_unsigned_bytes(&self.bytes, self.big_endian)
    }

    /// Whether IMOD wrote it.
    pub(crate) fn is_of_imod(&self) -> bool {
        int(&self.bytes, IMOD_STAMP, self.big_endian) == IMOD
    }

    /// What it says that is more than the form of the images, in words.
    pub(crate) fn words(&self) -> Vec<String> {
        let says = |place: usize, len: usize| self.bytes[place..][..len].iter().any(|&b| b != 0);
        [
            ("its pixel size of MRC", says(CELL, 12)),
            ("its origin of MRC", says(ORIGIN, 12)),
            ("its labels of MRC", says(LABELS, 4)),
            ("its extended header of MRC", !self.extended.is_empty()),
        ]
        .into_iter()
        .filter(|&(_, is_said)| is_said)
        .map(|(words, _)| words.to_owned())
        .collect()
    }
}
