//! JPEG: the segments of EXIF, ICC and JFIF.

use std::{
    io::{BufRead, Seek},
    path::Path,
};

use zune_jpeg::JpegDecoder;

use super::{Attached, Resolution, ResolutionUnit};
use crate::{
    FileError,
    input::read_error,
    jpeg::{decode_headers, options},
};

pub(super) fn read(mut input: impl BufRead + Seek, path: &Path) -> Result<Attached, FileError> {
    let mut start = [0; 18];
    let read = input.read_exact(&mut start);
    read.and_then(|()| input.rewind())
        .map_err(|error| read_error(error, path, "its headers"))?;
    let mut decoder = JpegDecoder::new_with_options(input, options());
    decode_headers(&mut decoder, path)?;
    Ok(Attached {
        icc: decoder.icc_profile(),
        exif: decoder.exif().cloned(),
        resolution: jfif_resolution(&start),
        ..Attached::default()
    })
}

/// The density of JFIF, whose segment stands first where there is one.
fn jfif_resolution(start: &[u8; 18]) -> Option<Resolution> {
    if !start.starts_with(&[0xff, 0xd8, 0xff, 0xe0]) || start[6..11] != *b"JFIF\0" {
        return None;
    }
    let unit = match start[13] {
        0 => ResolutionUnit::None,
        1 => ResolutionUnit::Inch,
        2 => ResolutionUnit::Centimeter,
        _ => return None,
    };
    let number = |at| u16::from_be_bytes([start[at], start[at + 1]]).into();
    Resolution::integers(number(14), number(16), unit)
}
