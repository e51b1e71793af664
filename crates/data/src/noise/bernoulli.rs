use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Corrupted, Level, NoiseError, NoiseModel, assert_shape};

/// Lost pixels: `y = m·x`, where the mask `m` is 0 with probability `p` and 1 otherwise,
/// independent in every pixel, and the same in all channels of a pixel.
///
/// Mean `(1 - p)·x`, variance `p·(1 - p)·x²`. Loss: L2 over the pixels that the target kept,
/// `m·(f - y)²`, for which the mask is given; over those the mean of `y` is `x` (Lehtinen et al.,
/// "Noise2Noise", section 3.3).
#[derive(Clone, Debug)]
pub struct Bernoulli {
    p: Level,
}

impl Bernoulli {
    /// Loses pixels with probability `p`.
    ///
    /// # Errors
    /// When `p` is negative, or 1 or more.
    pub fn new(p: Level) -> Result<Self, NoiseError> {
        let p = checked_probability(p)?;
        Ok(Self { p })
    }
}

impl NoiseModel for Bernoulli {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let p = self.p.draw(rng);
        let plane = shape[1] * shape[2];
        let kept = |_| f32::from(u8::from(rng.random::<f64>() >= p));
        let mask: Vec<f32> = (0..plane).map(kept).collect();
        let values = image.iter().zip(mask.iter().cycle());
        Corrupted {
            values: values.map(|(x, m)| x * m).collect(),
            mask: Some(mask),
        }
    }
}

/// A share of pixels that leaves some of them.
pub(super) fn checked_probability(p: Level) -> Result<Level, NoiseError> {
    p.checked("p", "at least 0 and below 1", |p| (0.0..1.0).contains(&p))
}
