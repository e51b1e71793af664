//! JPEG.

use std::io::Write;

use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder, error::UnsupportedError};

use super::{EncodeError, kept::Kept, planes::Pixels, whole_image_error};
use crate::{PictureFormat, attached::pixel_density};

/// The quality that JPEG files are written with, of 1 to 100 as libjpeg counts it.
pub const JPEG_QUALITY: u8 = 95;

pub(super) fn write(
    file: impl Write,
    pixels: &Pixels<u8>,
    kept: &Kept<'_>,
) -> Result<(), EncodeError> {
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

fn unsupported(error: UnsupportedError) -> EncodeError {
    encoder_error(error.into())
}

fn encoder_error(source: Box<dyn std::error::Error + Send + Sync>) -> EncodeError {
    EncodeError::Encoder {
        format: PictureFormat::Jpeg,
        source,
    }
}
