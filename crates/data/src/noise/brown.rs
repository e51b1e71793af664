use rand_chacha::ChaCha8Rng;

use super::gaussian::checked_sigma_255;
use super::level::checked_number;
use super::{Corrupted, Level, NoiseError, NoiseModel, assert_shape, normal};

/// The kernel ends this many of its standard deviations from its middle, at 0.03 % of its peak.
const REACH: f64 = 4.0;

/// Gaussian noise correlated in space: `y = x + s·b`, `s = sigma_255 / 255`, where `b` is white
/// standard normal noise convolved with a Gaussian kernel `g`, independent in every channel
/// (Lehtinen et al., "Noise2Noise", section 3.1).
///
/// The kernel is scaled to `sum g² = 1`, and the white noise reaches beyond the image by the
/// kernel's radius, so that every pixel, also at the border, has exactly the variance `s²`.
///
/// Mean `x`, variance `s²`, correlation of two pixels `(dy, dx)` apart: the kernel's with itself,
/// `sum g(i, j)·g(i + dy, j + dx)`, about `exp(-(dy² + dx²) / (4·blur_px²))`. Loss: L2.
#[derive(Clone, Debug)]
pub struct Brown {
    sigma_255: Level,
    /// One axis of the kernel, which is a product; the sum of its squares is 1.
    kernel: Vec<f32>,
}

impl Brown {
    /// Noise of the standard deviation `sigma_255`, in steps of 1/255, blurred by a Gaussian of the
    /// standard deviation `blur_px`, in pixels.
    ///
    /// # Errors
    /// When `sigma_255` is negative or not finite, or `blur_px` is not above 0 or is above 64.
    pub fn new(sigma_255: Level, blur_px: f64) -> Result<Self, NoiseError> {
        let sigma_255 = checked_sigma_255(sigma_255)?;
        let blur_px = checked_number(blur_px, "blur_px", "above 0 and at most 64", |blur_px| {
            blur_px > 0.0 && blur_px <= 64.0
        })?;
        let radius = (REACH * blur_px).ceil() as i32;
        let weights: Vec<f64> = (-radius..=radius)
            .map(|i| (-0.5 * (f64::from(i) / blur_px).powi(2)).exp())
            .collect();
        let norm = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
        let kernel = weights.iter().map(|w| (w / norm) as f32).collect();
        Ok(Self { sigma_255, kernel })
    }
}

impl NoiseModel for Brown {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let s = (self.sigma_255.draw(rng) / 255.0) as f32;
        let [channels, height, width] = shape;
        let mut values = image.to_vec();
        let margin = self.kernel.len() - 1;
        let mut white = vec![0.0; width + margin];
        // Each line of noise, blurred along itself, is spread over the lines of the image around it.
        let mut blurred = vec![0.0; width];
        for channel in 0..channels {
            let plane = &mut values[channel * height * width..][..height * width];
            for line in 0..height + margin {
                white.fill_with(|| s * normal(rng));
                blurred.fill(0.0);
                for (tap, &weight) in self.kernel.iter().enumerate() {
                    add_scaled(&mut blurred, &white[tap..], weight);
                }
                for (tap, &weight) in self.kernel.iter().enumerate() {
                    // The line `line - tap` of the image, if there is one.
                    let row = line.checked_sub(tap).filter(|&row| row < height);
                    if let Some(row) = row {
                        add_scaled(&mut plane[row * width..][..width], &blurred, weight);
                    }
                }
            }
        }
        Corrupted::without_mask(values)
    }
}

/// `sums += weight·values`, as far as there are sums.
fn add_scaled(sums: &mut [f32], values: &[f32], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}
