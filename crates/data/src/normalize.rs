//! Normalization of the network's input: subtract a mean, divide by a standard deviation; and of its
//! output, where that is in the same units: the other way round.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{DataError, ExampleIndex, Examples, NoisyPair};

/// The smallest standard deviation divided by: one step of 8-bit data. What varies less is flat,
/// and dividing by its deviation would only blow up quantization.
pub const MIN_STD: f64 = 1.0 / 255.0;

/// Sums are taken over integers, so that their order cannot matter. 65535 is 255 * 257: values
/// that came from 8-bit or 16-bit integers are integers on this scale too.
const SCALE: f64 = 65535.0;

/// Largest value, in lengths of the range, whose square and sums are exact.
const LARGEST: f32 = 1e12;

/// Examples that per-channel statistics are taken from, spread over the set: with a thousand pixels
/// each, the mean is known to a thousandth of the deviation.
const CHANNEL_SAMPLE: usize = 4096;

/// Where the statistics of a [`Normalization`] come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormalizationKind {
    /// Inputs stay as they are.
    #[default]
    None,
    /// Each channel of each image has its own mean and deviation, over its height and width.
    PerImage,
    /// Each channel has a mean and deviation over the training inputs.
    PerChannel,
    /// Each pixel of each channel has a mean and deviation over the training inputs, which are of one
    /// size.
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
    /// See [`NormalizationKind::PerChannel`].
    PerChannel {
        /// Mean of each channel.
        mean: Vec<f32>,
        /// Standard deviation of each channel, never below one 8-bit step.
        std: Vec<f32>,
    },
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
    /// Fits the statistics on the noisy inputs of `train` as its first epoch has them: the same
    /// whatever the number of threads.
    ///
    /// # Errors
    /// When an example cannot be read.
    pub fn fit(kind: NormalizationKind, train: &Examples) -> Result<Self, DataError> {
        match kind {
            NormalizationKind::None => Ok(Self::None),
            NormalizationKind::PerImage => Ok(Self::PerImage),
            NormalizationKind::PerPixel => {
                let shape = train.shape(0);
                let pixels = shape.iter().product();
                let (mean, std) = sums(train, 1, pixels, Sums::add_pixels)?.mean_and_std();
                Ok(Self::PerPixel { shape, mean, std })
            }
            NormalizationKind::PerChannel => {
                let channels = train.shape(0)[0];
                let stride = train.len().div_ceil(CHANNEL_SAMPLE);
                let (mean, std) = sums(train, stride, channels, Sums::add_planes)?.mean_and_std();
                Ok(Self::PerChannel { mean, std })
            }
        }
    }

    /// The same with the statistics of one image of this shape, as numbers: what
    /// [`PerImage`](Self::PerImage) is for the whole image then holds for its parts. Other kinds stay
    /// as they are. `value` tells the planar values by their positions.
    pub fn of_image(&self, shape: [usize; 3], value: impl Fn(usize) -> f32) -> Self {
        if *self != Self::PerImage {
            return self.clone();
        }
        let [channels, height, width] = shape;
        let area = height * width;
        let (mean, std) = (0..channels)
            .map(|channel| {
                let (mean, std) = statistics(area, |at| value(channel * area + at));
                (mean as f32, std as f32)
            })
            .unzip();
        Self::PerChannel { mean, std }
    }

    /// Normalizes one planar image in place, `(x - mean) / std`.
    ///
    /// # Panics
    /// If per-pixel statistics have another shape, or per-channel ones other channels.
    pub fn apply(&self, image: &mut [f32], shape: [usize; 3]) {
        let area = shape[1] * shape[2];
        match self {
            Self::None => {}
            Self::PerImage => {
                for channel in image.chunks_exact_mut(area) {
                    let (mean, std) = mean_and_std(channel);
                    for value in channel {
                        *value = ((f64::from(*value) - mean) / std) as f32;
                    }
                }
            }
            Self::PerChannel { mean, std } => {
                let (channels, found) = (mean.len(), shape[0]);
                assert_eq!(
                    channels, found,
                    "per-channel statistics are of other channels"
                );
                for ((plane, mean), std) in image.chunks_exact_mut(area).zip(mean).zip(std) {
                    plane
                        .iter_mut()
                        .for_each(|value| *value = (*value - mean) / std);
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

    /// Brings one planar image back in place, `mean + std y`: the inverse of [`apply`](Self::apply).
    ///
    /// # Panics
    /// As for [`apply`](Self::apply), and for [`PerImage`](Self::PerImage), whose statistics only
    /// [`of_image`](Self::of_image) knows.
    pub fn restore(&self, image: &mut [f32], shape: [usize; 3]) {
        let Some(statistics) = self.statistics(shape) else {
            return;
        };
        let [channels, ..] = shape;
        let len = image.len() / channels;
        let repeat = len / (statistics.mean.len() / channels);
        let of_pixel = |values: &[f32], at: usize| values[at / repeat];
        for (at, value) in image.iter_mut().enumerate() {
            *value = of_pixel(statistics.mean, at) + of_pixel(statistics.std, at) * *value;
        }
    }

    /// Mean and deviation of each channel, or of each pixel; `None` where there is nothing to restore.
    ///
    /// # Panics
    /// As for [`restore`](Self::restore).
    pub(crate) fn statistics(&self, shape: [usize; 3]) -> Option<Statistics<'_>> {
        match self {
            Self::None => None,
            Self::PerImage => panic!("statistics of each image are known with the image only"),
            Self::PerChannel { mean, std } => {
                assert_eq!(mean.len(), shape[0], "channels of per-channel statistics");
                let shape = [shape[0], 1, 1];
                Some(Statistics { mean, std, shape })
            }
            Self::PerPixel {
                shape: fitted,
                mean,
                std,
            } => {
                assert_eq!(*fitted, shape, "shape of per-pixel statistics");
                Some(Statistics { mean, std, shape })
            }
        }
    }
}

/// Statistics that an image is restored with.
pub(crate) struct Statistics<'a> {
    pub mean: &'a [f32],
    pub std: &'a [f32],
    /// `[channels, height, width]`, or `[channels, 1, 1]`.
    pub shape: [usize; 3],
}

/// Sums over every `stride`-th example, with `add` to add one.
fn sums(
    train: &Examples,
    stride: usize,
    len: usize,
    add: fn(&mut Sums, &NoisyPair),
) -> Result<Sums, DataError> {
    (0..train.len())
        .into_par_iter()
        .step_by(stride)
        .try_fold(
            || Sums::new(len),
            |mut sums, index| {
                add(&mut sums, &train.pair(ExampleIndex { epoch: 0, index })?);
                Ok(sums)
            },
        )
        .try_reduce(|| Sums::new(len), |a, b| Ok(a.merge(b)))
        .and_then(|sums| match sums.largest {
            ..=LARGEST => Ok(sums),
            largest => Err(DataError::FarFromRange { largest }),
        })
}

/// Population mean and deviation of some values.
fn mean_and_std(values: &[f32]) -> (f64, f64) {
    statistics(values.len(), |at| values[at])
}

/// The same of `count` values, each told by its position.
fn statistics(count: usize, value: impl Fn(usize) -> f32) -> (f64, f64) {
    let values = || (0..count).map(|at| f64::from(value(at)));
    let mean = values().sum::<f64>() / count as f64;
    let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / count as f64;
    (mean, variance.sqrt().max(MIN_STD))
}

/// Integer sums of values and squares, wide enough for any number of any values.
struct Sums {
    counts: Vec<u64>,
    /// Largest magnitude of a value.
    largest: f32,
    sums: Vec<i128>,
    squares: Vec<u128>,
}

impl Sums {
    fn new(len: usize) -> Self {
        Self {
            counts: vec![0; len],
            largest: 0.0,
            sums: vec![0; len],
            squares: vec![0; len],
        }
    }

    /// Adds the input of a pair pixel by pixel, less its holes.
    fn add_pixels(&mut self, pair: &NoisyPair) {
        for at in 0..pair.noisy_input.len() {
            self.add(at, pair, at);
        }
    }

    /// Adds the input of a pair channel by channel, less its holes.
    fn add_planes(&mut self, pair: &NoisyPair) {
        let area = pair.noisy_input.len() / self.sums.len();
        for at in 0..pair.noisy_input.len() {
            self.add(at / area, pair, at);
        }
    }

    /// Adds value `at` of a pair's input to sum `to`.
    fn add(&mut self, to: usize, pair: &NoisyPair, at: usize) {
        let is_hole = |mask: &Vec<f32>| mask[at % mask.len()] == 0.0;
        if pair.mask.as_ref().is_some_and(is_hole) {
            return;
        }
        self.largest = self.largest.max(pair.noisy_input[at].abs());
        let value = (f64::from(pair.noisy_input[at]) * SCALE).round() as i64;
        self.counts[to] += 1;
        self.sums[to] += i128::from(value);
        self.squares[to] += u128::from(value.unsigned_abs()).pow(2);
    }

    fn merge(mut self, other: Self) -> Self {
        self.largest = self.largest.max(other.largest);
        self.counts
            .iter_mut()
            .zip(&other.counts)
            .for_each(|(a, b)| *a += b);
        self.sums
            .iter_mut()
            .zip(&other.sums)
            .for_each(|(a, b)| *a += b);
        self.squares
            .iter_mut()
            .zip(&other.squares)
            .for_each(|(a, b)| *a += b);
        self
    }

    /// Mean and deviation of each sum; 0 and the least deviation where nothing was added.
    fn mean_and_std(&self) -> (Vec<f32>, Vec<f32>) {
        let sums = self.counts.iter().zip(&self.sums).zip(&self.squares);
        sums.map(|((&count, &sum), &square)| {
            let number = count.max(1) as f64;
            let mean = sum as f64 / number;
            // n * sum(x^2) - sum(x)^2 in integers, as long as they hold it: no cancellation.
            let spread = match (
                u128::from(count).checked_mul(square),
                sum.unsigned_abs().checked_mul(sum.unsigned_abs()),
            ) {
                (Some(squares), Some(squared)) => (squares - squared) as f64,
                _ => number * square as f64 - (sum as f64).powi(2),
            };
            let std = spread.max(0.0).sqrt() / number;
            ((mean / SCALE) as f32, (std / SCALE).max(MIN_STD) as f32)
        })
        .unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataConfig, Request, ScenesConfig, Target};

    /// f32 statistics of values in `[0, 1]`, against f64.
    const TOLERANCE: f64 = 1e-6;

    fn scenes() -> std::sync::Arc<Examples> {
        let config = DataConfig {
            scenes: ScenesConfig {
                train: 40,
                height: 4,
                width: 6,
                oversample: 2,
                ..ScenesConfig::default()
            },
            ..DataConfig::default()
        };
        let request = Request {
            config: &config,
            noise: None,
            seed: 1,
            target: Target::Noisy,
            divisor: 2,
            margin: 0,
            progress: &|_| {},
        };
        request.open().unwrap().train
    }

    fn input(index: usize) -> Vec<f32> {
        let example = ExampleIndex { epoch: 0, index };
        scenes().pair(example).unwrap().noisy_input
    }

    #[test]
    fn per_pixel_statistics_are_over_the_inputs() {
        let scenes = scenes();
        let fitted = Normalization::fit(NormalizationKind::PerPixel, &scenes).unwrap();
        let Normalization::PerPixel { shape, mean, std } = &fitted else {
            panic!("{fitted:?}");
        };
        assert_eq!(*shape, [3, 4, 6]);
        let inputs: Vec<_> = (0..scenes.len()).map(input).collect();
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
    fn per_channel_statistics_are_over_the_pixels() {
        let scenes = scenes();
        let fitted = Normalization::fit(NormalizationKind::PerChannel, &scenes).unwrap();
        let Normalization::PerChannel { mean, std } = &fitted else {
            panic!("{fitted:?}");
        };
        let inputs: Vec<_> = (0..scenes.len()).map(input).collect();
        for channel in 0..3 {
            let plane = |input: &Vec<f32>| input[channel * 24..][..24].to_vec();
            let (expected_mean, expected_std) =
                mean_and_std(&inputs.iter().flat_map(plane).collect::<Vec<_>>());
            assert!((f64::from(mean[channel]) - expected_mean).abs() < TOLERANCE);
            assert!((f64::from(std[channel]) - expected_std).abs() < TOLERANCE);
        }
        let mut image = inputs[3].clone();
        fitted.apply(&mut image, [3, 4, 6]);
        let back = image[50] * std[2] + mean[2];
        assert!(f64::from((back - inputs[3][50]).abs()) < TOLERANCE);
    }

    #[test]
    fn sums_hold_values_below_zero() {
        let (mean, std) = of_values([-0.5, 0.25, 7.0, 7.0], Some([1.0, 1.0, 0.0, 0.0]));
        // A value is kept to 1 / 131070.
        assert!((mean + 0.125).abs() < 1e-5 && (std - 0.375).abs() < 1e-5);
    }

    #[test]
    fn sums_hold_values_of_any_size() {
        let (mean, std) = of_values([-1e12, 1e12, -1e12, 1e12], None);
        assert_eq!((mean, std), (0.0, 1e12));
    }

    /// Statistics of the values of one image.
    fn of_values(values: [f32; 4], mask: Option<[f32; 4]>) -> (f32, f32) {
        let mut sums = Sums::new(1);
        sums.add_planes(&NoisyPair {
            shape: [1, 2, 2],
            noisy_input: values.to_vec(),
            mask: mask.map(Vec::from),
            ..NoisyPair::default()
        });
        let (mean, std) = sums.mean_and_std();
        (mean[0], std[0])
    }

    #[test]
    fn restored_images_are_as_before() {
        let image = input(2);
        let per_pixel = Normalization::fit(NormalizationKind::PerPixel, &scenes()).unwrap();
        let per_image = Normalization::PerImage.of_image([3, 4, 6], |at| image[at]);
        for normalization in [Normalization::None, per_pixel, per_image] {
            let mut there = image.clone();
            normalization.apply(&mut there, [3, 4, 6]);
            normalization.restore(&mut there, [3, 4, 6]);
            let mut pairs = there.iter().zip(&image);
            assert!(pairs.all(|(a, b)| f64::from((a - b).abs()) < TOLERANCE));
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
        let mut image = input(2);
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
    fn statistics_of_an_image_serve_its_parts() {
        let image = input(2);
        let fixed = Normalization::PerImage.of_image([3, 4, 6], |at| image[at]);
        let (mut whole, mut part) = (image.clone(), vec![]);
        Normalization::PerImage.apply(&mut whole, [3, 4, 6]);
        for channel in image.chunks_exact(24) {
            part.extend_from_slice(&channel[6..12]);
        }
        fixed.apply(&mut part, [3, 1, 6]);
        for (channel, part) in whole.chunks_exact(24).zip(part.chunks_exact(6)) {
            let pairs = channel[6..12].iter().zip(part);
            assert!(
                pairs
                    .into_iter()
                    .all(|(a, b)| f64::from((a - b).abs()) < TOLERANCE)
            );
        }
        let none = Normalization::None;
        assert_eq!(none.of_image([3, 4, 6], |_| 0.0), none);
    }

    #[test]
    fn flat_image_stays_finite() {
        let mut image = vec![0.25; 3 * 4 * 6];
        Normalization::PerImage.apply(&mut image, [3, 4, 6]);
        assert!(image.iter().all(|value| *value == 0.0));
    }
}
