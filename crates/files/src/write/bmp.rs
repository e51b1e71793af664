//! BMP.

use std::io::Write;

use image::{ExtendedColorType, ImageEncoder, codecs::bmp::BmpEncoder};

use super::{EncodeError, planes::Pixels, whole_image_error};
use crate::PictureFormat;

/// Bytes before the pixels: more than any header takes.
const HEADER: u64 = 2048;

pub(super) fn write(mut file: impl Write, pixels: &Pixels<u8>) -> Result<(), EncodeError> {
    let row = (pixels.width * pixels.per_pixel).next_multiple_of(4);
    if (row * pixels.height) as u64 + HEADER > u32::MAX.into() {
        let format = PictureFormat::Bmp;
        return Err(EncodeError::TooLong { format });
    }
    let colours = match pixels.per_pixel {
        4 => ExtendedColorType::Rgba8,
        _ => ExtendedColorType::Rgb8,
    };
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    BmpEncoder::new(&mut file)
        .write_image(&pixels.samples, width, height, colours)
        .map_err(|error| whole_image_error(error, PictureFormat::Bmp))
}
