//! How bright one shot of a scene is beside another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use n2n_files::{Raster, Sample, with_samples};

use crate::image_cache::ImageCache;
use crate::{DataError, Range, View};

/// Least side of the blocks whose means are compared: noise of single pixels hardly matters in them.
const BLOCK: usize = 8;

/// Blocks along a side, at most: more say nothing more.
const BLOCKS: usize = 32;

/// Correlation from which the contrast of two images can be compared: below, noise has a part in it.
const COMPARABLE: f64 = 0.8;

/// Means of the blocks of an image, those of each channel.
pub(crate) struct Blocks {
    channels: Vec<Vec<f64>>,
    /// What is white without a range.
    white: f64,
}

/// How a channel of an image follows another one: as `gain * (value - means[0]) + means[1]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Relation {
    /// Mean of the other, and of this one.
    pub means: [f64; 2],
    /// Its contrast beside that of the other; 1 where they cannot be compared.
    pub gain: f64,
    /// Deviation of the other's blocks.
    pub contrast: f64,
    /// Whether the contrasts can be compared.
    pub is_comparable: bool,
}

impl Blocks {
    /// The blocks of an image; of pixels that are NaN or infinite, the others count.
    pub fn of(image: &Raster) -> Self {
        let area = image.height * image.width;
        let channels = with_samples!(&image.samples, samples => {
            let planes = samples.chunks_exact(area);
            planes.map(|plane| means(plane, image.height, image.width)).collect()
        });
        Self {
            channels,
            white: image.samples.kind().white(),
        }
    }

    /// How each channel of `other` follows this one.
    pub fn relations(&self, other: &Self) -> Vec<Relation> {
        let channels = self.channels.iter().zip(&other.channels);
        channels.map(|(from, to)| Relation::of(from, to)).collect()
    }
}

impl Relation {
    fn of(from: &[f64], to: &[f64]) -> Self {
        let pairs = from.iter().zip(to);
        let pairs: Vec<[f64; 2]> = pairs
            .map(|(from, to)| [*from, *to])
            .filter(|pair| pair.iter().all(|value| value.is_finite()))
            .collect();
        let count = pairs.len().max(1) as f64;
        let means = [0, 1].map(|at| pairs.iter().map(|pair| pair[at]).sum::<f64>() / count);
        let product = |a: usize, b: usize| {
            let terms = pairs.iter();
            terms
                .map(|pair| (pair[a] - means[a]) * (pair[b] - means[b]))
                .sum::<f64>()
                / count
        };
        let [first, second] = [product(0, 0), product(1, 1)];
        let is_comparable = product(0, 1) > COMPARABLE * (first * second).sqrt();
        Self {
            means,
            gain: if is_comparable {
                (second / first).sqrt()
            } else {
                1.0
            },
            contrast: first.sqrt(),
            is_comparable,
        }
    }

    /// The sample of this channel that stands for one of the other.
    fn sample(self, other: f64) -> f64 {
        self.gain * (other - self.means[0]) + self.means[1]
    }
}

/// Means of the blocks of a plane.
fn means<T: Sample>(plane: &[T], height: usize, width: usize) -> Vec<f64> {
    let side = height.max(width).div_ceil(BLOCKS).max(BLOCK);
    let columns = width.div_ceil(side);
    let mut sums = vec![[0.0, 0.0]; height.div_ceil(side) * columns];
    for (y, row) in plane.chunks_exact(width).enumerate() {
        for (x, sample) in row.iter().enumerate() {
            let value = sample.to_f64();
            if value.is_finite() {
                let [sum, count] = &mut sums[y / side * columns + x / side];
                *sum += value;
                *count += 1.0;
            }
        }
    }
    sums.into_iter().map(|[sum, count]| sum / count).collect()
}

/// Blocks of the images that were compared so far.
#[derive(Default)]
pub(crate) struct Levels {
    known: Mutex<HashMap<(usize, View), Arc<Blocks>>>,
}

impl Levels {
    /// The range in which an image of a scene is as bright as another one in `range`.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn range(
        &self,
        images: &ImageCache,
        scene: usize,
        [other, image]: [View; 2],
        range: Option<&Range>,
    ) -> Result<Range, DataError> {
        let (other, image) = (
            self.blocks(images, scene, other)?,
            self.blocks(images, scene, image)?,
        );
        let relations = other.relations(&image);
        let ends = relations
            .into_iter()
            .enumerate()
            .map(|(channel, relation)| {
                let ends = range.map_or([0.0, image.white], |range| range.of_channel(channel));
                ends.map(|end| relation.sample(end))
            });
        Ok(Range::PerChannel(ends.collect()))
    }

    fn blocks(
        &self,
        images: &ImageCache,
        scene: usize,
        view: View,
    ) -> Result<Arc<Blocks>, DataError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(blocks) = known().get(&(scene, view)) {
            return Ok(blocks.clone());
        }
        let blocks = Arc::new(Blocks::of(&*images.look(scene, view)?));
        known().insert((scene, view), blocks.clone());
        Ok(blocks)
    }
}

#[cfg(test)]
mod tests {
    use n2n_files::Samples;

    use super::*;

    /// A wave of `gain`, and `offset` more, on 40x48 pixels; `noise` alternates from pixel to pixel.
    fn wave(gain: f32, offset: f32, noise: f32) -> Raster {
        let value = |at: usize| {
            let (y, x) = (at / 48, at % 48);
            let sign = if (y + x).is_multiple_of(2) { 1.0 } else { -1.0 };
            offset + gain * (5.0 + (x as f32 / 9.0).sin() + (y as f32 / 7.0).cos()) + noise * sign
        };
        Raster {
            channels: 1,
            height: 40,
            width: 48,
            samples: Samples::F32((0..40 * 48).map(value).collect()),
            alpha: None,
        }
    }

    fn relation(first: &Raster, second: &Raster) -> Relation {
        Blocks::of(first).relations(&Blocks::of(second))[0]
    }

    #[test]
    fn gain_and_offset_are_found_under_noise() {
        let found = relation(&wave(1.0, 0.0, 0.7), &wave(0.8, 3.0, -0.7));
        assert!((found.gain - 0.8).abs() < 1e-6, "{found:?}");
        // A value of 5 becomes 0.8 * 5 + 3.
        assert!((found.sample(5.0) - 7.0).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn contrast_of_noise_is_not_compared() {
        let flat = |noise: f32| wave(0.0, 4.0, noise);
        let found = relation(&flat(0.5), &flat(0.1));
        assert_eq!((found.gain, found.is_comparable), (1.0, false));
    }
}
