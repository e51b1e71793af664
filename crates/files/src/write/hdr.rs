//! Radiance HDR.

use image::{Rgb, codecs::hdr::HdrEncoder};

use super::{EncodeError, planes::Picture};
use crate::PictureFormat;

pub(super) fn encode(picture: Picture<'_, f32>) -> Result<Vec<u8>, EncodeError> {
    let pixels = picture.into_rgb();
    let (width, height) = (pixels.width, pixels.height);
    let pixels: Vec<_> = (0..width * height)
        .map(|at| Rgb([0, 1, 2].map(|channel| pixels.planes[channel][at])))
        .collect();
    let mut file = Vec::new();
    HdrEncoder::new(&mut file)
        .encode(&pixels, width, height)
        .map_err(|error| EncodeError::Encoder {
            format: PictureFormat::Hdr,
            source: error.into(),
        })?;
    Ok(file)
}
