//! How strong noise is, and how that depends on brightness.

use n2n_files::{Raster, SampleKind};
use rayon::prelude::*;
use serde::Serialize;

use crate::high_pass::{ENERGY, HighPass, MARGIN};
use crate::planes::{look, looked_at, planes};
use crate::{SceneSource, View};

/// Side in pixels of the blocks that a variance is taken of.
const BLOCK: usize = 8;

/// Groups of blocks of one brightness.
const GROUPS: usize = 24;

/// Fewest blocks of a group.
const LEAST: usize = 8;

/// How the variance of a block without scene spreads about that of the noise: as a sum of squares of this many
/// independent numbers. In pairs it is of 64 differences less their mean; in filtered images neighbours are correlated,
/// and the squares of all their correlations sum up to 1.94 along each axis.
const FREEDOM_OF_PAIRS: f64 = 63.0;
const FREEDOM_OF_SINGLES: f64 = 64.0 / (1.94 * 1.94);

/// Quantiles of the variances of a group that stand for its noise, as deviations of the normal distribution: the median
/// of pairs, and the lower quartile of single images, in which the texture of the scene adds to many blocks.
const MEDIAN: f64 = 0.0;
const LOWER_QUARTILE: f64 = -0.674_490;

/// The noise of a set in the units of its samples: `variance = slope * sample + offset`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoiseLevel {
    /// The channel, where channels have units of their own; else all share one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<usize>,
    /// By how much the variance grows with the sample: of light, the samples of one photon.
    pub slope: f64,
    /// Variance at a sample of 0.
    pub offset: f64,
    /// `[sample, variance]` at several brightnesses, from dark to bright.
    pub points: Vec<[f64; 2]>,
}

/// Brightness and variance of a block.
type Block = [f64; 2];

impl NoiseLevel {
    /// Measures the noise of some scenes: in the first two shots of each, or else in the first alone. Blocks with
    /// samples that are black or white by the type, whose noise is cut off, are left out. Of images that are neither
    /// grey nor RGB each channel has its own. Images that cannot be read are left out; what is too small tells nothing.
    pub fn of(source: &dyn SceneSource) -> Vec<Self> {
        let is_picture = matches!(source.channels(), 1 | 3);
        let of_scene = |scene| blocks_of(source, scene);
        let scenes: Vec<Vec<Vec<Block>>> =
            looked_at(source).into_par_iter().map(of_scene).collect();
        let pairs = (0..source.len()).all(|scene| source.info(scene).shots > 1);
        let channels = scenes.iter().map(Vec::len).max().unwrap_or(0);
        let of_channel = |channel: usize| -> Vec<Block> {
            let planes = scenes.iter().filter_map(|planes| planes.get(channel));
            planes.flatten().copied().collect()
        };
        if is_picture {
            let all = (0..channels).flat_map(of_channel).collect();
            return Self::fit(all, pairs, None).into_iter().collect();
        }
        let fitted = (0..channels).filter_map(|at| Self::fit(of_channel(at), pairs, Some(at)));
        fitted.collect()
    }

    /// Fits a line to blocks.
    fn fit(mut blocks: Vec<Block>, pairs: bool, channel: Option<usize>) -> Option<Self> {
        if blocks.len() < LEAST {
            return None;
        }
        blocks.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let size = blocks.len().div_ceil(GROUPS).max(LEAST);
        let points: Vec<[f64; 2]> = blocks
            .chunks_mut(size)
            .filter(|group| group.len() >= LEAST)
            .map(|group| point(group, pairs))
            .collect();
        let [slope, offset] = line(&points);
        Some(Self {
            channel,
            slope,
            offset,
            points,
        })
    }

    /// Variance of the noise of a sample; not below 0.
    pub fn variance(&self, sample: f64) -> f64 {
        (self.slope * sample + self.offset).max(0.0)
    }

    /// The darkest and the brightest sample that noise was measured at.
    pub fn extent(&self) -> [f64; 2] {
        let last = self.points.len() - 1;
        [self.points[0][0], self.points[last][0]]
    }

    /// Deviation of the noise at the median of the brightness.
    pub fn typical(&self) -> f64 {
        let [sample, _] = self.points[self.points.len() / 2];
        self.variance(sample).sqrt()
    }
}

/// The blocks of each channel of a scene.
fn blocks_of(source: &dyn SceneSource, scene: usize) -> Vec<Vec<Block>> {
    let shots = source.info(scene).shots.min(2);
    let read = |shot| look(source, scene, View::Shot(shot));
    let Ok(images) = (0..shots).map(read).collect::<Result<Vec<_>, _>>() else {
        return vec![];
    };
    match &images[..] {
        [single] => {
            let blocks = |plane: Vec<f64>| of_single(&plane, single.width, single.samples.kind());
            planes(single).into_iter().map(blocks).collect()
        }
        [first, second] => of_pair(first, second),
        _ => vec![],
    }
}

/// Blocks of the second differences of a plane.
fn of_single(plane: &[f64], width: usize, kind: SampleKind) -> Vec<Block> {
    let Some(filtered) = HighPass::of(plane, width) else {
        return vec![];
    };
    let side = BLOCK + MARGIN;
    corners(plane.len() / width, width, side)
        .filter_map(|[top, left]| {
            let samples = || square(plane, width, [top, left], side);
            let energy = square(&filtered.values, filtered.width, [top, left], BLOCK);
            let energy: f64 = energy.map(|value| value * value).sum();
            let variance = energy / (BLOCK * BLOCK) as f64 / ENERGY;
            is_within(samples(), kind).then(|| [mean(samples()), variance])
        })
        .collect()
}

/// Blocks of the differences of two images.
fn of_pair(first: &Raster, second: &Raster) -> Vec<Vec<Block>> {
    let (width, kind) = (first.width, first.samples.kind());
    let of_planes = |(a, b): (Vec<f64>, Vec<f64>)| -> Vec<Block> {
        let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        corners(a.len() / width, width, BLOCK)
            .filter_map(|at| {
                let samples = || square(&a, width, at, BLOCK).chain(square(&b, width, at, BLOCK));
                let differences = || square(&differences, width, at, BLOCK);
                let middle = mean(differences());
                let squares: f64 = differences().map(|value| (value - middle).powi(2)).sum();
                let variance = squares / FREEDOM_OF_PAIRS / 2.0;
                is_within(samples(), kind).then(|| [mean(samples()), variance])
            })
            .collect()
    };
    let planes = planes(first).into_iter().zip(planes(second));
    planes.map(of_planes).collect()
}

/// The top left corners of squares of `side` that cover a plane next to each other.
fn corners(height: usize, width: usize, side: usize) -> impl Iterator<Item = [usize; 2]> {
    let starts = move |length: usize| (0..length / side).map(move |at| at * side);
    starts(height).flat_map(move |top| starts(width).map(move |left| [top, left]))
}

/// The values of a square.
fn square(
    plane: &[f64],
    width: usize,
    [top, left]: [usize; 2],
    side: usize,
) -> impl Iterator<Item = f64> {
    (top..top + side).flat_map(move |y| plane[y * width + left..][..side].iter().copied())
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// Whether no sample is black or white by its type, where noise is cut off.
fn is_within(mut samples: impl Iterator<Item = f64>, kind: SampleKind) -> bool {
    let ends = kind.bounds();
    ends.is_none_or(|ends| samples.all(|sample| !ends.contains(&sample)))
}

/// Brightness and noise of a group of blocks.
fn point(group: &mut [Block], pairs: bool) -> [f64; 2] {
    let brightness = mean(group.iter().map(|block| block[0]));
    let (freedom, deviations, share) = if pairs {
        (FREEDOM_OF_PAIRS, MEDIAN, 0.5)
    } else {
        (FREEDOM_OF_SINGLES, LOWER_QUARTILE, 0.25)
    };
    group.sort_by(|a, b| a[1].total_cmp(&b[1]));
    let [_, variance] = group[((group.len() - 1) as f64 * share).round() as usize];
    // Wilson and Hilferty: the cube root of a sum of squares is nearly normal.
    let spread = 2.0 / (9.0 * freedom);
    let expected = (1.0 - spread + deviations * spread.sqrt()).powi(3);
    [brightness, variance / expected]
}

/// Slope and offset of the line through points `[x, y]` with errors in proportion to `y`.
fn line(points: &[[f64; 2]]) -> [f64; 2] {
    let largest = points.iter().map(|[_, y]| *y).fold(0.0, f64::max);
    // None counts more than ten thousand times as much as another.
    let weight = |y: f64| 1.0 / (y + 0.01 * largest).powi(2);
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        points.iter().map(|&[x, y]| weight(y) * of(x, y)).sum()
    };
    let total = sum(&|_, _| 1.0);
    if total == 0.0 || !total.is_finite() {
        return [0.0, 0.0];
    }
    let [x, y] = [sum(&|x, _| x), sum(&|_, y| y)].map(|sum| sum / total);
    let spread = sum(&|at, _| (at - x).powi(2));
    let slope = if spread > 0.0 {
        sum(&|at, value| (at - x) * (value - y)) / spread
    } else {
        0.0
    };
    [slope, y - slope * x]
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{Arrays, NoisyPair};

    const SIDE: usize = 256;

    /// Relative error of the slope and of deviations: the groups have 40 blocks or more, of which the quartile of a
    /// spread of a third is known to a tenth, and the line to less.
    const TOLERANCE: f64 = 0.1;

    /// A slope from 100 to 1,000 with nearly Gaussian noise of the variance `slope * sample + offset`.
    fn image(seed: u64, slope: f64, offset: f64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let value = |at: usize| {
            let clean = 100.0 + 900.0 * (at % SIDE) as f64 / SIDE as f64;
            (clean + (slope * clean + offset).sqrt() * normal()) as f32
        };
        (0..SIDE * SIDE).map(value).collect()
    }

    fn level(shots: usize, slope: f64, offset: f64) -> NoiseLevel {
        let pair = NoisyPair {
            shape: [1, SIDE, SIDE],
            noisy_input: image(1, slope, offset),
            noisy_target: (shots > 1).then(|| image(2, slope, offset)),
            ..NoisyPair::default()
        };
        let mut levels = NoiseLevel::of(&Arrays::from_pairs([pair]).unwrap());
        assert_eq!(levels.len(), 1);
        levels.remove(0)
    }

    #[test]
    fn noise_of_light_grows_with_brightness() {
        for shots in [1, 2] {
            let level = level(shots, 2.0, 50.0);
            assert!((level.slope / 2.0 - 1.0).abs() < TOLERANCE, "{level:?}");
            let [dark, bright] = [250.0, 2050.0].map(f64::sqrt);
            let found = [100.0, 1000.0].map(|sample| level.variance(sample).sqrt());
            assert!((found[0] / dark - 1.0).abs() < TOLERANCE, "{level:?}");
            assert!((found[1] / bright - 1.0).abs() < TOLERANCE, "{level:?}");
            assert!(level.extent()[0] < 150.0 && level.extent()[1] > 950.0);
        }
    }

    #[test]
    fn noise_of_electronics_is_the_same_everywhere() {
        for shots in [1, 2] {
            let level = level(shots, 0.0, 400.0);
            assert!(
                (level.typical() / 20.0 - 1.0).abs() < TOLERANCE,
                "{level:?}"
            );
            // The variance changes by less than a fifth over the range.
            assert!((900.0 * level.slope).abs() < 80.0, "{level:?}");
        }
    }

    #[test]
    fn small_or_unreadable_images_tell_no_level() {
        let pair = NoisyPair {
            shape: [1, 8, 8],
            noisy_input: vec![1.0; 64],
            ..NoisyPair::default()
        };
        assert_eq!(NoiseLevel::of(&Arrays::from_pairs([pair]).unwrap()), vec![]);
    }
}
