//! JPEG: its segments before the pixels.

use std::{
    io::{self, BufRead, Read, Seek},
    path::Path,
};

use zune_jpeg::JpegDecoder;

use super::{Attached, MAX_BYTES, Resolution, ResolutionUnit, Segment, own::Own, too_much};
use crate::{
    FileError,
    input::read_error,
    jpeg::{decode_headers, options},
};

/// How a segment with XMP data begins.
pub(crate) const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Names of the segments that are read elsewhere: APP1 and APP2.
const EXIF: &[u8] = b"Exif\0";
const ICC: &[u8] = b"ICC_PROFILE\0";

/// The name of the segment of several pictures in one file: APP2.
const PICTURES: &[u8] = b"MPF\0";

/// The second bytes of markers.
const SCAN: u8 = 0xda;
const END: u8 = 0xd9;
const COMMENT: u8 = 0xfe;
const SIGNED: u8 = 0xeb;

pub(super) fn read(mut input: impl BufRead + Seek, path: &Path) -> Result<Attached, FileError> {
    let headers = |error| read_error(error, path, "its headers");
    let segments = segments(&mut input).map_err(headers)?;
    if segments.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MAX_BYTES {
        return Err(too_much(path));
    }
    input.rewind().map_err(headers)?;
    let mut decoder = JpegDecoder::new_with_options(input, options());
    decode_headers(&mut decoder, path)?;
    let mut attached = Attached {
        icc: decoder.icc_profile(),
        exif: decoder.exif().cloned(),
        ..Attached::default()
    };
    let mut own = Vec::new();
    for (index, (marker, bytes)) in segments.into_iter().enumerate() {
        match marker {
            0xe0 if index == 0 => attached.resolution = jfif_resolution(&bytes),
            // A small picture; how the colours are stored.
            0xe0 | 0xee => {}
            0xe1 if bytes.starts_with(EXIF) => {}
            0xe1 if bytes.starts_with(XMP) && attached.xmp.is_none() => {
                attached.xmp = Some(bytes[XMP.len()..].to_vec());
            }
            0xe2 if bytes.starts_with(ICC) => {}
            0xe2 if bytes.starts_with(PICTURES) => {
                attached
                    .unread
                    .push("the other pictures of the file".to_owned());
            }
            SIGNED => attached.unread.push("its signature (APP11)".to_owned()),
            0xe1..=0xef | COMMENT => own.push((marker, bytes)),
            _ => {}
        }
    }
    attached.unread.dedup();
    attached.own = (!own.is_empty()).then_some(Own::Jpeg(own));
    Ok(attached)
}

/// The segments from the first on, those of pixels and tables among them, up to the first scan. What is
/// no segment ends them: the decoder tells more of it. So do more than [`MAX_BYTES`].
fn segments(input: &mut impl Read) -> io::Result<Vec<Segment>> {
    let (mut segments, mut total) = (Vec::new(), 0);
    two_bytes(input)?;
    loop {
        let [first, mut marker] = two_bytes(input)?;
        // Any number of bytes 255 may stand before a marker.
        while first == 0xff && marker == 0xff {
            let mut next = [0];
            input.read_exact(&mut next)?;
            [marker] = next;
        }
        if first != 0xff || matches!(marker, 0 | SCAN | END) {
            return Ok(segments);
        }
        let Some(len) = u16::from_be_bytes(two_bytes(input)?).checked_sub(2) else {
            return Ok(segments);
        };
        let mut bytes = vec![0; len.into()];
        input.read_exact(&mut bytes)?;
        total += bytes.len();
        segments.push((marker, bytes));
        if total > MAX_BYTES {
            return Ok(segments);
        }
    }
}

fn two_bytes(input: &mut impl Read) -> io::Result<[u8; 2]> {
    let mut bytes = [0; 2];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The density of JFIF, whose segment stands first where there is one.
fn jfif_resolution(segment: &[u8]) -> Option<Resolution> {
    if segment.len() < 12 || segment[..5] != *b"JFIF\0" {
        return None;
    }
    let unit = match segment[7] {
        0 => ResolutionUnit::None,
        1 => ResolutionUnit::Inch,
        2 => ResolutionUnit::Centimeter,
        _ => return None,
    };
    let number = |at| u16::from_be_bytes([segment[at], segment[at + 1]]).into();
    Resolution::integers(number(8), number(10), unit)
}
