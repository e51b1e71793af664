//! What an experiment leaves open: which scenes are held out, the noise, the crops.

use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::{LARGEST_VALIDATION, Request, ValidatesOn};
use crate::held_out::HeldOut;
use crate::noise::{Noise, NoiseConfig};
use crate::pipeline::CropPolicy;
use crate::source::Subset;
use crate::{DataError, SceneSource};

/// Images up to this area are trained on whole, where they are of one size.
const LARGEST_WHOLE: usize = 128 * 128;

/// Side of the patches that larger images are cut into.
const DEFAULT_PATCH: usize = 64;

/// Largest side of the squares of pixels that noise without a config reduces to one pixel.
const LARGEST_REDUCTION: usize = 8;

/// The first `limit` scenes.
pub(crate) fn first(source: Arc<dyn SceneSource>, limit: usize) -> Arc<dyn SceneSource> {
    if limit < source.len() {
        Arc::new(Subset::new(source, (0..limit as u32).collect()))
    } else {
        source
    }
}

impl Request<'_> {
    /// Training and validation scenes; a single scene is both.
    pub(super) fn split(
        &self,
        all: &Arc<dyn SceneSource>,
    ) -> (Arc<dyn SceneSource>, Arc<dyn SceneSource>, ValidatesOn) {
        let count = all.len();
        if count < 2 {
            return (all.clone(), all.clone(), ValidatesOn::TrainingScene);
        }
        let share = (self.config.split * count as f64).round() as usize;
        let share = share.clamp(1, count - 1).min(self.config.validation_limit);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(u64::MAX);
        let mut held_out = vec![false; count];
        sample(&mut rng, count, share)
            .iter()
            .for_each(|scene| held_out[scene] = true);
        let half = |wanted: bool| -> Arc<dyn SceneSource> {
            let scenes = (0..count as u32).filter(|&scene| held_out[scene as usize] == wanted);
            Arc::new(Subset::new(all.clone(), scenes.collect()))
        };
        (half(false), half(true), ValidatesOn::Scenes)
    }

    /// The region of each scene to hold out, where there are few scenes and patches are cut from them.
    pub(super) fn held_out(
        &self,
        all: &dyn SceneSource,
        crop: CropPolicy,
        reduction: usize,
    ) -> Option<HeldOut> {
        let CropPolicy::Random(patch) = crop else {
            return None;
        };
        let held_out = HeldOut {
            share: self.config.split,
            largest: LARGEST_VALIDATION.max(self.divisor) * reduction,
            divisor: self.divisor * reduction,
            margin: self.margin * reduction,
            seed: self.seed,
        };
        let infos: Vec<_> = (0..all.len()).map(|scene| all.info(scene)).collect();
        held_out.fits(&infos, patch * reduction).then_some(held_out)
    }

    /// Noise to put on clean images. Without any in the request, clean images are reduced by dropping
    /// pixels, as far as their size allows.
    pub(super) fn noise_for(&self, train: &dyn SceneSource) -> Result<Option<Noise>, DataError> {
        let infos = || (0..train.len()).map(|scene| train.info(scene));
        if self.noise.is_some() || infos().any(|info| info.shots > 0) {
            return Ok(self.noise.clone());
        }
        let sides = infos().flat_map(|info| [info.height, info.width]);
        let shortest = sides.min().unwrap_or(0);
        // As far as patches of the usual size are left, or else by half.
        let factor = match shortest / DEFAULT_PATCH {
            0 | 1 => (shortest / self.divisor).min(2),
            factor => factor.min(LARGEST_REDUCTION),
        };
        match factor {
            0 | 1 => Err(DataError::NeedsNoise {
                shortest,
                needed: 2 * self.divisor,
            }),
            factor => Ok(Some(NoiseConfig::Points { factor }.into())),
        }
    }

    /// The part of a scene that a training example is, where noise reduces scenes by `reduction`.
    pub(super) fn crop_policy(
        &self,
        source: &dyn SceneSource,
        reduction: usize,
    ) -> Result<CropPolicy, DataError> {
        let divisor = self.divisor;
        let sizes = (0..source.len()).map(|scene| {
            let info = source.info(scene);
            [info.height, info.width].map(|side| side / reduction)
        });
        let whole = sizes.clone().next().unwrap_or_default();
        let one_size = sizes.clone().all(|size| size == whole);
        let longest = sizes.clone().flatten().max().unwrap_or(0);
        if divisor > 4 * longest.max(1) {
            return Err(DataError::TooSmall { longest, divisor });
        }
        let fits = whole.iter().all(|side| side.is_multiple_of(divisor));
        match self.config.patch_size {
            Some(side) if !side.is_multiple_of(divisor) => {
                Err(DataError::PatchSize { side, divisor })
            }
            Some(side) if side > longest => Err(DataError::PatchBeyondImages { side, longest }),
            Some(side) if one_size && whole == [side, side] => Ok(CropPolicy::Whole),
            Some(side) => Ok(CropPolicy::Random(side)),
            None if one_size && fits && whole[0] * whole[1] <= LARGEST_WHOLE => {
                Ok(CropPolicy::Whole)
            }
            None => {
                // Scenes as large as the largest are not padded.
                let shorter = sizes.map(|[height, width]| height.min(width)).max();
                let side = shorter.unwrap_or(0).min(DEFAULT_PATCH) / divisor * divisor;
                Ok(CropPolicy::Random(side.max(divisor)))
            }
        }
    }
}
