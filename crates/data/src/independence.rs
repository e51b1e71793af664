//! How far the noise of pairs is from what training and estimates of PSNR take for granted.

use rayon::prelude::*;
use serde::Serialize;

use crate::{DataError, ExampleIndex, Examples};

/// Pairs that are looked at, spread over the set.
const SAMPLED: usize = 256;

/// Correlations beyond this are worth a warning: noise that shares a tenth of its deviation with a
/// neighbour already shows in pictures.
const SUSPICIOUS: f64 = 0.1;

/// Correlations of the difference `d = x1 - x2` of a pair, in which the scene cancels out.
///
/// With independent noise of equal variance, `d` has nothing to do with the sum `s = x1 + x2`, at
/// any shift: else one shot is brighter, sharper, noisier or shifted. With noise that is independent
/// from pixel to pixel, `d` has nothing to do with itself next door: else noise is smeared, by an
/// interpolated, denoised or compressed file. Noise that both images share cancels out of `d` and
/// cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NoiseCheck {
    /// Of `d` and `s`: the largest in magnitude over shifts of up to one pixel.
    pub difference_and_sum: f64,
    /// Of `d` and itself one pixel to the right or below: the larger in magnitude.
    pub difference_and_neighbour: f64,
}

impl NoiseCheck {
    /// Looks at noisy pairs as they are before augmentation, if the set has any.
    ///
    /// # Errors
    /// When an example cannot be read.
    pub fn of(examples: &Examples) -> Result<Option<Self>, DataError> {
        let examples = examples.without_augmentation();
        let stride = examples.len().div_ceil(SAMPLED).max(1);
        let moments = (0..examples.len())
            .into_par_iter()
            .step_by(stride)
            .map(|index| {
                let pair = examples.pair(ExampleIndex { epoch: 0, index })?;
                let target = pair.noisy_target;
                Ok(target.map(|target| Moments::of(&pair.noisy_input, &target, pair.shape)))
            })
            .collect::<Result<Option<Vec<_>>, DataError>>()?;
        let Some(moments) = moments.filter(|moments| !moments.is_empty()) else {
            return Ok(None);
        };
        let total = moments.iter().fold(Moments::default(), Moments::plus);
        Ok(Some(total.correlations()))
    }

    /// Looks at one pair of planar images of `[channels, height, width]`.
    pub(crate) fn of_pair(first: &[f32], second: &[f32], shape: [usize; 3]) -> Self {
        Moments::of(first, second, shape).correlations()
    }

    /// Whether there is nothing that a person should know.
    pub(crate) fn is_clear(&self) -> bool {
        let correlations = [self.difference_and_sum, self.difference_and_neighbour];
        correlations.iter().all(|found| found.abs() <= SUSPICIOUS)
    }

    /// What a person should know, if anything.
    pub fn warning(&self) -> Option<String> {
        let mut found = Vec::new();
        if self.difference_and_sum.abs() > SUSPICIOUS {
            found.push(format!(
                "the difference of the two images of a pair follows the scene (correlation {:.2}): \
                 they may be shifted, or of different brightness, sharpness or noise",
                self.difference_and_sum
            ));
        }
        if self.difference_and_neighbour.abs() > SUSPICIOUS {
            found.push(format!(
                "the noise of a pixel follows its neighbour's (correlation {:.2}): files may have \
                 been interpolated, denoised or compressed",
                self.difference_and_neighbour
            ));
        }
        (!found.is_empty()).then(|| found.join("; "))
    }
}

/// Shifts of the sum against the difference: rows and columns.
const SHIFTS: [[usize; 2]; 3] = [[0, 0], [0, 1], [1, 0]];

/// Sums of products over pixels, each image less its mean.
#[derive(Clone, Default)]
struct Moments {
    difference: f64,
    sum: f64,
    /// The difference with the sum, shifted one way and the other.
    crossed: [[f64; 2]; 3],
    /// The difference with itself, shifted.
    own: [f64; 3],
}

impl Moments {
    fn of(first: &[f32], second: &[f32], [_, height, width]: [usize; 3]) -> Self {
        let mut moments = Self::default();
        let planes = first
            .chunks_exact(height * width)
            .zip(second.chunks_exact(height * width));
        for (first, second) in planes {
            let pixels = || first.iter().zip(second);
            let d = centred(pixels().map(|(a, b)| f64::from(a - b)).collect());
            let s = centred(pixels().map(|(a, b)| f64::from(a + b)).collect());
            moments.difference += product(&d, &d, width, [0, 0]);
            moments.sum += product(&s, &s, width, [0, 0]);
            for (at, shift) in SHIFTS.into_iter().enumerate() {
                moments.crossed[at][0] += product(&d, &s, width, shift);
                moments.crossed[at][1] += product(&s, &d, width, shift);
                moments.own[at] += product(&d, &d, width, shift);
            }
        }
        moments
    }

    fn plus(mut self, other: &Self) -> Self {
        self.difference += other.difference;
        self.sum += other.sum;
        for at in 0..SHIFTS.len() {
            self.crossed[at][0] += other.crossed[at][0];
            self.crossed[at][1] += other.crossed[at][1];
            self.own[at] += other.own[at];
        }
        self
    }

    fn correlations(&self) -> NoiseCheck {
        let deviations = (self.difference * self.sum).sqrt();
        let over = |product: f64, scale: f64| if scale > 0.0 { product / scale } else { 0.0 };
        let crossed = self.crossed.as_flattened().iter();
        let largest = |a: f64, b: f64| if b.abs() > a.abs() { b } else { a };
        NoiseCheck {
            difference_and_sum: crossed
                .map(|product| over(*product, deviations))
                .fold(0.0, largest),
            difference_and_neighbour: self.own[1..]
                .iter()
                .map(|product| over(*product, self.difference))
                .fold(0.0, largest),
        }
    }
}

fn centred(mut values: Vec<f64>) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter_mut().for_each(|value| *value -= mean);
    values
}

/// Sum over pixels of `a[y][x] * b[y + down][x + right]`.
fn product(a: &[f64], b: &[f64], width: usize, [down, right]: [usize; 2]) -> f64 {
    let rows = a.chunks_exact(width).zip(b.chunks_exact(width).skip(down));
    rows.flat_map(|(a, b)| a.iter().zip(&b[right..]))
        .map(|(a, b)| a * b)
        .sum()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const SHAPE: [usize; 3] = [1, 60, 80];

    /// Four standard errors of a correlation over 4,800 pixels.
    const TOLERANCE: f64 = 0.06;

    fn noise(seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..4800).map(|_| rng.random::<f32>()).collect()
    }

    /// A wave along the rows.
    fn scene() -> Vec<f32> {
        (0..4800).map(|at| ((at % 80) as f32 / 5.0).sin()).collect()
    }

    fn check(first: &[f32], second: &[f32]) -> NoiseCheck {
        NoiseCheck::of_pair(first, second, SHAPE)
    }

    fn add(a: &[f32], b: &[f32]) -> Vec<f32> {
        a.iter().zip(b).map(|(a, b)| a + b).collect()
    }

    #[test]
    fn independent_noise_of_one_variance_passes() {
        let scene = scene();
        let found = check(&add(&scene, &noise(1)), &add(&scene, &noise(2)));
        assert!(found.difference_and_sum.abs() < TOLERANCE, "{found:?}");
        assert!(
            found.difference_and_neighbour.abs() < TOLERANCE,
            "{found:?}"
        );
        assert_eq!(found.warning(), None);
    }

    #[test]
    fn smeared_noise_and_shifted_scenes_are_seen() {
        let smear = |noise: Vec<f32>| -> Vec<f32> {
            let next = noise.iter().skip(1).chain([&0.0]);
            noise.iter().zip(next).map(|(a, b)| a + b).collect()
        };
        let found = check(&smear(noise(1)), &smear(noise(2)));
        // Neighbours share one of two terms.
        assert!(
            (found.difference_and_neighbour - 0.5).abs() < TOLERANCE,
            "{found:?}"
        );
        assert!(found.warning().unwrap().contains("neighbour"));

        let scene = scene();
        let shifted: Vec<f32> = (0..4800)
            .map(|at| ((at % 80) as f32 / 5.0 + 0.4).sin())
            .collect();
        let found = check(&add(&scene, &noise(1)), &add(&shifted, &noise(2)));
        assert!(found.difference_and_sum.abs() > SUSPICIOUS, "{found:?}");
        let dim: Vec<f32> = scene.iter().map(|value| 0.5 * value).collect();
        let found = check(&add(&scene, &noise(1)), &add(&dim, &noise(2)));
        assert!(found.warning().unwrap().contains("brightness"), "{found:?}");
    }

    #[test]
    fn equal_images_have_no_noise() {
        let found = check(&scene(), &scene());
        assert_eq!(found.difference_and_sum, 0.0);
        assert_eq!(found.warning(), None);
    }
}
