//! From what an experiment says to examples for training and validation.

use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use crate::augment::AugmentConfig;
use crate::cut::Scale;
use crate::examples::{Framing, Recipe};
use crate::noise::NoiseConfig;
use crate::source::{Finder, Found, Scenes, Split, Subset};
use crate::{
    DataConfig, DataError, Examples, Library, NoiseCheck, Normalization, NormalizationKind,
    SceneSource, Target,
};

/// Images up to this area are trained on whole, where they are of one size.
const LARGEST_WHOLE: usize = 128 * 128;

/// Side of the patches that larger images are cut into.
const DEFAULT_PATCH: usize = 64;

/// Longest side of what is validated on: the middle of larger images.
const LARGEST_VALIDATION: usize = 256;

/// What an experiment needs of its data.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The data.
    pub config: &'a DataConfig,
    /// Noise to put on clean images.
    pub noise: Option<&'a NoiseConfig>,
    /// Seed of the split, of crops, augmentation and noise, and of the embedded scenes.
    pub seed: u64,
    /// The image that training compares outputs with.
    pub target: Target,
    /// What the sides of images must be multiples of.
    pub divisor: usize,
    /// Called now and then with the number of scenes looked at.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

/// Data that can be trained and validated on.
pub struct Opened {
    /// What was found, in words.
    pub kind: String,
    /// Training examples.
    pub train: Arc<Examples>,
    /// Validation examples.
    pub validation: Arc<Examples>,
    /// Whether there was a single scene, which then serves for both.
    pub one_scene: bool,
    /// Noise that is put on clean images.
    pub noise: Option<NoiseConfig>,
    /// Scenes and files that cannot be used, each with the reason.
    pub skipped: Vec<String>,
    /// The scenes of training and validation.
    pub scenes: [Arc<dyn SceneSource>; 2],
}

impl Request<'_> {
    /// Opens the data, and checks that it can be trained and validated on.
    ///
    /// # Errors
    /// When a file is missing or damaged, or does not fit the experiment.
    pub fn open(&self) -> Result<Opened, DataError> {
        let config = self.config;
        config.validate()?;
        let Found {
            kind,
            train,
            validation,
            skipped,
        } = self.find(Target::Noisy)?;
        let mut skipped: Vec<String> = skipped.iter().map(ToString::to_string).collect();
        let validation = match &config.validation {
            Some(path) => {
                let found = self.finder(Target::Clean).find(path)?;
                skipped.extend(found.skipped.iter().map(ToString::to_string));
                Some(found.train)
            }
            None => validation,
        };
        let visible = |source: Arc<dyn SceneSource>| -> Arc<dyn SceneSource> {
            match config.ignore_clean {
                true => Arc::new(Subset::without_clean(source)),
                false => source,
            }
        };
        let (train, validation) = (visible(train), validation.map(visible));
        let one_scene = validation.is_none() && train.len() == 1;
        let (train, validation) = match validation {
            Some(validation) => (train, validation),
            None => self.split(&train),
        };
        let train = first(train, config.limit.unwrap_or(usize::MAX));
        let validation = first(validation, config.validation_limit);

        let noise = self.noise_for(&*train)?;
        require(&*train, "the training set", Some(self.target), noise)?;
        require(&*validation, "the validation set", None, noise)?;
        let examples = |source: &Arc<dyn SceneSource>, validates: bool| -> Result<_, DataError> {
            let cache_bytes = config.cache_mb << 20;
            let has_range = config.range.is_some();
            let library = Library::new(source.clone(), cache_bytes, has_range, config.strict);
            let framing = match validates {
                true => Framing::Middle {
                    divisor: self.divisor,
                    largest: LARGEST_VALIDATION.max(self.divisor),
                },
                false => self.framing(&**source, noise)?,
            };
            let recipe = Recipe {
                framing,
                scale: Scale {
                    range: config.range,
                },
                channels: config.channels.unwrap_or(train.channels()),
                augment: match validates {
                    true => AugmentConfig::default(),
                    false => config.augment.clone(),
                },
                reduction: reduction(noise),
                noise: noise.map(|noise| noise.build()).transpose()?,
                clip_input: config.clip_input,
                target: (!validates).then_some(self.target),
                seed: self.seed,
                cache_bytes,
            };
            Ok(Arc::new(Examples::new(Arc::new(library), recipe)))
        };
        let opened = Opened {
            kind,
            train: examples(&train, false)?,
            validation: examples(&validation, true)?,
            one_scene,
            noise,
            skipped,
            scenes: [train, validation],
        };
        if config.normalize == NormalizationKind::PerPixel {
            opened.check_one_size()?;
        }
        Ok(opened)
    }

    fn finder(&self, second: Target) -> Finder<'_> {
        Finder {
            strict: self.config.strict,
            layout: self.config.layout,
            second,
            progress: self.progress,
        }
    }

    /// What the experiment names; `second` is what the second of two tensors in a file of PyTorch is.
    pub(crate) fn find(&self, second: Target) -> Result<Found, DataError> {
        let config = self.config;
        let finder = self.finder(second);
        if let Some([first, second]) = &config.pairs {
            return finder.pairs([first, second], config.clean.as_deref());
        }
        if let Some(path) = &config.path {
            return finder.find(path);
        }
        let scenes = |split| Arc::new(Scenes::new(&config.scenes, self.seed, split));
        Ok(Found {
            kind: "embedded scenes".to_owned(),
            train: scenes(Split::Train),
            validation: Some(scenes(Split::Validation)),
            skipped: vec![],
        })
    }

    /// Training and validation scenes; a lone scene is both.
    fn split(&self, all: &Arc<dyn SceneSource>) -> (Arc<dyn SceneSource>, Arc<dyn SceneSource>) {
        let count = all.len();
        if count < 2 {
            return (all.clone(), all.clone());
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
        (half(false), half(true))
    }

    /// The noise to put on clean images: where there is nothing else, that of an image reduced by
    /// dropping pixels, as far as the images can be reduced.
    fn noise_for(&self, train: &dyn SceneSource) -> Result<Option<NoiseConfig>, DataError> {
        let infos = || (0..train.len()).map(|scene| train.info(scene));
        if self.noise.is_some() || infos().any(|info| info.shots > 0) {
            return Ok(self.noise.copied());
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
            factor => Ok(Some(NoiseConfig::Points { factor })),
        }
    }

    fn framing(
        &self,
        source: &dyn SceneSource,
        noise: Option<NoiseConfig>,
    ) -> Result<Framing, DataError> {
        let divisor = self.divisor;
        let sizes = (0..source.len()).map(|scene| {
            let info = source.info(scene);
            [info.height, info.width].map(|side| side / reduction(noise))
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
            Some(side) if one_size && whole == [side, side] => Ok(Framing::Whole),
            Some(side) => Ok(Framing::Anywhere(side)),
            None if one_size && fits && whole[0] * whole[1] <= LARGEST_WHOLE => Ok(Framing::Whole),
            None => {
                // Nothing is made up in scenes that are as large as the largest.
                let shorter = sizes.map(|[height, width]| height.min(width)).max();
                let side = shorter.unwrap_or(0).min(DEFAULT_PATCH) / divisor * divisor;
                Ok(Framing::Anywhere(side.max(divisor)))
            }
        }
    }
}

/// Most pixels, along an axis, that one is drawn from where nothing else is said.
const LARGEST_REDUCTION: usize = 8;

impl Opened {
    /// Fits a normalization on the training inputs.
    ///
    /// # Errors
    /// When an example cannot be read.
    pub fn normalization(&self, kind: NormalizationKind) -> Result<Normalization, DataError> {
        Normalization::fit(kind, &self.train)
    }

    /// How far the noise of the training pairs is from independence, where a file holds it.
    ///
    /// # Errors
    /// When an example cannot be read.
    pub fn noise_check(&self) -> Result<Option<NoiseCheck>, DataError> {
        match self.noise {
            Some(_) => Ok(None),
            None => NoiseCheck::of(&self.train),
        }
    }

    /// Statistics of a pixel exist only where every image has it.
    fn check_one_size(&self) -> Result<(), DataError> {
        if let Some(side) = self.train.crop() {
            return Err(DataError::PerPixelOfCrops { side });
        }
        let expected = self.train.shape(0);
        let shapes = (0..self.validation.len()).map(|index| self.validation.shape(index));
        match shapes.into_iter().find(|shape| *shape != expected) {
            Some(found) => Err(DataError::PerPixelSizes { expected, found }),
            None => Ok(()),
        }
    }
}

/// Pixels of a clean image that become one, along each axis.
pub(crate) fn reduction(noise: Option<NoiseConfig>) -> usize {
    match noise {
        Some(NoiseConfig::Points { factor }) => factor,
        _ => 1,
    }
}

/// The first so many scenes.
pub(crate) fn first(source: Arc<dyn SceneSource>, limit: usize) -> Arc<dyn SceneSource> {
    match limit < source.len() {
        true => Arc::new(Subset::new(source, (0..limit as u32).collect())),
        false => source,
    }
}

/// Whether every scene has what training (on a target) or validation (on any) needs.
fn require(
    source: &dyn SceneSource,
    name: &str,
    target: Option<Target>,
    noise: Option<NoiseConfig>,
) -> Result<(), DataError> {
    let name = name.to_owned();
    if source.is_empty() {
        return Err(DataError::Empty { name });
    }
    let infos = || (0..source.len()).map(|scene| source.info(scene));
    let (has_clean, has_pairs) = (
        infos().all(|info| info.clean),
        infos().all(|info| info.shots > 1),
    );
    let has_noisy = infos().all(|info| info.shots > 0);
    let missing = match (noise, target) {
        (Some(_), _) if has_clean => None,
        (Some(_), _) => return Err(DataError::NoCleanToCorrupt { name }),
        (None, Some(Target::Noisy)) => (!has_pairs).then_some(Target::Noisy),
        (None, Some(Target::Clean)) => (!has_clean || !has_noisy).then_some(Target::Clean),
        (None, None) => (!(has_pairs || has_clean && has_noisy)).then_some(Target::Clean),
    };
    match missing {
        Some(target) => Err(DataError::MissingTarget { name, target }),
        None => Ok(()),
    }
}
