//! The strength of classical methods that is best on the evaluated images.

use std::convert::Infallible;

use n2n_data::NoisyPair;
use n2n_data::classical::{Classical, best_strength};
use n2n_data::quality::{Against, Mean, Score, psnr_db};
use rayon::prelude::*;

use super::method::{Method, name, strength};
use super::scenes::Scenes;
use crate::middle::middle;
use crate::progress::StatusLine;

/// Pixels that strengths are tried on, over all images. A search costs about ten runs over them.
const PIXELS: usize = 1 << 20;

/// Shortest side of the part that is used of each image.
const LEAST_SIDE: usize = 32;

/// What strengths are tried on: all images, or the middles of them, or of some spread over the set.
pub struct Sample {
    pairs: Vec<NoisyPair>,
    against: Against,
    /// Unless all images are taken as they are, the longest side.
    side: Option<usize>,
}

impl Sample {
    /// Reads it.
    ///
    /// # Errors
    /// When a scene cannot be read and may not be left out, or none can be read.
    pub fn of(scenes: &Scenes) -> anyhow::Result<Self> {
        let count = scenes.len().min(PIXELS / (LEAST_SIDE * LEAST_SIDE));
        let pixels = (0..scenes.len()).map(|scene| scenes.pixels(scene));
        let (count, side) = if pixels.sum::<usize>() <= PIXELS {
            (scenes.len(), None)
        } else {
            (count, Some((PIXELS / count).isqrt()))
        };
        let status = StatusLine::new();
        let pairs = (0..count).into_par_iter().map(|index| {
            status.show(|| "reading images to try classical methods on".to_owned());
            let pair = scenes.read(index * scenes.len() / count)?;
            Ok(pair.map(|pair| cut(pair, side.unwrap_or(usize::MAX))))
        });
        let pairs = pairs.collect::<anyhow::Result<Vec<_>>>()?;
        let pairs: Vec<NoisyPair> = pairs.into_iter().flatten().collect();
        if pairs.is_empty() {
            return Err(scenes.none_readable());
        }
        Ok(Self {
            pairs,
            against: scenes.against(),
            side,
        })
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self.side {
            None => "all images".to_owned(),
            Some(side) => {
                let count = self.pairs.len();
                format!("{count} images, at most {side}x{side} pixels in the middle of each")
            }
        }
    }

    /// The classical method with the strength of the highest PSNR: the mean over images of that against
    /// clean ones, or the estimate.
    pub fn tune(&self, method: Classical) -> Method {
        let status = StatusLine::new();
        let mut tried = 0;
        let best = best_strength(&method.strengths(), |value| {
            status.show(|| {
                let strength = strength(method, value);
                format!(
                    "trying strengths of {}: {strength}, after {tried}",
                    name(method)
                )
            });
            tried += 1;
            self.score(method, value)
        });
        Method::Classical { method, best }
    }

    /// The higher, the better.
    fn score(&self, method: Classical, strength: f64) -> f64 {
        let values = self.pairs.par_iter().map(|pair| {
            let denoise = |image: &[f32]| method.denoise(image, pair.shape, strength);
            let Ok(score) = Score::of(pair, |image| Ok::<_, Infallible>(denoise(image)));
            match self.against {
                Against::Clean => psnr_db(score.mse),
                // Estimated errors are pooled, and the PSNR of their mean falls as it grows.
                Against::SecondNoisy => -score.mse,
            }
        });
        Mean::of(&values.collect::<Vec<_>>()).value
    }
}

/// The images of a scene, or the middles of them, of at most `side` pixels a side.
fn cut(pair: NoisyPair, side: usize) -> NoisyPair {
    let [channels, height, width] = pair.shape;
    let shape = [channels, height.min(side), width.min(side)];
    if shape == pair.shape {
        return pair;
    }
    let cut = |image: &Vec<f32>| middle(image, pair.shape, shape);
    let mask = pair.mask.as_ref();
    NoisyPair {
        shape,
        mask: mask.map(|mask| middle(mask, [1, height, width], [1, shape[1], shape[2]])),
        noisy_input: cut(&pair.noisy_input),
        noisy_target: pair.noisy_target.as_ref().map(cut),
        target_noise: pair.target_noise,
        target_mask: None,
        clean_target: pair.clean_target.as_ref().map(cut),
        whole: None,
    }
}
