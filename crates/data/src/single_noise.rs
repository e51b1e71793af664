//! How far the noise of single images is from what sub-images take for granted.

use rayon::prelude::*;
use serde::Serialize;

use crate::high_pass::HighPass;
use crate::planes::{look, looked_at, planes};
use crate::{SceneSource, View};

/// Correlations beyond this are worth a warning: most of that much may come from the texture of a scene, and a network trained
/// on sub-images keeps that part of the noise which neighbours share.
const SUSPICIOUS: f64 = 0.2;

/// The same of one image among others: its own texture has a larger part.
const SMEARED: f64 = 0.35;

/// What single noisy images tell of their noise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SingleNoise {
    /// Correlation of the noise of a pixel with that of the pixel to the right or below: the larger. Texture of the
    /// scene that is finer than a few pixels is in it.
    pub neighbours: f64,
    /// Images whose own correlation is far larger, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smeared: Option<Smeared>,
}

/// Images of a set whose noise neighbouring pixels share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Smeared {
    /// How many there are.
    pub count: usize,
    /// Images that were looked at.
    pub of: usize,
    /// The first of them.
    pub first: String,
    /// Its correlation.
    pub neighbours: f64,
}

impl SingleNoise {
    /// Looks at a shot of each of some scenes; `None` where no image has noise, or none can be read.
    ///
    /// The second differences of an image have the covariances `F0`, `F1` and `F2` at distances of 0, 1 and 2 pixels.
    /// For noise with the correlations `1, c1, c2, 0, ...` they are `6 - 8 c1 + 2 c2`, `-4 + 7 c1 - 4 c2` and
    /// `1 - 4 c1 + 6 c2`, but for a factor: two quotients, from which `c1` and `c2` follow.
    pub fn of(source: &dyn SceneSource) -> Option<Self> {
        let of_scene = |scene| {
            let Ok(image) = look(source, scene, View::Shot(0)) else {
                return [[0.0; 3]; 2];
            };
            let filtered = planes(&image).into_iter();
            let filtered = filtered.filter_map(|plane| HighPass::of(&plane, image.width));
            filtered.fold([[0.0; 3]; 2], |sums, plane| plus(sums, covariances(&plane)))
        };
        let scenes = looked_at(source);
        let found: Vec<_> = scenes.par_iter().map(|scene| of_scene(*scene)).collect();
        let neighbours = largest(found.iter().copied().fold([[0.0; 3]; 2], plus))?;
        let smeared = scenes.iter().zip(&found).filter_map(|(scene, sums)| {
            let neighbours = largest(*sums).filter(|found| *found > SMEARED)?;
            Some((*scene, neighbours))
        });
        let smeared: Vec<_> = smeared.collect();
        Some(Self {
            neighbours,
            smeared: smeared.first().map(|&(scene, neighbours)| Smeared {
                count: smeared.len(),
                of: scenes.len(),
                first: source.name(scene, View::Shot(0)),
                neighbours,
            }),
        })
    }

    /// Whether neighbouring pixels share so much noise that sub-images will not do.
    pub fn is_shared(&self) -> bool {
        self.neighbours > SUSPICIOUS
    }

    /// What a person should know before training on sub-images, if anything.
    pub fn warning(&self) -> Option<String> {
        if self.is_shared() {
            return Some(format!(
                "the noise of a pixel follows its neighbour's (correlation about {:.2}), so that sub-images of one \
                 image share it and a network keeps it: only pairs of images will do, or these images before \
                 they were interpolated, denoised or compressed",
                self.neighbours
            ));
        }
        self.smeared.as_ref().map(|smeared| {
            format!(
                "in {} of {} images the noise of a pixel follows its neighbour's, such as {} (correlation about \
                 {:.2}): a network keeps that noise; leave such images out, or give pairs of them",
                smeared.count, smeared.of, smeared.first, smeared.neighbours
            )
        })
    }
}

/// Covariances of a filtered plane along rows and along columns.
fn covariances(plane: &HighPass) -> [[f64; 3]; 2] {
    let at = |distance: usize, axis: usize| {
        let mut shift = [0, 0];
        shift[axis] = distance;
        plane.products(shift)
    };
    [1, 0].map(|axis| [0, 1, 2].map(|distance| at(distance, axis)))
}

fn plus(a: [[f64; 3]; 2], b: [[f64; 3]; 2]) -> [[f64; 3]; 2] {
    [0, 1].map(|axis| [0, 1, 2].map(|distance| a[axis][distance] + b[axis][distance]))
}

/// The larger of the correlations along rows and along columns.
fn largest(sums: [[f64; 3]; 2]) -> Option<f64> {
    sums.into_iter().filter_map(correlation).reduce(f64::max)
}

/// `c1`, see [`SingleNoise::of`].
fn correlation([f0, f1, f2]: [f64; 3]) -> Option<f64> {
    let [r1, r2] = [f1 / f0, f2 / f0];
    // r1 (6 - 8 c1 + 2 c2) = -4 + 7 c1 - 4 c2, and r2 (...) = 1 - 4 c1 + 6 c2.
    let [a, b, c, d] = [
        7.0 + 8.0 * r1,
        -4.0 - 2.0 * r1,
        -4.0 + 8.0 * r2,
        6.0 - 2.0 * r2,
    ];
    let [e, f] = [6.0 * r1 + 4.0, 6.0 * r2 - 1.0];
    let c1 = (e * d - b * f) / (a * d - b * c);
    c1.is_finite().then(|| c1.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{Arrays, NoisyPair};

    /// Four standard errors over 57,600 pixels, each several times that of a correlation, since it follows from quotients.
    const TOLERANCE: f64 = 0.07;

    const SIDE: usize = 240;

    /// A slow wave, and noise that each pixel shares with the next one to the right by `shared`.
    fn image(seed: u64, noise: f64, shared: f64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let draws: Vec<f64> = (0..=SIDE * SIDE)
            .map(|_| rng.random_range(-1.0..1.0))
            .collect();
        let value = |at: usize| {
            let wave = 0.5 + 0.3 * ((at % SIDE) as f64 / 12.0).sin();
            (wave + noise * (draws[at] + shared * draws[at + 1])) as f32
        };
        (0..SIDE * SIDE).map(value).collect()
    }

    fn look(images: Vec<Vec<f32>>) -> Option<SingleNoise> {
        let pairs = images.into_iter().map(|noisy_input| NoisyPair {
            shape: [1, noisy_input.len() / SIDE, SIDE],
            noisy_input,
            ..NoisyPair::default()
        });
        SingleNoise::of(&Arrays::from_pairs(pairs).unwrap())
    }

    #[test]
    fn independent_noise_is_not_warned_about() {
        let found = look(vec![image(1, 0.1, 0.0), image(2, 0.05, 0.0)]).unwrap();
        assert!(found.neighbours.abs() < TOLERANCE, "{found:?}");
        assert_eq!(found.warning(), None);
    }

    #[test]
    fn smeared_noise_of_single_images_is_seen() {
        let found = look(vec![image(1, 0.1, 1.0)]).unwrap();
        // Neighbours share one of two terms.
        assert!((found.neighbours - 0.5).abs() < TOLERANCE, "{found:?}");
        assert!(found.warning().unwrap().contains("only pairs"));
        // 0.5 / (1 + 0.25)
        let found = look(vec![image(1, 0.1, 0.5)]).unwrap();
        assert!((found.neighbours - 0.4).abs() < TOLERANCE, "{found:?}");
    }

    #[test]
    fn one_smeared_image_among_others_is_named() {
        let mut images: Vec<_> = (1..6).map(|seed| image(seed, 0.1, 0.0)).collect();
        images.push(image(6, 0.1, 1.0));
        let found = look(images).unwrap();
        assert!(found.neighbours < SUSPICIOUS, "{found:?}");
        let smeared = found.smeared.as_ref().unwrap();
        assert_eq!([smeared.count, smeared.of], [1, 6]);
        assert!((smeared.neighbours - 0.5).abs() < TOLERANCE, "{found:?}");
        let warning = found.warning().unwrap();
        assert!(warning.contains(&smeared.first), "{warning}");
    }

    #[test]
    fn images_without_noise_tell_nothing() {
        assert_eq!(look(vec![vec![0.25; SIDE * SIDE]]), None);
        assert_eq!(look(vec![(0..SIDE).map(|at| at as f32).collect()]), None);
    }
}
