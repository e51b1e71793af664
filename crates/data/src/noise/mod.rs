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
//! and white, and an L2 loss would learn that. [`Clipped`] cuts them off, as an 8-bit camera does.
//!
//! [`NoiseModel`] is the trait to implement for noise that none of these has.

mod brown;
mod clipped;
mod config;
mod error;
mod gaussian;
mod level;
mod model;
mod notation;
mod points;
mod poisson;
mod poisson_gaussian;
mod random;
mod replaced;
mod speckle;
#[cfg(test)]
mod tests;
mod text;

pub use rand_chacha::ChaCha8Rng;

pub(crate) use self::model::assert_shape;
pub use self::{
    brown::Brown,
    clipped::Clipped,
    config::NoiseConfig,
    error::NoiseError,
    gaussian::Gaussian,
    level::Level,
    model::{Corrupted, Noise, NoiseModel},
    points::Points,
    poisson::Poisson,
    poisson_gaussian::PoissonGaussian,
    random::{Member, normal, rng},
    replaced::{Bernoulli, Impulse, SaltPepper},
    speckle::Speckle,
    text::Text,
};
