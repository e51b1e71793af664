//! Drawing planar images on a picture.

use std::io::Cursor;

use image::{ImageFormat, ImageResult, RgbImage};

/// Draws an image of values in `[0, 1]` at `[left, top]`, each pixel as a square of `scale` by `scale`.
///
/// # Shapes
/// - `image`: `shape`, `[channels, height, width]`, 1 or 3 channels
pub fn paint(
    picture: &mut RgbImage,
    [left, top]: [usize; 2],
    image: &[f32],
    [channels, height, width]: [usize; 3],
    scale: usize,
) {
    for y in 0..height * scale {
        for x in 0..width * scale {
            let at = y / scale * width + x / scale;
            let colour = [0, 1, 2].map(|channel| {
                let channel = if channels == 3 { channel } else { 0 };
                let value = image[channel * height * width + at];
                (value.clamp(0.0, 1.0) * 255.0).round() as u8
            });
            picture.put_pixel((left + x) as u32, (top + y) as u32, colour.into());
        }
    }
}

/// Encodes a picture as PNG.
///
/// # Errors
/// When it cannot be encoded.
pub fn png(picture: &RgbImage) -> ImageResult<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
