//! Whether training is on single noisy images, each a pair with itself.

use std::sync::Arc;

use super::Request;
use crate::source::{Found, Singles};
use crate::{DataError, NoiseLevel, NormalizationKind, Pairing, SceneSource, Target, View};

/// Deviation of noise that is seen, as a share of the range of samples.
const VISIBLE: f64 = 0.01;

impl Request<'_> {
    /// Whether pairs are sub-images of single images: where the config says so, or leaves it open and there are no
    /// others.
    ///
    /// Of pictures that are neither named clean nor given noise, nobody says whether they are noisy. Where noise is seen
    /// in them, they are; else a person is asked.
    pub(super) fn subsamples(&self, found: &Found) -> Result<bool, DataError> {
        match self.config.pairing {
            Pairing::Subsample => self.check_subsampling().map(|()| true),
            Pairing::Auto if self.noise.is_none() && self.target == Target::Noisy => {
                let infos = || (0..found.train.len()).map(|scene| found.train.info(scene));
                let single = infos().all(|info| info.shots == 1 && !info.clean);
                let guessed = found.guessed && infos().all(|info| info.shots == 0);
                let subsamples = !found.train.is_empty() && (single || guessed);
                if subsamples && guessed {
                    self.check_visible(found)?;
                }
                if subsamples {
                    self.check_subsampling()?;
                }
                Ok(subsamples)
            }
            _ => Ok(false),
        }
    }

    /// Checks that noise is seen in single images.
    fn check_visible(&self, found: &Found) -> Result<(), DataError> {
        let source = Singles::new(found.train.clone());
        let range = self.config.range.resolve(&source);
        let share = |level: &NoiseLevel| {
            let extent = match &range {
                Some(range) => {
                    let [low, high] = range.of_channel(level.channel.unwrap_or(0));
                    high - low
                }
                None => source.kind().white(),
            };
            level.typical() / extent
        };
        let levels = NoiseLevel::of(&source);
        let largest = levels.iter().map(share).fold(0.0, f64::max);
        if largest >= VISIBLE {
            return Ok(());
        }
        Err(DataError::NoisyOrClean {
            first: source.name(0, View::Shot(0)),
            count: source.len(),
            percent: 100.0 * largest,
        })
    }

    /// Checks that nothing in the request contradicts sub-images.
    fn check_subsampling(&self) -> Result<(), DataError> {
        let config = self.config;
        let conflict = |key, value: &str, expected| {
            Err(DataError::Config {
                key,
                value: value.to_owned(),
                expected,
            })
        };
        if self.noise.is_some() {
            return conflict(
                "pairing",
                "subsample",
                "unset where noise is put on clean images",
            );
        }
        if self.target == Target::Clean {
            return conflict("pairing", "subsample", "unset where train.target is clean");
        }
        if config.normalize == NormalizationKind::PerPixel {
            return conflict(
                "normalize",
                "per_pixel",
                "per_channel where pairs are sub-images",
            );
        }
        if config.augment.rotate_deg > 0.0 {
            return conflict(
                "augment.rotate_deg",
                &config.augment.rotate_deg.to_string(),
                "0 where pairs are sub-images: it spreads the noise over neighbours",
            );
        }
        Ok(())
    }
}

/// Whether denoised images of every scene can be compared with clean or with second noisy ones.
pub(super) fn is_comparable(source: &dyn SceneSource) -> bool {
    let infos = || (0..source.len()).map(|scene| source.info(scene));
    infos().all(|info| info.shots > 1) || infos().all(|info| info.clean && info.shots > 0)
}

/// The scenes of `source`, of which each image is noisy.
pub(super) fn noisy(source: Arc<dyn SceneSource>) -> Arc<dyn SceneSource> {
    Arc::new(Singles::new(source))
}
