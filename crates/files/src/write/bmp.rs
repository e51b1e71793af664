//! BMP.

use image::{ExtendedColorType, ImageEncoder, codecs::bmp::BmpEncoder};

use super::{EncodeError, planes::Picture};
use crate::PictureFormat;

/// Bytes before the pixels: more than any header takes.
const HEADER: u64 = 2048;

pub(super) fn encode(picture: Picture<'_, u8>) -> Result<Vec<u8>, EncodeError> {
    let picture = picture.into_rgb();
    let row = (picture.width * picture.planes.len()).next_multiple_of(4);
    if (row * picture.height) as u64 + HEADER > u32::MAX.into() {
        let format = PictureFormat::Bmp;
        return Err(EncodeError::TooLong { format });
    }
    let colours = if picture.alpha {
        ExtendedColorType::Rgba8
    } else {
        ExtendedColorType::Rgb8
    };
    let mut file = Vec::new();
    let (width, height) = (picture.width as u32, picture.height as u32);
    BmpEncoder::new(&mut file)
        .write_image(&picture.pixels(), width, height, colours)
        .map_err(|error| EncodeError::Encoder {
            format: PictureFormat::Bmp,
            source: error.into(),
        })?;
    Ok(file)
}
