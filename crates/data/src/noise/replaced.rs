//! Noise that replaces whole pixels, each with probability `p`, independently.

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
    p: Probability,
}

impl Bernoulli {
    /// Loses pixels with probability `p`.
    ///
    /// # Errors
    /// When `p` is negative, or 1 or more.
    pub fn new(p: Level) -> Result<Self, NoiseError> {
        Probability::new(p).map(|p| Self { p })
    }
}

impl NoiseModel for Bernoulli {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let mut mask = vec![1.0; shape[1] * shape[2]];
        self.p
            .for_each_replaced(shape, rng, |_, pixel| mask[pixel] = 0.0);
        let values = image.iter().zip(mask.iter().cycle());
        Corrupted {
            values: values.map(|(x, m)| x * m).collect(),
            mask: Some(mask),
        }
    }
}

/// Random-valued impulses: with probability `p` a pixel gets a random colour, each channel uniform
/// in `[0, 1)`, and otherwise it stays; independent in every pixel.
///
/// Mean `(1 - p)·x + p/2`, variance `(1 - p)·x² + p/3 - mean²`. The mode is `x`, so the loss is L0,
/// annealed as in Lehtinen et al., "Noise2Noise", section 3.3. The median is `x` for every `x` only
/// up to `p = 1/2`, so L1 fits up to there.
#[derive(Clone, Debug)]
pub struct Impulse {
    p: Probability,
}

impl Impulse {
    /// Replaces pixels with probability `p`.
    ///
    /// # Errors
    /// When `p` is negative, or 1 or more.
    pub fn new(p: Level) -> Result<Self, NoiseError> {
        Probability::new(p).map(|p| Self { p })
    }
}

impl NoiseModel for Impulse {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let mut values = image.to_vec();
        self.p.for_each_replaced(shape, rng, |rng, pixel| {
            channels(pixel, shape).for_each(|at| values[at] = rng.random());
        });
        Corrupted::without_mask(values)
    }
}

/// Salt and pepper: with probability `p` a pixel becomes black or white, one as likely as the other
/// and the same in all channels, and otherwise it stays; independent in every pixel.
///
/// Mean `(1 - p)·x + p/2`, variance `(1 - p)·x² + p/2 - mean²`. Black is below every colour and
/// white above, as often, so the median is `x`: the loss is L1.
#[derive(Clone, Debug)]
pub struct SaltPepper {
    p: Probability,
}

impl SaltPepper {
    /// Replaces pixels with probability `p`.
    ///
    /// # Errors
    /// When `p` is negative, or 1 or more.
    pub fn new(p: Level) -> Result<Self, NoiseError> {
        Probability::new(p).map(|p| Self { p })
    }
}

impl NoiseModel for SaltPepper {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let mut values = image.to_vec();
        self.p.for_each_replaced(shape, rng, |rng, pixel| {
            let value = f32::from(u8::from(rng.random::<bool>()));
            channels(pixel, shape).for_each(|at| values[at] = value);
        });
        Corrupted::without_mask(values)
    }
}

/// Probability that a pixel is replaced: at least 0 and below 1, so that some pixels stay.
#[derive(Clone, Copy, Debug)]
struct Probability(Level);

impl Probability {
    fn new(p: Level) -> Result<Self, NoiseError> {
        p.checked("p", "at least 0 and below 1", |p| (0.0..1.0).contains(&p))
            .map(Self)
    }

    /// Calls `replace` with the generator and the index of each replaced pixel of a plane.
    fn for_each_replaced(
        self,
        [_, height, width]: [usize; 3],
        rng: &mut ChaCha8Rng,
        mut replace: impl FnMut(&mut ChaCha8Rng, usize),
    ) {
        let p = self.0.draw(rng);
        for pixel in 0..height * width {
            if rng.random::<f64>() < p {
                replace(rng, pixel);
            }
        }
    }
}

/// The positions of a pixel's values in a planar image.
fn channels(pixel: usize, [channels, height, width]: [usize; 3]) -> impl Iterator<Item = usize> {
    (0..channels).map(move |channel| channel * height * width + pixel)
}
