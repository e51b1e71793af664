//! Scenes whose samples say where they stand.

use std::sync::Arc;

use n2n_files::{Raster, SampleKind, Samples};

use crate::image_cache::ImageCache;
use crate::pipeline::{CropPolicy, Pipeline, Series};
use crate::{AugmentConfig, DataError, Examples, SceneInfo, SceneSource, Target, View};

/// Scenes of 16-bit grey images: a sample is `1000 * scene + 100 * view + 10 * row + column`, for
/// images of at most ten rows and columns.
#[derive(Clone)]
pub struct Numbered {
    pub scenes: usize,
    pub shots: usize,
    pub clean: bool,
    pub size: [usize; 2],
    pub ordered: bool,
    pub in_time: bool,
    pub damaged: Vec<usize>,
}

impl Default for Numbered {
    fn default() -> Self {
        Self {
            scenes: 5,
            shots: 2,
            clean: true,
            size: [4, 6],
            ordered: true,
            in_time: false,
            damaged: vec![],
        }
    }
}

/// The number of a view in a sample.
pub fn number(view: View) -> usize {
    match view {
        View::Shot(shot) => shot,
        View::Clean => 9,
    }
}

/// The samples of an example, as they were stored.
pub fn samples(values: &[f32]) -> Vec<usize> {
    let sample = |value: &f32| (value * 65535.0).round() as usize;
    values.iter().map(sample).collect()
}

impl SceneSource for Numbered {
    fn len(&self) -> usize {
        self.scenes
    }

    fn channels(&self) -> usize {
        1
    }

    fn kind(&self) -> SampleKind {
        SampleKind::U16
    }

    fn info(&self, _scene: usize) -> SceneInfo {
        let [height, width] = self.size;
        SceneInfo {
            shots: self.shots,
            clean: self.clean,
            height,
            width,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        format!("scene {scene}, {view:?}")
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        if self.damaged.contains(&scene) {
            return Err(DataError::Empty {
                name: format!("damaged scene {scene}"),
            });
        }
        let [height, width] = self.size;
        let start = 1000 * scene + 100 * number(view);
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| 10 * y + x));
        let samples = pixels.map(|at| (start + at) as u16).collect();
        Ok(Arc::new(Raster {
            channels: 1,
            height,
            width,
            samples: Samples::U16(samples),
            alpha: None,
        }))
    }

    fn ordered(&self) -> bool {
        self.ordered
    }

    fn in_time(&self, _scene: usize) -> bool {
        self.in_time
    }

    fn may_skip(&self) -> bool {
        true
    }
}

/// Whole noisy pairs of grey images, seed 3.
pub fn pipeline() -> Pipeline {
    Pipeline {
        crop: CropPolicy::Whole,
        held_out: None,
        range: None,
        channels: 1,
        augment: AugmentConfig::default(),
        noise: None,
        subsample: None,
        series: Series::No,
        levels: None,
        clip_input: false,
        target: Some(Target::Noisy),
        seed: 3,
    }
}

/// Examples of scenes, by a pipeline.
pub fn examples(source: Numbered, pipeline: Pipeline) -> Arc<Examples> {
    let images = ImageCache::new(Arc::new(source), 1 << 20);
    Arc::new(Examples::new(images, pipeline, false))
}
