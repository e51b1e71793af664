//! BMP.

use std::io::{Seek, SeekFrom, Write};

use image::{ExtendedColorType, ImageEncoder, codecs::bmp::BmpEncoder};

use super::{EncodeError, kept::Kept, planes::Pixels, whole_image_error};
use crate::{PictureFormat, attached::pixels_per_metre};

/// Bytes before the pixels: more than any header takes.
const HEADER: u64 = 2048;

/// Where the resolution is, of which the encoder knows nothing.
const RESOLUTION: u64 = 38;

pub(super) fn write(
    mut file: impl Write + Seek,
    pixels: &Pixels<u8>,
    kept: &Kept<'_>,
) -> Result<(), EncodeError> {
    let start = file.stream_position()?;
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
        .map_err(|error| whole_image_error(error, PictureFormat::Bmp))?;
    if let Some([x, y]) = kept.resolution.and_then(pixels_per_metre) {
        let end = file.stream_position()?;
        file.seek(SeekFrom::Start(start + RESOLUTION))?;
        file.write_all(&[x.to_le_bytes(), y.to_le_bytes()].concat())?;
        file.seek(SeekFrom::Start(end))?;
    }
    Ok(())
}
