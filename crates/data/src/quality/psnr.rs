/// Equal images count as this, 100 dB, so that a mean over images stays finite.
const MIN_MSE: f64 = 1e-10;

/// Mean squared error of two images: `mean((a - b)²)` over all pixels and channels.
///
/// # Panics
/// If the images differ in length or are empty.
pub fn mse(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "number of values of two images");
    assert!(!a.is_empty(), "MSE of empty images");
    let squares = a
        .iter()
        .zip(b)
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
    squares.sum::<f64>() / a.len() as f64
}

/// Peak signal-to-noise ratio of one image in dB: `-10·log10(mse)` for values in `[0, 1]`.
///
/// Errors below 1e-10 count as 1e-10, so it is never above 100 dB. NaN stays NaN: the output of a
/// network that diverged is not a perfect one.
pub fn psnr_db(mse: f64) -> f64 {
    // `f64::max` would take the number and drop the NaN.
    let mse = if mse < MIN_MSE { MIN_MSE } else { mse };
    -10.0 * mse.log10()
}
