use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::gaussian::checked_sigma_255;
use super::poisson::{checked_peak, count};
use super::{Corrupted, Level, NoiseError, NoiseModel, assert_shape};

/// A sensor's noise, photons and then electronics: `y = k / peak + s·n`, with the count `k` Poisson
/// distributed with mean `x·peak`, `s = sigma_255 / 255`, `n` standard normal, all independent.
///
/// Mean `x`, variance `x / peak + s²`. Loss: L2.
#[derive(Clone, Debug)]
pub struct PoissonGaussian {
    peak: Level,
    sigma_255: Level,
}

impl PoissonGaussian {
    /// Photon noise as [`Poisson`](super::Poisson) has it, and on top noise as
    /// [`Gaussian`](super::Gaussian) has it.
    ///
    /// # Errors
    /// When `peak` or `sigma_255` is not what those accept.
    pub fn new(peak: Level, sigma_255: Level) -> Result<Self, NoiseError> {
        let (peak, sigma_255) = (checked_peak(peak)?, checked_sigma_255(sigma_255)?);
        Ok(Self { peak, sigma_255 })
    }
}

impl NoiseModel for PoissonGaussian {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let peak = self.peak.draw(rng);
        let s = self.sigma_255.draw(rng) / 255.0;
        let noisy = |x: &f32| {
            let photons = count(f64::from(*x) * peak, rng) / peak;
            (photons + s * rng.sample::<f64, _>(StandardNormal)) as f32
        };
        Corrupted::without_mask(image.iter().map(noisy).collect())
    }
}
