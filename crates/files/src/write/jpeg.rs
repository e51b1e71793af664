//! JPEG.

use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder, error::UnsupportedError};

use super::{EncodeError, kept::Kept, planes::Picture};
use crate::{PictureFormat, attached::pixel_density};

/// The quality that JPEG files are written with, of 1 to 100 as libjpeg counts it.
pub const JPEG_QUALITY: u8 = 95;

pub(super) fn encode(picture: &Picture<'_, u8>, kept: &Kept<'_>) -> Result<Vec<u8>, EncodeError> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY);
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
    let colours = match picture.planes.len() {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    let (width, height) = (picture.width as u32, picture.height as u32);
    encoder
        .write_image(&picture.pixels(), width, height, colours)
        .map_err(|error| encoder_error(error.into()))?;
    Ok(file)
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
