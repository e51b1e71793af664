//! PNG.

use std::{borrow::Cow, io::Write};

use ::png::{
    BitDepth, ColorType, Compression, DeflateCompression, Encoder, EncodingError, Info,
    chunk::ChunkType,
};

use super::{EncodeError, kept::Kept, planes::Picture};
use crate::{
    Own, PictureFormat, Sample,
    attached::{pixel_dimensions, xmp_chunk},
};

/// Bytes of a chunk of compressed pixels.
const CHUNK: usize = 1 << 16;

/// How hard Deflate tries, of 1 to 9. Higher levels take several times as long, and gain next to
/// nothing on photographs; the noise in the lower bytes of 16 bits makes all but the first worse.
const LEVEL_8: u8 = 3;
const LEVEL_16: u8 = 1;

pub(super) fn write8(
    file: impl Write,
    picture: &Picture<'_, u8>,
    kept: &Kept<'_>,
) -> Result<(), EncodeError> {
    write(file, picture, BitDepth::Eight, kept, |sample, row| {
        row.push(sample)
    })
}

pub(super) fn write16(
    file: impl Write,
    picture: &Picture<'_, u16>,
    kept: &Kept<'_>,
) -> Result<(), EncodeError> {
    write(file, picture, BitDepth::Sixteen, kept, |sample, row| {
        row.extend(sample.to_be_bytes());
    })
}

fn write<T: Sample>(
    file: impl Write,
    picture: &Picture<'_, T>,
    depth: BitDepth,
    kept: &Kept<'_>,
    push: impl Fn(T, &mut Vec<u8>),
) -> Result<(), EncodeError> {
    let mut info = Info::with_size(picture.width as u32, picture.height as u32);
    info.color_type = match picture.planes.len() {
        1 => ColorType::Grayscale,
        2 => ColorType::GrayscaleAlpha,
        3 => ColorType::Rgb,
        _ => ColorType::Rgba,
    };
    info.bit_depth = depth;
    info.icc_profile = kept.icc.map(Cow::Borrowed);
    info.exif_metadata = kept.exif.map(Cow::Borrowed);
    info.pixel_dims = kept.resolution.and_then(pixel_dimensions);

    let mut encoder = Encoder::with_info(file, info).map_err(png_error)?;
    encoder.set_compression(Compression::Balanced);
    encoder.set_deflate_compression(DeflateCompression::Level(match depth {
        BitDepth::Sixteen => LEVEL_16,
        _ => LEVEL_8,
    }));
    let mut writer = encoder.write_header().map_err(png_error)?;
    let own = match kept.own {
        Some(Own::Png(chunks)) => &chunks[..],
        _ => &[],
    };
    let xmp = kept.xmp.map(xmp_chunk);
    for (name, bytes) in own.iter().chain(&xmp) {
        writer
            .write_chunk(ChunkType(*name), bytes)
            .map_err(png_error)?;
    }
    let mut stream = writer.stream_writer_with_size(CHUNK).map_err(png_error)?;
    let (mut samples, mut row) = (Vec::new(), Vec::new());
    for y in 0..picture.height {
        samples.clear();
        row.clear();
        picture.push_row(y, &mut samples);
        samples.iter().for_each(|&sample| push(sample, &mut row));
        stream.write_all(&row)?;
    }
    stream.finish().map_err(png_error)?;
    writer.finish().map_err(png_error)
}

fn png_error(error: EncodingError) -> EncodeError {
    match error {
        EncodingError::IoError(error) => error.into(),
        other => EncodeError::Encoder {
            format: PictureFormat::Png,
            source: other.into(),
        },
    }
}
