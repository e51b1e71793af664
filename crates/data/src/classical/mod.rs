//! Classical denoisers, to compare a network with: on the host, without training.
//!
//! Images are planar, `[channels, height, width]`, values nominally in `[0, 1]`. Each denoiser has one
//! strength, and [`best_strength`] looks for the best.

mod gaussian_blur;
mod median;
mod non_local_means;
mod search;
#[cfg(test)]
mod tests;

pub use self::{
    gaussian_blur::gaussian_blur,
    median::median,
    non_local_means::{SEARCH_DISTANCE, non_local_means},
    search::{Best, best_strength},
};

/// A classical denoiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classical {
    /// [`gaussian_blur`]; its strength is the standard deviation in pixels.
    GaussianBlur,
    /// [`median`]; its strength is the side of the window in pixels.
    Median,
    /// [`non_local_means`]; its strength is `h`.
    NonLocalMeans,
}

impl Classical {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::GaussianBlur, Self::Median, Self::NonLocalMeans];

    /// Strengths from the weakest to the strongest that is of use: four for each factor of two, and for
    /// the median every one.
    pub fn strengths(self) -> Vec<f64> {
        let geometric = |first: f64, count: i32| {
            let strengths = (0..count).map(|step| first * 2_f64.powf(f64::from(step) / 4.0));
            strengths.collect()
        };
        match self {
            Self::GaussianBlur => geometric(0.25, 21),
            Self::Median => (1..=6).map(|radius| f64::from(2 * radius + 1)).collect(),
            Self::NonLocalMeans => geometric(0.01, 25),
        }
    }

    /// An image, denoised with one of [`strengths`](Self::strengths).
    ///
    /// # Shapes
    /// - `image`: `shape`, `[channels, height, width]`
    /// - returns the same
    ///
    /// # Panics
    /// If `image` is not of `shape`, or the strength is not possible.
    pub fn denoise(self, image: &[f32], shape: [usize; 3], strength: f64) -> Vec<f32> {
        match self {
            Self::GaussianBlur => gaussian_blur(image, shape, strength),
            Self::Median => median(image, shape, strength as usize),
            Self::NonLocalMeans => non_local_means(image, shape, strength),
        }
    }
}

/// The pixel that stands for one at `position` of an axis of `length` pixels: reflected about the outer
/// edges of the outermost pixels, which so come twice; what SciPy calls `reflect` and NumPy `symmetric`.
fn symmetric(position: isize, length: usize) -> usize {
    let length = length as isize;
    let at = position.rem_euclid(2 * length);
    at.min(2 * length - 1 - at).unsigned_abs()
}

fn assert_shape(image: &[f32], shape: [usize; 3]) {
    let [got, expected] = [image.len(), shape.iter().product()];
    assert_eq!(got, expected, "number of values of an image of {shape:?}");
    assert!(got > 0, "an image without a pixel: {shape:?}");
}
