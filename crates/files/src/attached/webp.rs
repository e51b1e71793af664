//! WebP: the chunks ICCP, EXIF and XMP.

use std::{
    io::{BufRead, Seek},
    path::Path,
};

use image_webp::{DecodingError, WebPDecoder};

use super::{Attached, MAX_BYTES, png::other_frames, too_much};
use crate::{
    FileError, PictureFormat,
    input::{malformed, read_error},
    whole::check_whole,
};

/// What some programs put before EXIF data, as JPEG has it.
const JPEG_NAME: &[u8] = b"Exif\0\0";

pub(super) fn read(mut input: impl BufRead + Seek, path: &Path) -> Result<Attached, FileError> {
    check_whole(&mut input, PictureFormat::WebP, path)?;
    let error = |error| webp_error(error, path);
    let mut decoder = WebPDecoder::new(input).map_err(error)?;
    decoder.set_memory_limit(MAX_BYTES);
    let exif = decoder.exif_metadata().map_err(error)?;
    let mut attached = Attached {
        icc: decoder.icc_profile().map_err(error)?,
        xmp: decoder.xmp_metadata().map_err(error)?,
        exif: exif.map(|exif| match exif.strip_prefix(JPEG_NAME) {
            Some(rest) => rest.to_vec(),
            None => exif,
        }),
        ..Attached::default()
    };
    if decoder.num_frames() > 1 {
        attached.unread.push(other_frames(decoder.num_frames() - 1));
    }
    Ok(attached)
}

fn webp_error(error: DecodingError, path: &Path) -> FileError {
    match error {
        DecodingError::IoError(error) => read_error(error, path, "its chunks"),
        DecodingError::MemoryLimitExceeded => too_much(path),
        other => malformed(path, other.to_string()),
    }
}
