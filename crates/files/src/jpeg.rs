//! JPEG.
//!
//! The decoder makes up what a damaged image lacks, even where it is asked to be strict, so the
//! codes of all pixels are counted first.

mod bits;
mod scans;

use std::{
    io::{BufRead, Seek},
    path::Path,
};

use zune_jpeg::{
    JpegDecoder,
    errors::DecodeErrors,
    zune_core::{
        bytestream::{ZByteReaderTrait, ZCursor},
        colorspace::ColorSpace,
        options::DecoderOptions,
    },
};

use crate::{
    FileError, Header, Raster, SampleKind, Samples,
    input::{malformed, truncated, unsupported},
};

pub(crate) fn read_header(input: impl BufRead + Seek, path: &Path) -> Result<Header, FileError> {
    decode_headers(&mut JpegDecoder::new_with_options(input, options()), path)
}

pub(crate) fn read_picture(bytes: &[u8], path: &Path) -> Result<Raster, FileError> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options());
    let header = decode_headers(&mut decoder, path)?;
    if !scans::are_whole(bytes) {
        return Err(truncated(path, "its compressed pixels"));
    }
    let colours = match header.channels {
        1 => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    };
    decoder.set_options(options().jpeg_set_out_colorspace(colours));
    let pixels = decoder.decode().map_err(|error| jpeg_error(error, path))?;
    let shape = header.shape();
    if pixels.len() != shape.iter().product::<usize>() {
        let found = format!(
            "its pixels take {} bytes, its shape is {shape:?}",
            pixels.len()
        );
        return Err(malformed(path, found));
    }
    Ok(Raster::from_pixels(Samples::U8(pixels), shape, false))
}

/// The samples of a JPEG within another file, pixel by pixel; those of YCbCr become RGB if it is said that they
/// are YCbCr. Its shape should be `[rows, columns, samples]`, with up to `most_rows`.
pub(crate) fn read_samples(
    bytes: &[u8],
    ycbcr: bool,
    [rows, columns, samples]: [usize; 3],
    most_rows: usize,
    path: &Path,
) -> Result<Vec<u8>, FileError> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options());
    let header = decode_headers(&mut decoder, path)?;
    let stored = decoder.input_colorspace().unwrap_or(ColorSpace::Luma);
    let found = [header.width, stored.num_components()];
    if found != [columns, samples] || !(rows..=most_rows).contains(&header.height) {
        let found = format!(
            "a JPEG of {}x{} pixels and {} samples is in place of one of {columns}x{rows} and {samples}",
            header.width,
            header.height,
            stored.num_components()
        );
        return Err(malformed(path, found));
    }
    if !scans::are_whole(bytes) {
        return Err(truncated(path, "its compressed pixels"));
    }
    let colours = if ycbcr { ColorSpace::RGB } else { stored };
    decoder.set_options(options().jpeg_set_out_colorspace(colours));
    decoder.decode().map_err(|error| jpeg_error(error, path))
}

pub(crate) fn options() -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(u16::MAX.into())
        .set_max_height(u16::MAX.into())
}

pub(crate) fn decode_headers<T: ZByteReaderTrait>(
    decoder: &mut JpegDecoder<T>,
    path: &Path,
) -> Result<Header, FileError> {
    let headers = decoder.decode_headers();
    headers.map_err(|error| jpeg_error(error, path))?;
    let (Some(info), Some(colours)) = (decoder.info(), decoder.input_colorspace()) else {
        return Err(malformed(path, "it has no frame"));
    };
    let channels = match colours {
        ColorSpace::Luma => 1,
        ColorSpace::YCbCr | ColorSpace::RGB | ColorSpace::CMYK | ColorSpace::YCCK => 3,
        other => {
            let way_out = "save it as grey or RGB";
            return Err(unsupported(
                path,
                format!("colours of the kind {other:?}"),
                way_out,
            ));
        }
    };
    let header = Header {
        channels,
        height: info.height.into(),
        width: info.width.into(),
        kind: SampleKind::U8,
        alpha: false,
        pages: 1,
    };
    header.check_size(1, path)?;
    Ok(header)
}

fn jpeg_error(error: DecodeErrors, path: &Path) -> FileError {
    match error {
        DecodeErrors::ExhaustedData => truncated(path, "its headers"),
        DecodeErrors::Unsupported(kind) => {
            let way_out = "save it as a baseline or progressive JPEG of 8 bits";
            unsupported(path, format!("JPEG of a kind ({kind:?})"), way_out)
        }
        other => malformed(path, format!("{other:?}")),
    }
}
