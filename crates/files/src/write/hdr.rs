//! Radiance HDR.

use std::io::Write;

use image::{Rgb, codecs::hdr::HdrEncoder};

use super::{EncodeError, planes::Picture, whole_image_error};
use crate::{PictureFormat, Sample};

pub(super) fn write<T: Sample>(
    file: impl Write,
    picture: Picture<'_, T>,
) -> Result<(), EncodeError> {
    let pixels = picture.into_rgb();
    let (width, height) = (pixels.width, pixels.height);
    let pixels: Vec<_> = (0..width * height)
        .map(|at| Rgb([0, 1, 2].map(|channel| pixels.planes[channel][at].to_f64() as f32)))
        .collect();
    HdrEncoder::new(file)
        .encode(&pixels, width, height)
        .map_err(|error| whole_image_error(error, PictureFormat::Hdr))
}
