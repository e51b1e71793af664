//! Drawing planar images on a picture.

use std::io::Cursor;

use image::{ImageFormat, ImageResult, RgbImage};

/// How images that are neither grey nor RGB are drawn, in words; `None` for those that are.
pub fn false_colour(channels: usize) -> Option<&'static str> {
    match channels {
        1 | 3 => None,
        2 => Some("false colour: channel 1 green, channel 2 magenta"),
        _ => Some("false colour: channels 1 to 3 red, green and blue"),
    }
}

/// The channels that are drawn as red, green and blue.
fn rgb(channels: usize) -> [usize; 3] {
    match channels {
        1 => [0, 0, 0],
        2 => [1, 0, 1],
        _ => [0, 1, 2],
    }
}

/// Draws an image of values in `[0, 1]` at `[left, top]`, each pixel as a square of `scale` by `scale`;
/// in [`false_colour`] if it is neither grey nor RGB.
///
/// # Shapes
/// - `image`: `shape`, `[channels, height, width]`
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
            let colour = rgb(channels).map(|channel| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_become_colours() {
        for (channels, expected) in [
            (1, [0, 0, 0]),
            (2, [255, 0, 255]),
            (3, [0, 255, 51]),
            (5, [0, 255, 51]),
        ] {
            let mut picture = RgbImage::new(2, 1);
            let image: Vec<f32> = [0.0, 1.0, 0.2, 0.7, 0.9][..channels].to_vec();
            paint(&mut picture, [1, 0], &image, [channels, 1, 1], 1);
            assert_eq!(picture.get_pixel(1, 0).0, expected, "{channels}");
        }
    }
}
