//! The field's noise models: each corrupts a clean image once, and two draws are independent.
//!
//! Below, `x` is the clean value and `y` the noisy one. A network trained on pairs of noisy images
//! learns what minimizes its loss over the noisy targets, so the noise decides which loss fits
//! (Lehtinen et al., "Noise2Noise", ICML 2018): the mean for L2, the median for L1, the mode for L0.
//!
//! | model | mean of `y` | variance of `y` | loss |
//! | --- | --- | --- | --- |
//! | [`Gaussian`] | `x` | `s²` | L2 |
//! | [`Poisson`] | `x` | `x / peak` | L2 |
//! | [`PoissonGaussian`] | `x` | `x / peak + s²` | L2 |
//! | [`Speckle`] | `x` | `(sigma·x)²` | L2 |
//! | [`Brown`] | `x` | `s²`, correlated in space | L2 |
//! | [`Points`] | mean of the pixel's area | variance of the area | L2 |
//! | [`Bernoulli`] | `(1 - p)·x` | `p·(1 - p)·x²` | L2 over the kept pixels |
//! | [`Text`] | `(1 - p)·x + p/2` | `(1 - p)·x² + p/3 - mean²` | L1 |
//! | [`Impulse`] | `(1 - p)·x + p/2` | `(1 - p)·x² + p/3 - mean²` | L0, or L1 up to `p = 1/2` |
//! | [`SaltPepper`] | `(1 - p)·x + p/2` | `(1 - p)·x² + p/2 - mean²` | L1 |
//!
//! Noisy values may leave `[0, 1]`: cutting them off would move their mean away from `x` near black
//! and white, and an L2 loss would learn that. [`Clipped`] cuts them off for who wants it, as an
//! 8-bit camera does.

use std::borrow::Cow;

use rand_chacha::ChaCha8Rng;

mod bernoulli;
mod brown;
mod clipped;
mod config;
mod error;
mod gaussian;
mod impulse;
mod level;
mod notation;
mod points;
mod poisson;
mod poisson_gaussian;
mod salt_pepper;
mod speckle;
mod stream;
#[cfg(test)]
mod tests;
mod text;

pub use self::{
    bernoulli::Bernoulli,
    brown::Brown,
    clipped::Clipped,
    config::NoiseConfig,
    error::NoiseError,
    gaussian::Gaussian,
    impulse::Impulse,
    level::Level,
    points::Points,
    poisson::Poisson,
    poisson_gaussian::PoissonGaussian,
    salt_pepper::SaltPepper,
    speckle::Speckle,
    stream::{Member, rng},
    text::Text,
};

/// One noisy image.
///
/// # Shapes
/// - `values`: `[channels, height, width]`, what [`NoiseModel::output_shape`] says
/// - `mask`: `[height, width]` of the same, one plane for all channels
#[derive(Clone, Debug, PartialEq)]
pub struct Corrupted {
    /// The noisy image, planar.
    pub values: Vec<f32>,
    /// 1 where the pixel was kept and 0 where it was lost; only [`Bernoulli`] tells.
    pub mask: Option<Vec<f32>>,
}

impl Corrupted {
    fn without_mask(values: Vec<f32>) -> Self {
        Self { values, mask: None }
    }
}

/// A random corruption of images, planar, values nominally in `[0, 1]`.
pub trait NoiseModel: Send + Sync {
    /// `[channels, height, width]` of the images made from one of `shape`: the same, but for
    /// [`Points`].
    fn output_shape(&self, shape: [usize; 3]) -> [usize; 3] {
        shape
    }

    /// What a network should make of the noisy images: `image` itself, but for [`Points`].
    ///
    /// # Shapes
    /// - `image`: `shape`, `[channels, height, width]`
    /// - returns [`output_shape`](Self::output_shape)
    ///
    /// # Panics
    /// If `image` is not of `shape`.
    fn clean<'a>(&self, image: &'a [f32], shape: [usize; 3]) -> Cow<'a, [f32]> {
        assert_shape(image, shape);
        Cow::Borrowed(image)
    }

    /// One noisy image of `image`, which should be free of noise.
    ///
    /// Every random number comes from `rng`. A [`Level`] that is a range is drawn first, so the two
    /// members of a pair, which have generators of their own, have independent levels too.
    ///
    /// # Shapes
    /// - `image`: `shape`, `[channels, height, width]`
    /// - returns [`output_shape`](Self::output_shape)
    ///
    /// # Panics
    /// If `image` is not of `shape`.
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted;
}

fn assert_shape(image: &[f32], shape: [usize; 3]) {
    let [got, expected] = [image.len(), shape.iter().product()];
    assert_eq!(got, expected, "number of values of an image of {shape:?}");
}
