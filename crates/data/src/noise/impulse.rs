use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::bernoulli::checked_probability;
use super::{Corrupted, Level, NoiseError, NoiseModel, assert_shape};

/// Random-valued impulses: with probability `p` a pixel gets a random colour, each channel uniform
/// in `[0, 1)`, and otherwise it stays; independent in every pixel.
///
/// Mean `(1 - p)·x + p/2`, variance `(1 - p)·x² + p/3 - mean²`. The mode is `x`, so the loss is L0,
/// annealed as in Lehtinen et al., "Noise2Noise", section 3.3. The median is `x` for every `x` only
/// up to `p = 1/2`, so L1 fits up to there.
#[derive(Clone, Debug)]
pub struct Impulse {
    p: Level,
}

impl Impulse {
    /// Replaces pixels with probability `p`.
    ///
    /// # Errors
    /// When `p` is negative, or 1 or more.
    pub fn new(p: Level) -> Result<Self, NoiseError> {
        let p = checked_probability(p)?;
        Ok(Self { p })
    }
}

impl NoiseModel for Impulse {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let p = self.p.draw(rng);
        let plane = shape[1] * shape[2];
        let mut values = image.to_vec();
        for pixel in 0..plane {
            if rng.random::<f64>() < p {
                for channel in 0..shape[0] {
                    values[channel * plane + pixel] = rng.random();
                }
            }
        }
        Corrupted::without_mask(values)
    }
}
