//! Raw files of cameras: most are TIFF files that begin with a small preview.

use std::path::Path;

use ::tiff::tags::Tag;

use super::{
    chain::Brief,
    form::{Directory, Form},
};
use crate::{
    FileError,
    input::{Input, has_extension},
};

/// Kinds of colours: a mosaic of filters, and what was made of one in the colours of the sensor.
const MOSAIC: u64 = 32803;
const LINEAR: u64 = 34892;

/// The tag of every DNG file.
const DNG_VERSION: Tag = Tag::Unknown(50706);

/// How every CR2 file begins: its first directory is behind a mark and a version.
const CR2: &[u8; 11] = b"II*\0\x10\0\0\0CR\x02";

/// Most directories below the first one that are looked at.
const MOST_BELOW: usize = 16;

/// How the makers of cameras let the names of raw files end.
const ENDINGS: [&str; 26] = [
    "3fr", "ari", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "fff", "iiq", "kdc", "mef",
    "mos", "mrw", "nef", "nrw", "orf", "pef", "raf", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
];

/// Whether a file's name ends as that of a raw file.
pub(crate) fn is_named_raw(path: &Path) -> bool {
    has_extension(path, &ENDINGS)
}

/// The error of a raw file.
pub(crate) fn raw(path: &Path) -> FileError {
    FileError::CameraRaw {
        path: path.to_owned(),
    }
}

/// Whether colours of this kind are those of a sensor.
pub(super) fn is_sensor(photometric: u64) -> bool {
    matches!(photometric, MOSAIC | LINEAR)
}

/// Refuses a raw file by its name and its first bytes.
pub(super) fn refuse_start(input: &Input) -> Result<(), FileError> {
    let path = input.path();
    let mut start = [0; CR2.len()];
    let is_read = input.read_exact_at(0, &mut start, "its header").is_ok();
    if is_read && start == *CR2 || is_named_raw(path) {
        return Err(raw(path));
    }
    Ok(())
}

/// Refuses a raw file by its directories: what can be read of it is a preview.
pub(super) fn refuse(
    pages: &[Brief],
    first: &Directory,
    form: Form,
    input: &Input,
) -> Result<(), FileError> {
    let is_raw = first.has(DNG_VERSION) || pages.iter().any(|page| page.is_sensor);
    if is_raw || holds_raw_below(pages, first, form, input)? {
        return Err(raw(input.path()));
    }
    Ok(())
}

/// Whether a directory below the first one has the values of a sensor, or the full image of previews.
fn holds_raw_below(
    pages: &[Brief],
    first: &Directory,
    form: Form,
    input: &Input,
) -> Result<bool, FileError> {
    let are_previews = pages.iter().all(|page| page.is_reduced);
    let below = first.numbers(Tag::SubIfd, form, input)?;
    Ok(below.into_iter().take(MOST_BELOW).any(|place| {
        // The pages can be read, whatever is wrong with what lies below them.
        let found = form.directory(input, place, "a directory below its first one");
        let found = found.and_then(|found| Brief::read(&found, place, form, input));
        found.is_ok_and(|found| found.is_sensor || are_previews && !found.is_reduced)
    }))
}
