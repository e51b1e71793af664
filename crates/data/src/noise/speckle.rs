use rand_chacha::ChaCha8Rng;

use super::{Corrupted, Level, NoiseError, NoiseModel, assert_shape, normal};

/// Multiplicative Gaussian noise: `y = x·(1 + sigma·n)`, `n` standard normal, independent in every
/// pixel and channel.
///
/// Mean `x`, variance `(sigma·x)²`: black stays black. Loss: L2.
#[derive(Clone, Debug)]
pub struct Speckle {
    sigma: Level,
}

impl Speckle {
    /// Noise whose standard deviation is `sigma` times the clean value.
    ///
    /// # Errors
    /// When `sigma` is negative or not finite.
    pub fn new(sigma: Level) -> Result<Self, NoiseError> {
        let sigma = sigma.checked("sigma", "at least 0", |sigma| sigma >= 0.0)?;
        Ok(Self { sigma })
    }
}

impl NoiseModel for Speckle {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let sigma = self.sigma.draw(rng) as f32;
        let noisy = |x: &f32| x * (1.0 + sigma * normal(rng));
        Corrupted::without_mask(image.iter().map(noisy).collect())
    }
}
