//! PNG: its chunks beside the pixels.

use std::{
    borrow::Cow,
    io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

use ::png::{BitDepth, ColorType, Decoder, DecodingError, Info, Limits, PixelDimensions, Unit};

use super::{Attached, MAX_BYTES, Resolution, ResolutionUnit, own::Own, too_much};
use crate::{
    FileError,
    input::{malformed, read_error},
};

/// A chunk: its name and its bytes.
pub type Chunk = ([u8; 4], Vec<u8>);

/// How the text with XMP data begins: its keyword, uncompressed, in no language.
const XMP: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";

/// Gamma and chromaticities of sRGB, in units of 0.00001, and how far away others count as the same.
const SRGB_GAMMA: i64 = 45_455;
const SRGB_CHROMATICITIES: [i64; 8] = [
    31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000,
];
const SRGB_TOLERANCE: i64 = 100;

pub(super) fn read(mut input: impl BufRead + Seek, path: &Path) -> Result<Attached, FileError> {
    let mut decoder = Decoder::new_with_limits(&mut input, Limits { bytes: MAX_BYTES });
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder
        .read_info()
        .map_err(|error| png_error(error, path))?;
    // EXIF data may stand behind the pixels, which are not decoded for it.
    reader.finish().map_err(|error| png_error(error, path))?;
    let info = reader.info();
    let mut attached = Attached {
        icc: info.icc_profile.clone().map(Cow::into_owned),
        exif: info.exif_metadata.clone().map(Cow::into_owned),
        resolution: info.pixel_dims.and_then(resolution),
        ..Attached::default()
    };
    let frames = info
        .animation_control
        .map_or(1, |control| control.num_frames);
    if frames > 1 {
        attached.unread.push(other_frames(frames - 1));
    }
    let stays = stays_as_it_is(info);
    drop(reader);
    let chunks = chunks(&mut input).map_err(|error| read_error(error, path, "its chunks"))?;
    let (mut own, mut lost) = (Vec::new(), Vec::new());
    for (name, bytes) in chunks {
        let Some(bytes) = bytes else {
            lost.push(name);
            continue;
        };
        match &name {
            b"iTXt" if bytes.starts_with(XMP) && attached.xmp.is_none() => {
                attached.xmp = Some(bytes[XMP.len()..].to_vec());
            }
            b"sBIT" | b"bKGD" if !stays => lost.push(name),
            name if is_kept(name) => own.push((*name, bytes)),
            _ => lost.push(name),
        }
    }
    if !lost.is_empty() {
        let names = lost.iter().map(|name| String::from_utf8_lossy(name));
        let names: Vec<_> = names.collect();
        attached
            .unread
            .push(format!("its chunks ({})", names.join(", ")));
    }
    attached.own = (!own.is_empty()).then_some(Own::Png(own));
    Ok(attached)
}

/// In words, how many frames of an animation are left out.
pub(super) fn other_frames(count: u32) -> String {
    match count {
        1 => "its other frame".to_owned(),
        _ => format!("its other {count} frames"),
    }
}

/// The chunk of XMP data.
pub(crate) fn xmp_chunk(xmp: &[u8]) -> Chunk {
    (*b"iTXt", [XMP, xmp].concat())
}

/// Whether samples and colours stay as they are stored: no palette, no single bits, no transparent colour.
fn stays_as_it_is(info: &Info<'_>) -> bool {
    info.trns.is_none()
        && info.color_type != ColorType::Indexed
        && matches!(info.bit_depth, BitDepth::Eight | BitDepth::Sixteen)
}

/// Whether a chunk says what colours mean, beside a profile.
pub(crate) fn is_colour(name: &[u8; 4]) -> bool {
    matches!(
        name,
        b"gAMA" | b"cHRM" | b"sRGB" | b"cICP" | b"mDCV" | b"cLLI" | b"mDCv" | b"cLLi"
    )
}

/// Whether the chunks say nothing but that the colours are those of sRGB, as without them.
pub(super) fn is_srgb(chunks: &[Chunk]) -> bool {
    let find = |wanted: &[u8; 4]| {
        let chunk = chunks.iter().find(|(name, _)| name == wanted);
        chunk.map(|(_, bytes)| bytes.as_slice())
    };
    if find(b"mDCV").or(find(b"mDCv")).is_some() || find(b"cLLI").or(find(b"cLLi")).is_some() {
        return false;
    }
    // Of several, the first counts.
    if let Some(points) = find(b"cICP") {
        return points == [1, 13, 0, 1];
    }
    if find(b"sRGB").is_some() {
        return true;
    }
    let is_near = |bytes: &[u8], wanted: &[i64]| {
        let (numbers, _) = bytes.as_chunks();
        numbers.len() == wanted.len()
            && numbers.iter().zip(wanted).all(|(&number, wanted)| {
                (i64::from(u32::from_be_bytes(number)) - wanted).abs() <= SRGB_TOLERANCE
            })
    };
    find(b"gAMA").is_none_or(|gamma| is_near(gamma, &[SRGB_GAMMA]))
        && find(b"cHRM").is_none_or(|found| is_near(found, &SRGB_CHROMATICITIES))
}

/// Whether a chunk is as right with other pixels. The case of the fourth letter says so of those that are
/// unknown here.
fn is_kept(name: &[u8; 4]) -> bool {
    is_colour(name)
        || matches!(
            name,
            b"sBIT" | b"bKGD" | b"oFFs" | b"pCAL" | b"sCAL" | b"sTER"
        )
        || name[3].is_ascii_lowercase()
}

/// The name of a chunk and its bytes, if there are not too many.
type FoundChunk = ([u8; 4], Option<Vec<u8>>);

/// The chunks that the decoder does not make use of, but for those of pixels and palettes, the time of the
/// last change, and how a picture of macOS is parted. Those beyond [`MAX_BYTES`] are without their bytes.
fn chunks(input: &mut (impl Read + Seek)) -> io::Result<Vec<FoundChunk>> {
    let mut chunks = Vec::new();
    let (mut place, mut total) = (8, 0);
    loop {
        let mut start = [0; 8];
        input.seek(SeekFrom::Start(place))?;
        input.read_exact(&mut start)?;
        let [a, b, c, d, name @ ..] = start;
        let len = u32::from_be_bytes([a, b, c, d]);
        place += 12 + u64::from(len);
        match &name {
            b"IEND" => return Ok(chunks),
            b"iCCP" | b"eXIf" | b"pHYs" | b"tIME" | b"tRNS" | b"acTL" | b"fcTL" | b"fdAT"
            | b"iDOT" => continue,
            [first, ..] if first.is_ascii_uppercase() => continue,
            _ => {}
        }
        if total + len as usize > MAX_BYTES {
            chunks.push((name, None));
            continue;
        }
        total += len as usize;
        let mut bytes = Vec::new();
        input.by_ref().take(len.into()).read_to_end(&mut bytes)?;
        if bytes.len() < len as usize {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        chunks.push((name, Some(bytes)));
    }
}

fn resolution(found: PixelDimensions) -> Option<Resolution> {
    let PixelDimensions { xppu, yppu, unit } = found;
    match unit {
        Unit::Unspecified => Resolution::integers(xppu, yppu, ResolutionUnit::None),
        Unit::Meter => Resolution::new([xppu, 100], [yppu, 100], ResolutionUnit::Centimeter),
    }
}

fn png_error(error: DecodingError, path: &Path) -> FileError {
    match error {
        DecodingError::IoError(error) => read_error(error, path, "its chunks"),
        DecodingError::LimitsExceeded => too_much(path),
        other => malformed(path, other.to_string()),
    }
}
