//! WebP, lossless.

use image_webp::{ColorType, WebPEncoder};

use super::{EncodeError, kept::Kept, planes::Picture};
use crate::PictureFormat;

pub(super) fn encode(picture: &Picture<'_, u8>, kept: &Kept<'_>) -> Result<Vec<u8>, EncodeError> {
    let mut file = Vec::new();
    let mut encoder = WebPEncoder::new(&mut file);
    if let Some(icc) = kept.icc {
        encoder.set_icc_profile(icc.to_vec());
    }
    if let Some(exif) = kept.exif {
        encoder.set_exif_metadata(exif.to_vec());
    }
    let colours = match picture.planes.len() {
        1 => ColorType::L8,
        2 => ColorType::La8,
        3 => ColorType::Rgb8,
        _ => ColorType::Rgba8,
    };
    let (width, height) = (picture.width as u32, picture.height as u32);
    encoder
        .encode(&picture.pixels(), width, height, colours)
        .map_err(|error| EncodeError::Encoder {
            format: PictureFormat::WebP,
            source: error.into(),
        })?;
    Ok(file)
}
