use serde::{Deserialize, Serialize};

use super::{
    Bernoulli, Brown, Clipped, Gaussian, Impulse, Level, NoiseError, NoiseModel, Points, Poisson,
    PoissonGaussian, SaltPepper, Speckle, Text,
};

/// Default of `blur_px`, as in Lehtinen et al., "Noise2Noise", section 3.1.
pub(super) const BLUR_PX: f64 = 2.0;

/// Default of `factor`, so that 32 pixels are made from 256.
pub(super) const FACTOR: usize = 8;

/// Which noise, and how strong: a table of a configuration, or a short text such as `gaussian:25`.
///
/// `clip` wraps the model in [`Clipped`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum NoiseConfig {
    /// See [`Gaussian`].
    Gaussian {
        /// Standard deviation in steps of 1/255.
        sigma_255: Level,
        /// Whether values are cut off at 0 and 1.
        #[serde(default)]
        clip: bool,
    },
    /// See [`Poisson`].
    Poisson {
        /// Photons on average where the image is 1.
        peak: Level,
        /// Whether values are cut off at 0 and 1.
        #[serde(default)]
        clip: bool,
    },
    /// See [`PoissonGaussian`].
    PoissonGaussian {
        /// Photons on average where the image is 1.
        peak: Level,
        /// Standard deviation of the Gaussian part, in steps of 1/255.
        sigma_255: Level,
        /// Whether values are cut off at 0 and 1.
        #[serde(default)]
        clip: bool,
    },
    /// See [`Speckle`].
    Speckle {
        /// Standard deviation, as a share of the clean value.
        sigma: Level,
        /// Whether values are cut off at 0 and 1.
        #[serde(default)]
        clip: bool,
    },
    /// See [`Brown`].
    Brown {
        /// Standard deviation in steps of 1/255.
        sigma_255: Level,
        /// Standard deviation of the blur in pixels.
        #[serde(default = "default_blur_px")]
        blur_px: f64,
        /// Whether values are cut off at 0 and 1.
        #[serde(default)]
        clip: bool,
    },
    /// See [`Bernoulli`].
    Bernoulli {
        /// Probability that a pixel is lost.
        p: Level,
    },
    /// See [`Impulse`].
    Impulse {
        /// Probability that a pixel is replaced.
        p: Level,
    },
    /// See [`SaltPepper`].
    SaltPepper {
        /// Probability that a pixel is replaced.
        p: Level,
    },
    /// See [`Text`].
    Text {
        /// Share of the pixels that letters cover.
        p: Level,
        /// Whether the borders of letters are mixed with the image.
        #[serde(default)]
        antialias: bool,
    },
    /// See [`Points`].
    Points {
        /// Pixels of the given image per pixel, along each axis.
        #[serde(default = "default_factor")]
        factor: usize,
    },
}

impl NoiseConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// When one is out of its range, with its key, value and range.
    pub fn validate(&self) -> Result<(), NoiseError> {
        self.build().map(drop)
    }

    /// The model that is described.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn build(&self) -> Result<Box<dyn NoiseModel>, NoiseError> {
        Ok(match *self {
            Self::Gaussian { sigma_255, clip } => boxed(Gaussian::new(sigma_255)?, clip),
            Self::Poisson { peak, clip } => boxed(Poisson::new(peak)?, clip),
            Self::PoissonGaussian {
                peak,
                sigma_255,
                clip,
            } => boxed(PoissonGaussian::new(peak, sigma_255)?, clip),
            Self::Speckle { sigma, clip } => boxed(Speckle::new(sigma)?, clip),
            Self::Brown {
                sigma_255,
                blur_px,
                clip,
            } => boxed(Brown::new(sigma_255, blur_px)?, clip),
            Self::Bernoulli { p } => Box::new(Bernoulli::new(p)?),
            Self::Impulse { p } => Box::new(Impulse::new(p)?),
            Self::SaltPepper { p } => Box::new(SaltPepper::new(p)?),
            Self::Text { p, antialias } => Box::new(Text::new(p, antialias)?),
            Self::Points { factor } => Box::new(Points::new(factor)?),
        })
    }
}

fn boxed(model: impl NoiseModel + 'static, clip: bool) -> Box<dyn NoiseModel> {
    if clip {
        Box::new(Clipped::new(model))
    } else {
        Box::new(model)
    }
}

fn default_blur_px() -> f64 {
    BLUR_PX
}

fn default_factor() -> usize {
    FACTOR
}
