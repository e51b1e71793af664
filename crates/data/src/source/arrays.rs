//! Images in memory.

use std::sync::Arc;

use n2n_files::{MAX_CHANNELS, Raster, SampleKind, Samples};

use crate::{DataError, NoisyPair, SceneInfo, SceneSource, View};

/// Pairs of images held in memory, each pair a scene.
pub struct Arrays {
    scenes: Vec<Scene>,
}

struct Scene {
    shots: Vec<Arc<Raster>>,
    clean: Option<Arc<Raster>>,
}

impl Arrays {
    /// Takes pairs, of one size or of several; without a copy.
    ///
    /// # Errors
    /// When an image does not have the shape of its pair, there are more than 64 channels, or a pair has a
    /// mask, which a scene cannot have: pixels to leave out are NaN.
    pub fn from_pairs(pairs: impl IntoIterator<Item = NoisyPair>) -> Result<Self, DataError> {
        let pairs = pairs.into_iter().enumerate();
        let scenes = pairs.map(|(index, pair)| Scene::from_pair(index, pair));
        Ok(Self {
            scenes: scenes.collect::<Result<_, _>>()?,
        })
    }

    fn image(&self, scene: usize, view: View) -> &Arc<Raster> {
        let Scene { shots, clean } = &self.scenes[scene];
        match (view, clean) {
            (View::Shot(shot), _) => &shots[shot],
            (View::Clean, Some(clean)) => clean,
            (View::Clean, None) => panic!("pair {scene} has no clean image"),
        }
    }
}

impl Scene {
    fn from_pair(index: usize, pair: NoisyPair) -> Result<Self, DataError> {
        let NoisyPair {
            shape,
            noisy_input,
            mask,
            noisy_target,
            target_mask,
            clean_target,
            whole: _,
            // That of a scene is equal.
            target_noise: _,
        } = pair;
        if target_mask.or(mask).is_some() {
            return Err(DataError::PairMask { index });
        }
        let [channels, height, width] = shape;
        let raster = |image, values: Vec<f32>| {
            let expected: usize = shape.iter().product();
            if values.len() != expected || expected == 0 || channels > MAX_CHANNELS {
                return Err(DataError::PairShape {
                    index,
                    image,
                    shape,
                    found: values.len(),
                });
            }
            Ok(Arc::new(Raster {
                channels,
                height,
                width,
                samples: Samples::F32(values),
                alpha: None,
            }))
        };
        let mut shots = vec![raster("noisy_input", noisy_input)?];
        if let Some(values) = noisy_target {
            shots.push(raster("noisy_target", values)?);
        }
        let clean = clean_target.map(|values| raster("clean_target", values));
        Ok(Self {
            shots,
            clean: clean.transpose()?,
        })
    }
}

impl SceneSource for Arrays {
    fn len(&self) -> usize {
        self.scenes.len()
    }

    fn channels(&self) -> usize {
        let channels = self.scenes.iter().map(|scene| scene.shots[0].channels);
        channels.max().unwrap_or(1)
    }

    fn kind(&self) -> SampleKind {
        SampleKind::F32
    }

    fn info(&self, scene: usize) -> SceneInfo {
        let Scene { shots, clean } = &self.scenes[scene];
        SceneInfo {
            shots: shots.len(),
            clean: clean.is_some(),
            height: shots[0].height,
            width: shots[0].width,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        format!("pair {scene} in memory, {view:?}")
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        Ok(self.image(scene, view).clone())
    }

    fn ordered(&self) -> bool {
        true
    }

    fn in_memory(&self) -> bool {
        true
    }
}
