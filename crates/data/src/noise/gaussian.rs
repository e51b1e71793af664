use rand_chacha::ChaCha8Rng;

use super::{Corrupted, Level, NoiseError, NoiseModel, assert_shape, normal};

/// Additive white Gaussian noise: `y = x + s·n`, `s = sigma_255 / 255`, `n` standard normal,
/// independent in every pixel and channel.
///
/// Mean `x`, variance `s²`. Loss: L2.
#[derive(Clone, Debug)]
pub struct Gaussian {
    sigma_255: Level,
}

impl Gaussian {
    /// Noise of the standard deviation `sigma_255`, in steps of 8-bit data: 1/255.
    ///
    /// # Errors
    /// When `sigma_255` is negative or not finite.
    pub fn new(sigma_255: Level) -> Result<Self, NoiseError> {
        let sigma_255 = checked_sigma_255(sigma_255)?;
        Ok(Self { sigma_255 })
    }
}

impl NoiseModel for Gaussian {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let s = (self.sigma_255.draw(rng) / 255.0) as f32;
        let noisy = |x: &f32| x + s * normal(rng);
        Corrupted::without_mask(image.iter().map(noisy).collect())
    }
}

pub(super) fn checked_sigma_255(sigma_255: Level) -> Result<Level, NoiseError> {
    sigma_255.checked("sigma_255", "at least 0", |sigma| sigma >= 0.0)
}
