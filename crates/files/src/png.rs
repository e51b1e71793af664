//! PNG. A colour profile is not decompressed here: a few kilobytes of one can take gigabytes.

use std::{
    io::{BufRead, Seek},
    path::Path,
};

use ::png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Reader, Transformations};

use crate::{
    FileError, Header, MAX_DECODED_BYTES, Raster, SampleKind, Samples,
    input::{malformed, read_error},
};

pub(crate) fn read_header(input: impl BufRead + Seek, path: &Path) -> Result<Header, FileError> {
    header(&reader(input, path)?, path)
}

pub(crate) fn read_picture(input: impl BufRead + Seek, path: &Path) -> Result<Raster, FileError> {
    let mut reader = reader(input, path)?;
    let header = header(&reader, path)?;
    let len = reader.output_buffer_size();
    let mut bytes = vec![0; len.ok_or_else(|| malformed(path, "its size has no end"))?];
    let decoded = reader.next_frame(&mut bytes);
    decoded.map_err(|error| png_error(error, path))?;
    let (shape, alpha) = (header.shape(), header.alpha);
    Ok(match header.kind {
        SampleKind::U16 => {
            Raster::from_elements(&bytes, shape, alpha, |&bytes| u16::from_be_bytes(bytes))
        }
        _ => Raster::from_pixels(Samples::U8(bytes), shape, alpha),
    })
}

/// Palettes become RGB, bits 0 and 255, and a transparent colour alpha.
fn reader<R: BufRead + Seek>(input: R, path: &Path) -> Result<Reader<R>, FileError> {
    let limits = Limits {
        bytes: MAX_DECODED_BYTES as usize,
    };
    let mut decoder = Decoder::new_with_limits(input, limits);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.read_info().map_err(|error| png_error(error, path))
}

fn header(reader: &Reader<impl BufRead + Seek>, path: &Path) -> Result<Header, FileError> {
    let (colours, depth) = reader.output_color_type();
    let (channels, alpha) = match colours {
        ColorType::Grayscale => (1, false),
        ColorType::GrayscaleAlpha => (1, true),
        ColorType::Rgb | ColorType::Indexed => (3, false),
        ColorType::Rgba => (3, true),
    };
    let info = reader.info();
    let header = Header {
        channels,
        height: info.height as usize,
        width: info.width as usize,
        kind: match depth {
            BitDepth::Sixteen => SampleKind::U16,
            _ => SampleKind::U8,
        },
        alpha,
        pages: 1,
    };
    if header.height == 0 || header.width == 0 {
        return Err(FileError::Empty {
            path: path.to_owned(),
        });
    }
    header.check_size(header.kind.bytes(), path)?;
    Ok(header)
}

fn png_error(error: DecodingError, path: &Path) -> FileError {
    match error {
        DecodingError::IoError(error) => read_error(error, path, "its pixels"),
        other => malformed(path, other.to_string()),
    }
}
