//! Max-pooling by 2, channels-last.

#![allow(unsafe_code)] // Vouches for what it wrote.

use crate::Images;
use crate::output::{unwritten, written, zeroed};
use crate::parallel::{parts, run, split};

/// The maximum of each 2x2 pixels; a last odd row or column is dropped.
///
/// # Shapes
/// - `input`: `[batch_size, height, width, channels]`
/// - output: `[batch_size, height / 2, width / 2, channels]`
///
/// # Panics
/// If the input's length does not match.
pub fn max_pool(images: Images, channels: usize, input: &[f32]) -> Vec<f32> {
    let row = check(images, channels, input);
    let [height, width] = [images.height / 2, images.width / 2];
    let mut output = unwritten(images.batch_size * height * width * channels);
    if output.is_empty() {
        return vec![];
    }
    let line = width * channels;
    let parts: Vec<_> = parts(images.batch_size * height).collect();
    let pieces = split(&mut output, parts.iter().map(|part| part.len() * line));
    let work: Vec<_> = parts.into_iter().zip(pieces).collect();
    run(work, |(lines, output)| {
        for (line, output) in lines.zip(output.chunks_exact_mut(line)) {
            let start = (line / height * images.height + 2 * (line % height)) * row;
            let (upper, lower) = input[start..start + 2 * row].split_at(row);
            let pairs = upper
                .chunks_exact(2 * channels)
                .zip(lower.chunks_exact(2 * channels));
            for (output, (upper, lower)) in output.chunks_exact_mut(channels).zip(pairs) {
                let (a, b) = upper.split_at(channels);
                let (c, d) = lower.split_at(channels);
                for (i, output) in output.iter_mut().enumerate() {
                    output.write(larger(larger(a[i], b[i]), larger(c[i], d[i])));
                }
            }
        }
    });
    // SAFETY: the parts cover the output's lines, and each writes all their pixels.
    unsafe { written(output) }
}

/// Gradient of [`max_pool`]: the first maximum, row by row, takes all of it, as in PyTorch.
///
/// # Panics
/// If a length does not match.
pub fn max_pool_backward(
    images: Images,
    channels: usize,
    input: &[f32],
    output_grad: &[f32],
) -> Vec<f32> {
    let row = check(images, channels, input);
    let [height, width] = [images.height / 2, images.width / 2];
    let pooled = images.batch_size * height * width * channels;
    assert_eq!(output_grad.len(), pooled, "gradient of another shape");
    let mut grad = unwritten(input.len());
    if pooled == 0 {
        return vec![0.0; input.len()];
    }
    let image = images.height * row;
    let parts: Vec<_> = parts(images.batch_size).collect();
    let pieces = split(&mut grad, parts.iter().map(|part| part.len() * image));
    let work: Vec<_> = parts.into_iter().zip(pieces).collect();
    run(work, |(batch, grad)| {
        let grad = zeroed(grad);
        for (image, grad) in batch.zip(grad.chunks_exact_mut(image)) {
            let lines = grad.chunks_exact_mut(2 * row).enumerate();
            for (line, grad) in lines {
                let start = (image * images.height + 2 * line) * row;
                let (upper, lower) = input[start..start + 2 * row].split_at(row);
                let (upper_grad, lower_grad) = grad.split_at_mut(row);
                let start = (image * height + line) * width * channels;
                for x in 0..width {
                    let at = 2 * x * channels;
                    let [a, b] = [
                        &upper[at..at + channels],
                        &upper[at + channels..at + 2 * channels],
                    ];
                    let [c, d] = [
                        &lower[at..at + channels],
                        &lower[at + channels..at + 2 * channels],
                    ];
                    let (a_grad, b_grad) = upper_grad[at..at + 2 * channels].split_at_mut(channels);
                    let (c_grad, d_grad) = lower_grad[at..at + 2 * channels].split_at_mut(channels);
                    let output_grad =
                        &output_grad[start + x * channels..start + (x + 1) * channels];
                    for (i, &grad) in output_grad.iter().enumerate() {
                        let upper = larger(a[i], b[i]);
                        let lower = larger(c[i], d[i]);
                        let in_upper = !takes(lower, upper);
                        let (left, right) = (!takes(b[i], a[i]), !takes(d[i], c[i]));
                        a_grad[i] = if in_upper && left { grad } else { 0.0 };
                        b_grad[i] = if in_upper && !left { grad } else { 0.0 };
                        c_grad[i] = if !in_upper && right { grad } else { 0.0 };
                        d_grad[i] = if !in_upper && !right { grad } else { 0.0 };
                    }
                }
            }
        }
    });
    // SAFETY: the parts cover the batch, and each starts from zeros.
    unsafe { written(grad) }
}

/// Whether a later value replaces an earlier one; a NaN replaces any value and stays.
#[inline(always)]
fn takes(later: f32, earlier: f32) -> bool {
    later > earlier || (later.is_nan() && !earlier.is_nan())
}

#[inline(always)]
fn larger(earlier: f32, later: f32) -> f32 {
    if takes(later, earlier) {
        later
    } else {
        earlier
    }
}

/// The length of a row of pixels.
fn check(images: Images, channels: usize, input: &[f32]) -> usize {
    let row = images.width * channels;
    let expected = images.batch_size * images.height * row;
    assert_eq!(input.len(), expected, "input of another shape");
    row
}
