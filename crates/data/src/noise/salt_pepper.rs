use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::bernoulli::checked_probability;
use super::{Corrupted, Level, NoiseError, NoiseModel, assert_shape};

/// Salt and pepper: with probability `p` a pixel becomes black or white, one as likely as the other
/// and the same in all channels, and otherwise it stays; independent in every pixel.
///
/// Mean `(1 - p)·x + p/2`, variance `(1 - p)·x² + p/2 - mean²`. Black is below every colour and
/// white above, as often, so the median is `x`: the loss is L1.
#[derive(Clone, Debug)]
pub struct SaltPepper {
    p: Level,
}

impl SaltPepper {
    /// Replaces pixels with probability `p`.
    ///
    /// # Errors
    /// When `p` is negative, or 1 or more.
    pub fn new(p: Level) -> Result<Self, NoiseError> {
        let p = checked_probability(p)?;
        Ok(Self { p })
    }
}

impl NoiseModel for SaltPepper {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let p = self.p.draw(rng);
        let plane = shape[1] * shape[2];
        let mut values = image.to_vec();
        for pixel in 0..plane {
            if rng.random::<f64>() < p {
                let value = f32::from(u8::from(rng.random::<bool>()));
                for channel in 0..shape[0] {
                    values[channel * plane + pixel] = value;
                }
            }
        }
        Corrupted::without_mask(values)
    }
}
