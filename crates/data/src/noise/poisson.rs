use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution;

use super::{Corrupted, Level, NoiseError, NoiseModel, assert_shape};

/// Photon noise: `y = k / peak`, the count `k` Poisson distributed with mean `x·peak`, independent
/// in every pixel and channel.
///
/// Mean `x`, variance `x / peak`; the counts are true ones, not a Gaussian of that variance. Where
/// `x` is 0 or negative no photon arrives, and `y = 0`. Loss: L2.
#[derive(Clone, Debug)]
pub struct Poisson {
    peak: Level,
}

impl Poisson {
    /// Noise of `peak` photons on average where `x = 1`.
    ///
    /// # Errors
    /// When `peak` is 0, negative or above 1e9.
    pub fn new(peak: Level) -> Result<Self, NoiseError> {
        let peak = checked_peak(peak)?;
        Ok(Self { peak })
    }
}

impl NoiseModel for Poisson {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let peak = self.peak.draw(rng);
        let noisy = |x: &f32| (count(f64::from(*x) * peak, rng) / peak) as f32;
        Corrupted::without_mask(image.iter().map(noisy).collect())
    }
}

pub(super) fn checked_peak(peak: Level) -> Result<Level, NoiseError> {
    peak.checked("peak", "above 0 and at most 1e9", |peak| {
        peak > 0.0 && peak <= 1e9
    })
}

/// A number of photons, `mean` of them on average. An invalid mean, such as NaN, is returned as it is.
pub(super) fn count(mean: f64, rng: &mut ChaCha8Rng) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    rand_distr::Poisson::new(mean).map_or(mean, |distribution| distribution.sample(rng))
}
