//! The trait of noise models, and the noise of an experiment: a built-in model or any other.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use super::{NoiseConfig, NoiseError};

/// One noisy image.
///
/// # Shapes
/// - `values`: `[channels, height, width]`, the [`NoiseModel::output_shape`]
/// - `mask`: `[height, width]` of the same, one plane for all channels
#[derive(Clone, Debug, PartialEq)]
pub struct Corrupted {
    /// The noisy image, planar.
    pub values: Vec<f32>,
    /// 1 where the pixel was kept and 0 where it was lost; of the built-in models only
    /// [`Bernoulli`](super::Bernoulli) has a mask.
    pub mask: Option<Vec<f32>>,
}

impl Corrupted {
    /// A noisy image of which every pixel counts.
    pub fn without_mask(values: Vec<f32>) -> Self {
        Self { values, mask: None }
    }

    /// Checks what a model returned.
    ///
    /// # Panics
    /// If the image or the mask is not of `shape`.
    pub(crate) fn assert_shape(&self, shape: [usize; 3]) {
        assert_shape(&self.values, shape);
        if let Some(mask) = &self.mask {
            assert_shape(mask, [1, shape[1], shape[2]]);
        }
    }
}

/// A random corruption of clean images, planar, values nominally in `[0, 1]`.
///
/// Implement it for noise that no built-in model has:
///
/// ```
/// use std::sync::Arc;
///
/// use n2n_data::noise::{ChaCha8Rng, Corrupted, Noise, NoiseModel, normal};
///
/// /// Rows of a sensor that are brighter or darker as a whole.
/// struct Banding {
///     sigma: f32,
/// }
///
/// impl NoiseModel for Banding {
///     fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
///         let mut values = image.to_vec();
///         for row in values.chunks_exact_mut(shape[2]) {
///             let offset = self.sigma * normal(rng);
///             row.iter_mut().for_each(|value| *value += offset);
///         }
///         Corrupted::without_mask(values)
///     }
/// }
///
/// let noise = Noise::Model(Arc::new(Banding { sigma: 0.1 }));
/// assert_eq!(noise.build()?.output_shape([3, 4, 5]), [3, 4, 5]);
/// # Ok::<(), n2n_data::noise::NoiseError>(())
/// ```
pub trait NoiseModel: Send + Sync {
    /// Side, in pixels of the clean image, of the square that becomes one noisy pixel; 1 for all
    /// built-in models but [`Points`](super::Points). A model that reduces images
    /// also implements [`clean`](Self::clean).
    fn reduction(&self) -> usize {
        1
    }

    /// `[channels, height, width]` of the images made from one of `shape`: each side divided by
    /// [`reduction`](Self::reduction), rounded down.
    fn output_shape(&self, [channels, height, width]: [usize; 3]) -> [usize; 3] {
        let reduction = self.reduction();
        [channels, height / reduction, width / reduction]
    }

    /// The clean image of the noisy ones: `image` itself, unless the model reduces images.
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

    /// A noisy version of `image`, a clean image.
    ///
    /// All random numbers come from `rng`, so that an example is a function of the seed. Both images
    /// of a pair are made by calls with independent generators: a [`Level`](super::Level) that is a
    /// range is drawn in each call, and the two images have independent levels.
    ///
    /// # Shapes
    /// - `image`: `shape`, `[channels, height, width]`
    /// - returns [`output_shape`](Self::output_shape)
    ///
    /// # Panics
    /// If `image` is not of `shape`.
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted;
}

/// Checks that a planar image is of `shape`.
pub(crate) fn assert_shape(image: &[f32], shape: [usize; 3]) {
    let [got, expected] = [image.len(), shape.iter().product()];
    assert_eq!(got, expected, "number of values of an image of {shape:?}");
}

/// Noise to put on clean images.
#[derive(Clone)]
pub enum Noise {
    /// A built-in model.
    Config(NoiseConfig),
    /// Any other model.
    Model(Arc<dyn NoiseModel>),
}

impl Noise {
    /// The model.
    ///
    /// # Errors
    /// When a number of the config is out of its range.
    pub fn build(&self) -> Result<Arc<dyn NoiseModel>, NoiseError> {
        match self {
            Self::Config(config) => Ok(config.build()?.into()),
            Self::Model(model) => Ok(model.clone()),
        }
    }

    /// The config of a built-in model.
    pub fn config(&self) -> Option<NoiseConfig> {
        match self {
            Self::Config(config) => Some(*config),
            Self::Model(_) => None,
        }
    }
}

impl From<NoiseConfig> for Noise {
    fn from(config: NoiseConfig) -> Self {
        Self::Config(config)
    }
}

impl From<Arc<dyn NoiseModel>> for Noise {
    fn from(model: Arc<dyn NoiseModel>) -> Self {
        Self::Model(model)
    }
}

/// The notation of a built-in model.
impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(config) => config.fmt(f),
            Self::Model(_) => f.write_str("custom model"),
        }
    }
}

impl fmt::Debug for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(config) => f.debug_tuple("Config").field(config).finish(),
            Self::Model(_) => f.write_str("Model(..)"),
        }
    }
}
