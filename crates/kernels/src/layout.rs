//! Conversion from `[batch_size, channels, height, width]` to channels-last.

#![allow(unsafe_code)] // Asserts that the output is initialized.

use crate::Images;
use crate::output::{Unwritten, unwritten, written};
use crate::parallel::{parts, run, split};

/// Converts NCHW images to NHWC.
///
/// # Panics
/// If the length does not match.
pub fn channels_last(images: Images, channels: usize, values: &[f32]) -> Vec<f32> {
    let pixels = images.height * images.width;
    let image = channels * pixels;
    assert_eq!(
        values.len(),
        images.batch_size * image,
        "images of another shape"
    );
    let mut output = unwritten(values.len());
    let parts: Vec<_> = parts(images.batch_size).collect();
    let pieces = split(&mut output, parts.iter().map(|part| part.len() * image));
    let work: Vec<_> = parts.into_iter().zip(pieces).collect();
    run(work, |(batch, output)| {
        let values = &values[batch.start * image..batch.end * image];
        for (values, output) in values
            .chunks_exact(image)
            .zip(output.chunks_exact_mut(image))
        {
            match channels {
                3 => interleave::<3>(values, output),
                _ => transpose(channels, values, output),
            }
        }
    });
    // SAFETY: the parts cover the batch, and each writes every channel of every pixel.
    unsafe { written(output) }
}

/// Planes whose channels are written together for each pixel.
fn interleave<const C: usize>(values: &[f32], output: &mut Unwritten) {
    let pixels = values.len() / C;
    let planes: [&[f32]; C] = std::array::from_fn(|c| &values[c * pixels..(c + 1) * pixels]);
    for (at, pixel) in output.as_chunks_mut::<C>().0.iter_mut().enumerate() {
        for (value, plane) in pixel.iter_mut().zip(planes) {
            value.write(plane[at]);
        }
    }
}

fn transpose(channels: usize, values: &[f32], output: &mut Unwritten) {
    /// Pixels that stay in the first-level cache for any number of channels.
    const PIXELS: usize = 64;
    let pixels = values.len() / channels;
    for start in (0..pixels).step_by(PIXELS) {
        let end = pixels.min(start + PIXELS);
        for channel in 0..channels {
            let plane = &values[channel * pixels..(channel + 1) * pixels];
            for at in start..end {
                output[at * channels + channel].write(plane[at]);
            }
        }
    }
}
