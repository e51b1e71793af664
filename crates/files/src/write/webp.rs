//! WebP, lossless.

use std::io::Write;

use image_webp::{ColorType, EncodingError, WebPEncoder};

use super::{EncodeError, kept::Kept, planes::Pixels};
use crate::PictureFormat;

pub(super) fn write(
    file: impl Write,
    pixels: &Pixels<u8>,
    kept: &Kept<'_>,
) -> Result<(), EncodeError> {
    let mut encoder = WebPEncoder::new(file);
    if let Some(icc) = kept.icc {
        encoder.set_icc_profile(icc.to_vec());
    }
    if let Some(exif) = kept.exif {
        encoder.set_exif_metadata(exif.to_vec());
    }
    if let Some(xmp) = kept.xmp {
        encoder.set_xmp_metadata(xmp.to_vec());
    }
    let colours = match pixels.per_pixel {
        1 => ColorType::L8,
        2 => ColorType::La8,
        3 => ColorType::Rgb8,
        _ => ColorType::Rgba8,
    };
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    encoder
        .encode(&pixels.samples, width, height, colours)
        .map_err(|error| match error {
            EncodingError::IoError(error) => error.into(),
            other => EncodeError::Encoder {
                format: PictureFormat::WebP,
                source: other.into(),
            },
        })
}
