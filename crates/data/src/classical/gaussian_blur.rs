use rayon::prelude::*;

use super::{assert_shape, symmetric};

/// Standard deviations from the middle to where the window ends.
const TRUNCATE: f64 = 4.0;

/// Mean of the pixels around each, with Gaussian weights of the standard deviation `sigma_px` in pixels.
///
/// `y[i, j] = sum over a, b of g[a]·g[b]·x[i + a, j + b]`, `g[a]` proportional to `exp(-a² / (2·sigma²))`
/// for whole `a` from `-r` to `r`, `r = floor(4·sigma + 1/2)`, and of the sum 1. Images are continued by
/// reflection, their outermost pixels repeated.
///
/// This is `scipy.ndimage.gaussian_filter(x, (0, sigma, sigma), mode="reflect")`.
///
/// # Shapes
/// - `image`: `shape`, `[channels, height, width]`
/// - returns the same
///
/// # Panics
/// If `image` is not of `shape` or has no pixel, or `sigma_px` is not above 0.
pub fn gaussian_blur(image: &[f32], shape: [usize; 3], sigma_px: f64) -> Vec<f32> {
    assert_shape(image, shape);
    assert!(sigma_px > 0.0, "a standard deviation of {sigma_px} pixels");
    let [_, height, width] = shape;
    let weights = weights(sigma_px);
    let radius = (weights.len() / 2) as isize;

    let mut along_columns = vec![0.0; image.len()];
    let rows = along_columns.par_chunks_exact_mut(width).enumerate();
    rows.for_each(|(row, sums)| {
        let (plane, y) = (row / height, (row % height) as isize);
        for (offset, weight) in (-radius..).zip(&weights) {
            let from = plane * height + symmetric(y + offset, height);
            add_scaled(sums, &image[from * width..], *weight);
        }
    });

    let columns = -radius..width as isize + radius;
    let columns: Vec<usize> = columns.map(|x| symmetric(x, width)).collect();
    let mut blurred = vec![0.0; image.len()];
    let rows = blurred.par_chunks_exact_mut(width);
    rows.zip(along_columns.par_chunks_exact(width))
        .for_each(|(sums, row)| {
            let continued: Vec<f32> = columns.iter().map(|&x| row[x]).collect();
            for (tap, weight) in weights.iter().enumerate() {
                add_scaled(sums, &continued[tap..], *weight);
            }
        });
    blurred
}

/// One axis of the window, which is a product.
fn weights(sigma_px: f64) -> Vec<f32> {
    let radius = (TRUNCATE * sigma_px + 0.5).floor() as i32;
    let weight = |a: i32| (-0.5 * (f64::from(a) / sigma_px).powi(2)).exp();
    let sum: f64 = (-radius..=radius).map(weight).sum();
    let weights = (-radius..=radius).map(|a| (weight(a) / sum) as f32);
    weights.collect()
}

/// `sums += weight·values`, as far as there are sums.
fn add_scaled(sums: &mut [f32], values: &[f32], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}
