//! Normalization of the network's input: subtract a mean, divide by a standard deviation.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{DataError, PairSource};

/// The smallest standard deviation divided by: one step of 8-bit data. What varies less is flat,
/// and dividing by its deviation would only blow up quantization.
const MIN_STD: f64 = 1.0 / 255.0;

/// Sums are taken over integers, so that their order cannot matter. 65535 is 255 * 257: values
/// that came from 8-bit or 16-bit integers are integers on this scale too.
const SCALE: f64 = 65535.0;

/// Where the statistics of a [`Normalization`] come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormalizationKind {
    /// Inputs stay as they are.
    #[default]
    None,
    /// Each channel of each image has its own mean and deviation, over its height and width.
    PerImage,
    /// Each pixel of each channel has a mean and deviation over the training inputs.
    PerPixel,
}

/// A normalization with its statistics, as a model file carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Normalization {
    /// See [`NormalizationKind::None`].
    None,
    /// See [`NormalizationKind::PerImage`].
    PerImage,
    /// See [`NormalizationKind::PerPixel`].
    PerPixel {
        /// `[channels, height, width]` of the statistics.
        shape: [usize; 3],
        /// Mean of the training inputs, planar.
        mean: Vec<f32>,
        /// Standard deviation of the training inputs, planar, never below one 8-bit step.
        std: Vec<f32>,
    },
}

impl Normalization {
    /// Fits the statistics on the noisy inputs of `train`: the same whatever the number of threads.
    ///
    /// # Errors
    /// When an example cannot be read.
    pub fn fit(kind: NormalizationKind, train: &dyn PairSource) -> Result<Self, DataError> {
        match kind {
            NormalizationKind::None => Ok(Self::None),
            NormalizationKind::PerImage => Ok(Self::PerImage),
            NormalizationKind::PerPixel => {
                let shape = train.shape();
                let sums = (0..train.len())
                    .into_par_iter()
                    .try_fold(
                        || PixelSums::new(shape.iter().product()),
                        |sums, index| Ok(sums.with(&train.pair(index)?.noisy_input)),
                    )
                    .try_reduce(
                        || PixelSums::new(shape.iter().product()),
                        |a, b| Ok(a.merge(b)),
                    )?;
                let (mean, std) = sums.mean_and_std();
                Ok(Self::PerPixel { shape, mean, std })
            }
        }
    }

    /// Normalizes one planar image in place.
    ///
    /// # Panics
    /// If per-pixel statistics have another shape.
    pub fn apply(&self, image: &mut [f32], shape: [usize; 3]) {
        match self {
            Self::None => {}
            Self::PerImage => {
                for channel in image.chunks_exact_mut(shape[1] * shape[2]) {
                    let (mean, std) = mean_and_std(channel);
                    for value in channel {
                        *value = ((f64::from(*value) - mean) / std) as f32;
                    }
                }
            }
            Self::PerPixel {
                shape: fitted,
                mean,
                std,
            } => {
                assert_eq!(*fitted, shape, "per-pixel statistics are of another shape");
                for ((value, mean), std) in image.iter_mut().zip(mean).zip(std) {
                    *value = (*value - mean) / std;
                }
            }
        }
    }
}

/// Population mean and deviation of some values.
fn mean_and_std(values: &[f32]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let variance = values
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>()
        / count;
    (mean, variance.sqrt().max(MIN_STD))
}

/// Integer sums of values and squares for each pixel. With 16-bit values they hold 2^32 images.
struct PixelSums {
    count: u64,
    sums: Vec<u64>,
    squares: Vec<u64>,
}

impl PixelSums {
    fn new(pixels: usize) -> Self {
        Self {
            count: 0,
            sums: vec![0; pixels],
            squares: vec![0; pixels],
        }
    }

    fn with(mut self, image: &[f32]) -> Self {
        self.count += 1;
        for ((sum, square), &value) in self.sums.iter_mut().zip(&mut self.squares).zip(image) {
            let value = (f64::from(value) * SCALE).round() as u64;
            *sum += value;
            *square += value * value;
        }
        self
    }

    fn merge(mut self, other: Self) -> Self {
        self.count += other.count;
        let add = |into: &mut [u64], from: &[u64]| {
            into.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        };
        add(&mut self.sums, &other.sums);
        add(&mut self.squares, &other.squares);
        self
    }

    fn mean_and_std(&self) -> (Vec<f32>, Vec<f32>) {
        let count = self.count as f64;
        self.sums
            .iter()
            .zip(&self.squares)
            .map(|(&sum, &square)| {
                let mean = sum as f64 / count;
                // n * sum(x^2) - sum(x)^2 in integers: no cancellation.
                let spread =
                    u128::from(self.count) * u128::from(square) - u128::from(sum) * u128::from(sum);
                let std = (spread as f64).sqrt() / count;
                ((mean / SCALE) as f32, (std / SCALE).max(MIN_STD) as f32)
            })
            .unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scenes, ScenesConfig, Split};

    /// f32 statistics of values in `[0, 1]`, against f64.
    const TOLERANCE: f64 = 1e-6;

    fn scenes() -> Scenes {
        let config = ScenesConfig {
            train: 40,
            height: 4,
            width: 6,
            oversample: 2,
            ..ScenesConfig::default()
        };
        Scenes::new(&config, 1, Split::Train)
    }

    #[test]
    fn per_pixel_statistics_are_the_mean_and_deviation_over_the_inputs() {
        let scenes = scenes();
        let fitted = Normalization::fit(NormalizationKind::PerPixel, &scenes).unwrap();
        let Normalization::PerPixel { shape, mean, std } = &fitted else {
            panic!("{fitted:?}");
        };
        assert_eq!(*shape, [3, 4, 6]);
        let inputs: Vec<_> = (0..scenes.len())
            .map(|index| scenes.pair(index).unwrap().noisy_input)
            .collect();
        for pixel in 0..mean.len() {
            let values: Vec<f32> = inputs.iter().map(|input| input[pixel]).collect();
            let (expected_mean, expected_std) = mean_and_std(&values);
            assert!((f64::from(mean[pixel]) - expected_mean).abs() < TOLERANCE);
            assert!((f64::from(std[pixel]) - expected_std).abs() < TOLERANCE);
        }

        let mut image = inputs[7].clone();
        fitted.apply(&mut image, *shape);
        for (pixel, value) in image.iter().enumerate() {
            let back = value * std[pixel] + mean[pixel];
            assert!(f64::from((back - inputs[7][pixel]).abs()) < TOLERANCE);
        }
    }

    #[test]
    fn statistics_do_not_depend_on_the_number_of_threads() {
        let fit = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let fit = || Normalization::fit(NormalizationKind::PerPixel, &scenes()).unwrap();
            pool.build().unwrap().install(fit)
        };
        assert_eq!(fit(1), fit(5));
    }

    #[test]
    fn each_channel_of_each_image_is_centred_and_scaled() {
        let mut image = scenes().pair(2).unwrap().noisy_input;
        Normalization::PerImage.apply(&mut image, [3, 4, 6]);
        for channel in image.chunks_exact(24) {
            let (mean, std) = mean_and_std(channel);
            assert!(
                mean.abs() < TOLERANCE && (std - 1.0).abs() < TOLERANCE,
                "{mean} {std}"
            );
        }
    }

    #[test]
    fn a_flat_image_stays_finite() {
        let mut image = vec![0.25; 3 * 4 * 6];
        Normalization::PerImage.apply(&mut image, [3, 4, 6]);
        assert!(image.iter().all(|value| *value == 0.0));
    }
}
