/// Height and width of the window in pixels, so also the least of an image.
pub const SSIM_WINDOW: usize = 11;

/// Standard deviation of the window in pixels.
const SIGMA: f64 = 1.5;

/// `(K1·L)²` and `(K2·L)²` of the paper, with K1 = 0.01, K2 = 0.03 and the data range L = 1.
pub(super) const C1: f64 = 0.01 * 0.01;
pub(super) const C2: f64 = 0.03 * 0.03;

/// Structural similarity of two images with values in `[0, 1]`: 1 for equal ones.
///
/// `mean of (2·μa·μb + C1)·(2·σab + C2) / ((μa² + μb² + C1)·(σa² + σb² + C2))` over all windows that
/// are inside the image, and over channels, each by itself; `C1 = 0.01²`, `C2 = 0.03²`. `μ`, `σ²`
/// and `σab` are means, variances and the covariance in a window of 11 x 11 pixels, weighted by a
/// Gaussian of the standard deviation 1.5 whose sum is 1 (Wang et al., "Image quality assessment:
/// from error visibility to structural similarity", 2004).
///
/// This is scikit-image's `structural_similarity(a, b, gaussian_weights=True, sigma=1.5,
/// use_sample_covariance=False, data_range=1, channel_axis=0)`, which leaves out a border of 5
/// pixels.
///
/// `None` for an image lower or narrower than [`SSIM_WINDOW`], or without a channel.
///
/// # Shapes
/// - `a`, `b`: `shape`, `[channels, height, width]`
///
/// # Panics
/// If an image is not of `shape`.
pub fn ssim(a: &[f32], b: &[f32], shape: [usize; 3]) -> Option<f64> {
    let [channels, height, width] = shape;
    for image in [a, b] {
        let expected = channels * height * width;
        assert_eq!(image.len(), expected, "number of values of {shape:?}");
    }
    if channels == 0 || height < SSIM_WINDOW || width < SSIM_WINDOW {
        return None;
    }
    let planes = a
        .chunks_exact(height * width)
        .zip(b.chunks_exact(height * width));
    let sum: f64 = planes.map(|(a, b)| plane_ssim(a, b, width)).sum();
    Some(sum / channels as f64)
}

fn plane_ssim(a: &[f32], b: &[f32], width: usize) -> f64 {
    // Two variances appear only as their sum, so four means in each window are enough.
    let mean = |value: fn(f64, f64) -> f64| {
        let values = a.iter().zip(b);
        let values: Vec<f64> = values
            .map(|(&a, &b)| value(f64::from(a), f64::from(b)))
            .collect();
        window_means(&values, width)
    };
    let mean_a = mean(|a, _| a);
    let mean_b = mean(|_, b| b);
    let mean_squares = mean(|a, b| a * a + b * b);
    let mean_product = mean(|a, b| a * b);
    let windows = mean_a.len();
    let sum: f64 = (0..windows)
        .map(|window| {
            let (a, b) = (mean_a[window], mean_b[window]);
            let (squares, product) = (a * a + b * b, a * b);
            let variances = mean_squares[window] - squares;
            let covariance = mean_product[window] - product;
            (2.0 * product + C1) * (2.0 * covariance + C2) / ((squares + C1) * (variances + C2))
        })
        .sum();
    sum / windows as f64
}

/// Weighted mean in every window inside the image: along the rows, then along the columns.
///
/// # Shapes
/// - `values`: `[height, width]`
/// - returns `[height - 10, width - 10]`
fn window_means(values: &[f64], width: usize) -> Vec<f64> {
    let weights = weights();
    let columns = width - (SSIM_WINDOW - 1);
    let mut along_rows = vec![0.0; values.len() / width * columns];
    for (sums, row) in along_rows
        .chunks_exact_mut(columns)
        .zip(values.chunks_exact(width))
    {
        for (tap, weight) in weights.iter().enumerate() {
            add_scaled(sums, &row[tap..], *weight);
        }
    }
    let mut means = vec![0.0; along_rows.len() - (SSIM_WINDOW - 1) * columns];
    for (row, sums) in means.chunks_exact_mut(columns).enumerate() {
        for (tap, weight) in weights.iter().enumerate() {
            add_scaled(sums, &along_rows[(row + tap) * columns..], *weight);
        }
    }
    means
}

/// One axis of the window, which is a product; the sum is 1.
pub(super) fn weights() -> [f64; SSIM_WINDOW] {
    let middle = (SSIM_WINDOW / 2) as f64;
    let weights: [f64; SSIM_WINDOW] =
        std::array::from_fn(|i| (-0.5 * ((i as f64 - middle) / SIGMA).powi(2)).exp());
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// `sums += weight·values`, as far as there are sums.
fn add_scaled(sums: &mut [f64], values: &[f64], weight: f64) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}
