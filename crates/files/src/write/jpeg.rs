//! JPEG.

use std::{
    io::{self, Write},
    mem,
};

use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder, error::UnsupportedError};

use super::{EncodeError, kept::Kept, planes::Pixels, whole_image_error};
use crate::{
    Own, PictureFormat,
    attached::{JPEG_XMP, pixel_density},
};

/// The quality that JPEG files are written with, of 1 to 100 as libjpeg counts it.
pub const JPEG_QUALITY: u8 = 95;

/// The marker of the segments of EXIF and XMP.
const APP1: u8 = 0xe1;

/// Bytes of the marker and the length of a segment, and of the name of that of EXIF.
const SEGMENT: usize = 4;
const EXIF: usize = 6;

/// Bytes of a file up to the end of its first segment, that of JFIF.
const START: usize = 2 + SEGMENT + 14;

pub(super) fn write(
    file: impl Write,
    pixels: &Pixels<u8>,
    kept: &Kept<'_>,
) -> Result<(), EncodeError> {
    let exif = kept.exif.map_or(0, |exif| SEGMENT + EXIF + exif.len());
    let file = Inserting {
        file,
        before: START + exif,
        bytes: segments(kept),
    };
    let mut encoder = JpegEncoder::new_with_quality(file, JPEG_QUALITY);
    if let Some(density) = kept.resolution.and_then(pixel_density) {
        encoder.set_pixel_density(density);
    }
    if let Some(icc) = kept.icc {
        encoder.set_icc_profile(icc.to_vec()).map_err(unsupported)?;
    }
    if let Some(exif) = kept.exif {
        encoder
            .set_exif_metadata(exif.to_vec())
            .map_err(unsupported)?;
    }
    let colours = match pixels.per_pixel {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    encoder
        .write_image(&pixels.samples, width, height, colours)
        .map_err(|error| whole_image_error(error, PictureFormat::Jpeg))
}

/// The segments that the encoder does not write.
fn segments(kept: &Kept<'_>) -> Vec<u8> {
    let xmp = kept.xmp.map(|xmp| (APP1, [JPEG_XMP, xmp].concat()));
    let own = match kept.own {
        Some(Own::Jpeg(segments)) => &segments[..],
        _ => &[],
    };
    let mut written = Vec::new();
    for (marker, bytes) in xmp.iter().chain(own) {
        written.extend([0xff, *marker]);
        written.extend((bytes.len() as u16 + 2).to_be_bytes());
        written.extend(bytes);
    }
    written
}

/// Writes bytes to a file, and others before one of them.
struct Inserting<W> {
    file: W,
    /// How many bytes come before.
    before: usize,
    bytes: Vec<u8>,
}

impl<W: Write> Write for Inserting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.before == 0 && !self.bytes.is_empty() {
            self.file.write_all(&mem::take(&mut self.bytes))?;
        }
        let bytes = match self.before {
            0 => bytes,
            before => &bytes[..before.min(bytes.len())],
        };
        let written = self.file.write(bytes)?;
        self.before = self.before.saturating_sub(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn unsupported(error: UnsupportedError) -> EncodeError {
    encoder_error(error.into())
}

fn encoder_error(source: Box<dyn std::error::Error + Send + Sync>) -> EncodeError {
    EncodeError::Encoder {
        format: PictureFormat::Jpeg,
        source,
    }
}
