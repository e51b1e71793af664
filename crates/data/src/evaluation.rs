//! Data to evaluate denoisers on: whole images, each once.

use std::sync::Arc;

use n2n_files::SampleKind;

use crate::augment::AugmentConfig;
use crate::image_cache::ImageCache;
use crate::noise::Noise;
use crate::open::{check_channels, check_ranges, first};
use crate::pipeline::{CropPolicy, Pipeline, Series};
use crate::source::{Subset, TRAIN_FILE};
use crate::{
    DataConfig, DataError, ExampleIndex, Examples, NoisyPair, Range, Request, SceneSource, Target,
    View,
};

/// What the set is called in errors.
const NAME: &str = "the evaluation set";

/// The pass over the data whose noise is drawn: none that training comes to.
const FRESH: u64 = u64::MAX;

/// Which data to evaluate on.
#[derive(Clone)]
pub struct EvaluationRequest<'a> {
    /// The data: the set to validate on if it has one, or else all of it.
    pub config: &'a DataConfig,
    /// Noise to put on clean images.
    pub noise: Option<Noise>,
    /// Seed of the noise, and of the embedded scenes.
    pub seed: u64,
    /// What the second of two tensors in a file of PyTorch is; without it, clean, but for the training
    /// file of the reference and for folders.
    pub second: Option<Target>,
    /// Number of scenes, from the first; all by default.
    pub limit: Option<usize>,
    /// Called now and then with the number of scenes looked at.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

/// Scenes to evaluate on.
pub struct EvaluationSet {
    /// What was found, in words.
    pub kind: String,
    /// Scenes and files that cannot be used, each with the reason.
    pub skipped: Vec<String>,
    /// Samples that become 0 and 1; `None` is as the type says.
    pub range: Option<Range>,
    /// The kind of the samples.
    pub samples: SampleKind,
    scenes: Arc<dyn SceneSource>,
    examples: Examples,
    strict: bool,
}

impl EvaluationRequest<'_> {
    /// Opens the data, and checks that there is something to compare denoised images with.
    ///
    /// # Errors
    /// When a file is missing or damaged, or there is nothing to compare with.
    pub fn open(&self) -> Result<EvaluationSet, DataError> {
        let config = self.config;
        config.validate()?;
        let request = Request {
            config,
            noise: self.noise.clone(),
            seed: self.seed,
            target: Target::Noisy,
            divisor: 1,
            margin: 0,
            progress: self.progress,
        };
        let found = request.find(self.second.unwrap_or_else(|| self.usual_second()))?;
        let mut scenes = found.validation.unwrap_or(found.train);
        if config.ignore_clean {
            scenes = Arc::new(Subset::without_clean(scenes));
        }
        let chosen = config.pairing.choose(&*scenes)?;
        if let Some(chosen) = chosen {
            scenes = chosen.shots(scenes);
        }
        let scenes = first(scenes, self.limit.unwrap_or(usize::MAX));
        let noise = self.noise.as_ref().map(Noise::build).transpose()?;
        require(&*scenes, noise.as_ref().map(|noise| noise.reduction()))?;

        let channels = config.channels.unwrap_or(scenes.channels());
        check_channels("evaluation", &*scenes, channels)?;
        let range = config.range.resolve(&*scenes);
        check_ranges(range.as_ref(), channels)?;
        let images = ImageCache::new(scenes.clone(), config.cache_mb << 20);
        let pipeline = Pipeline {
            crop: CropPolicy::Whole,
            held_out: None,
            range: range.clone(),
            channels,
            augment: AugmentConfig::default(),
            subsample: None,
            clip_input: config.clip_input,
            noise,
            series: Series::of(chosen, &*scenes),
            levels: config.match_gain.then(Arc::default),
            target: None,
            seed: self.seed,
        };
        Ok(EvaluationSet {
            kind: found.kind,
            skipped: found.skipped.iter().map(ToString::to_string).collect(),
            range,
            samples: scenes.kind(),
            scenes,
            examples: Examples::new(images, pipeline, config.strict),
            strict: config.strict,
        })
    }

    fn usual_second(&self) -> Target {
        let path = self.config.path.as_deref();
        match path {
            Some(path) if path.is_file() && !path.ends_with(TRAIN_FILE) => Target::Clean,
            _ => Target::Noisy,
        }
    }
}

impl EvaluationSet {
    /// Number of scenes.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// `[channels, height, width]` of the images of a scene.
    pub fn shape(&self, scene: usize) -> [usize; 3] {
        self.examples.shape(scene)
    }

    /// The file that a scene comes from, and the place in it.
    pub fn name(&self, scene: usize) -> String {
        let view = match self.scenes.info(scene).shots {
            0 => View::Clean,
            _ => View::Shot(0),
        };
        self.scenes.name(scene, view)
    }

    /// The files that the images of a scene come from, and the places in them.
    pub fn names(&self, scene: usize) -> Vec<String> {
        let info = self.scenes.info(scene);
        let clean = info.clean.then_some(View::Clean);
        let views = (0..info.shots).map(View::Shot).chain(clean);
        views.map(|view| self.scenes.name(scene, view)).collect()
    }

    /// Whether there are clean images to compare with; otherwise there are second noisy ones.
    pub fn has_clean(&self) -> bool {
        self.examples.has_clean()
    }

    /// Whether a scene that cannot be read may be left out.
    pub fn may_skip(&self) -> bool {
        !self.strict && self.scenes.may_skip()
    }

    /// The images of a scene, at full size. Noise is a pure function of the seed and the scene's number,
    /// and no training sees the same.
    ///
    /// # Errors
    /// When one cannot be read.
    ///
    /// # Panics
    /// If there is no such scene.
    pub fn pair(&self, scene: usize) -> Result<NoisyPair, DataError> {
        self.examples.pair_or_error(ExampleIndex {
            epoch: FRESH,
            index: scene,
        })
    }
}

/// Checks that every scene has a noisy image, and one to compare it with. `reduction` is that of the
/// noise, if there is noise.
fn require(scenes: &dyn SceneSource, reduction: Option<usize>) -> Result<(), DataError> {
    let name = NAME.to_owned();
    if scenes.is_empty() {
        return Err(DataError::Empty { name });
    }
    let infos = || (0..scenes.len()).map(|scene| scenes.info(scene));
    let has_clean = infos().all(|info| info.clean);
    let has_shots = |count: usize| infos().all(|info| info.shots >= count);
    if let Some(needed) = reduction {
        if !has_clean {
            return Err(DataError::NoCleanToCorrupt { name });
        }
        let shortest = infos().map(|info| info.height.min(info.width)).min();
        let shortest = shortest.unwrap_or(0);
        if shortest < needed {
            return Err(DataError::NeedsNoise { shortest, needed });
        }
        return Ok(());
    }
    if has_shots(if has_clean { 1 } else { 2 }) {
        Ok(())
    } else if has_clean {
        Err(DataError::NothingNoisy { name })
    } else {
        Err(DataError::NothingToCompare { name })
    }
}
