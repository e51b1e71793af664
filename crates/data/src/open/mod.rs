//! From an experiment's data keys, or from pairs in memory, to examples for training and validation.

mod choices;
mod singles;

use std::sync::{Arc, OnceLock};

use serde::Serialize;

pub(crate) use self::choices::first;
use self::singles::{is_comparable, noisy};
use crate::augment::AugmentConfig;
use crate::image_cache::ImageCache;
use crate::noise::Noise;
use crate::pipeline::{CropPolicy, Pipeline, Series, Subsample};
use crate::source::{Arrays, Finder, Found, Scenes, Split, Subset, goes_with};
use crate::subsample::CELL;
use crate::{
    Chosen, DataConfig, DataError, Examples, NoiseCheck, NoiseLevel, NoisyPair, Normalization,
    NormalizationKind, PartnerReport, Range, SceneSource, SingleNoise, Target,
};

/// Longest side of validation examples; of larger images they are the center.
const LARGEST_VALIDATION: usize = 256;

/// What an experiment needs of its data.
#[derive(Clone)]
pub struct Request<'a> {
    /// The data.
    pub config: &'a DataConfig,
    /// Noise to put on clean images.
    pub noise: Option<Noise>,
    /// Seed of the split, of crops, augmentation and noise, and of the embedded scenes.
    pub seed: u64,
    /// The image that training compares outputs with.
    pub target: Target,
    /// What the sides of images must be multiples of.
    pub divisor: usize,
    /// Pixels between regions for training and for validation: the network's receptive radius.
    pub margin: usize,
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
    /// What is validated on.
    pub validates_on: ValidatesOn,
    /// Samples that become 0 and 1; `None` is as the type says.
    pub range: Option<Range>,
    /// Whether pairs are sub-images of single noisy images.
    pub subsamples: bool,
    /// Noise that is put on clean images.
    pub noise: Option<Noise>,
    /// Scenes and files that cannot be used, each with the reason.
    pub skipped: Vec<String>,
    /// How shots become pairs, where they stand for each other.
    pub pairing: Option<Chosen>,
    /// The scenes of training and validation.
    pub scenes: [Arc<dyn SceneSource>; 2],
    match_gain: bool,
    partners: OnceLock<Option<PartnerReport>>,
}

/// What a run is validated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidatesOn {
    /// A separate validation set.
    Set,
    /// Whole scenes, held out of the training.
    Scenes,
    /// A region of each scene, held out of the training with what the network sees around it.
    Regions,
    /// The only scene, which is trained on too: it is too small for a region.
    TrainingScene,
}

impl Request<'_> {
    /// Opens the data that the config names, and checks that it can be trained and validated on.
    ///
    /// # Errors
    /// When a file is missing or damaged, or does not fit the experiment.
    pub fn open(&self) -> Result<Opened, DataError> {
        self.config.validate()?;
        self.open_found(self.find(Target::Noisy)?)
    }

    /// Opens pairs held in memory. Some are held out for validation, by the keys `split`,
    /// `validation_limit` and `validation` of the config.
    ///
    /// Values may be on any scale: the key `range` says which become 0 and 1. NaN and infinite ones are
    /// left out of loss and statistics.
    ///
    /// # Errors
    /// When a pair is not of its shape or does not fit the experiment, or the config names other data.
    pub fn open_pairs(
        &self,
        pairs: impl IntoIterator<Item = NoisyPair>,
    ) -> Result<Opened, DataError> {
        let config = self.config;
        let paths = [&config.path, &config.clean];
        let pair = config.pairs.iter().flatten();
        if let Some(path) = paths.into_iter().flatten().chain(pair).next() {
            return Err(DataError::PathBesidePairs { path: path.clone() });
        }
        config.validate()?;
        self.open_found(Found {
            kind: "pairs in memory".to_owned(),
            train: Arc::new(Arrays::from_pairs(pairs)?),
            validation: None,
            skipped: vec![],
            guessed: false,
        })
    }

    /// Makes examples of scenes that were found.
    fn open_found(&self, found: Found) -> Result<Opened, DataError> {
        let config = self.config;
        let subsamples = self.subsamples(&found)?;
        let Found {
            mut kind,
            train,
            validation,
            skipped,
            guessed,
        } = found;
        if subsamples && guessed {
            kind = "single noisy images".to_owned();
        }
        let mut skipped: Vec<String> = skipped.iter().map(ToString::to_string).collect();
        let validation = match &config.validation {
            Some(path) => {
                let found = self.finder(Target::Clean).find(path)?;
                skipped.extend(found.skipped.iter().map(ToString::to_string));
                Some(found.train)
            }
            None => validation,
        };
        let visible = |mut source: Arc<dyn SceneSource>| -> Arc<dyn SceneSource> {
            if subsamples {
                source = noisy(source);
            }
            if config.ignore_clean {
                Arc::new(Subset::without_clean(source))
            } else {
                source
            }
        };
        let (train, validation) = (visible(train), validation.map(visible));
        let pairing = config.pairing.choose(&*train)?;
        let paired = |source| match pairing {
            Some(chosen) => chosen.shots(source),
            None => source,
        };
        let (train, validation) = (paired(train), validation.map(paired));
        let limit = config.limit.unwrap_or(usize::MAX);
        let all = first(train.clone(), limit);
        let (train, mut validation, mut validates_on) = match validation {
            Some(validation) => (train, validation, ValidatesOn::Set),
            None => self.split(&train),
        };
        let mut train = first(train, limit);
        if train.is_empty() {
            let name = "the training set".to_owned();
            return Err(DataError::Empty { name });
        }
        let noise = self.noise_for(&*train)?;
        let model = noise.as_ref().map(Noise::build).transpose()?;
        let reduction = match &model {
            Some(model) => model.reduction(),
            None if subsamples => CELL,
            None => 1,
        };
        let crop = self.crop_policy(&*train, reduction)?;
        let mut held_out = None;
        if validates_on != ValidatesOn::Set {
            held_out = self.held_out(&*all, crop, reduction);
        }
        if held_out.is_some() {
            (train, validation) = (all.clone(), all);
            validates_on = ValidatesOn::Regions;
        }
        let validation = first(validation, config.validation_limit);

        let has_noise = noise.is_some();
        if !subsamples {
            require(&*train, "the training set", Some(self.target), has_noise)?;
        }
        let validates_on_sub_images = subsamples && !is_comparable(&*validation);
        if !validates_on_sub_images {
            require(&*validation, "the validation set", None, has_noise)?;
        }
        let channels = config.channels.unwrap_or(train.channels());
        for (name, source) in [("training", &train), ("validation", &validation)] {
            check_channels(name, &**source, channels)?;
        }
        let range = config.range.resolve(&*train);
        check_ranges(range.as_ref(), channels)?;
        let cache = ImageCache::new(train.clone(), config.cache_mb << 20);
        let examples = |source: &Arc<dyn SceneSource>, crop: CropPolicy, target| {
            let images = cache.beside(source.clone());
            let pipeline = Pipeline {
                crop,
                held_out,
                range: range.clone(),
                channels,
                augment: match target {
                    None => AugmentConfig::default(),
                    Some(_) => config.augment.for_scenes(source.len()),
                },
                noise: model.clone(),
                subsample: match target {
                    Some(_) => subsamples.then_some(Subsample {
                        weight: config.subsample_weight as f32,
                    }),
                    None => validates_on_sub_images.then_some(Subsample { weight: 0.0 }),
                },
                series: Series::of(pairing, &**source),
                levels: config.match_gain.then(Arc::default),
                clip_input: config.clip_input,
                target,
                seed: self.seed,
            };
            Arc::new(Examples::new(images, pipeline, config.strict))
        };
        let center = CropPolicy::Center {
            divisor: self.divisor,
            largest: LARGEST_VALIDATION.max(self.divisor),
        };
        let opened = Opened {
            kind,
            train: examples(&train, crop, Some(self.target)),
            validation: examples(&validation, center, None),
            validates_on,
            subsamples,
            noise,
            skipped,
            pairing,
            match_gain: config.match_gain,
            partners: OnceLock::new(),
            scenes: [train, validation],
            range,
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
            axes: &self.config.axes,
            second,
            channels: self.config.channels,
            pairing: self.config.pairing,
            progress: self.progress,
        }
    }

    /// The scenes that the config names; `second` is what the second of two tensors in a file of
    /// PyTorch is.
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
            guessed: false,
        })
    }
}

impl Opened {
    /// Fits a normalization on the training inputs.
    ///
    /// # Errors
    /// When an example cannot be read.
    pub fn normalization(&self, kind: NormalizationKind) -> Result<Normalization, DataError> {
        Normalization::fit(kind, &self.train)
    }

    /// How far the noise of given training pairs is from independence; `None` where noise is put on
    /// clean images, or pairs are sub-images.
    ///
    /// # Errors
    /// When an example cannot be read.
    pub fn noise_check(&self) -> Result<Option<NoiseCheck>, DataError> {
        if self.noise.is_some() || self.subsamples {
            return Ok(None);
        }
        NoiseCheck::of(&self.train)
    }

    /// How far the noise of single images is from independence, where pairs are sub-images of them.
    pub fn single_noise(&self) -> Option<SingleNoise> {
        let [train, _] = &self.scenes;
        self.subsamples.then(|| SingleNoise::of(&**train)).flatten()
    }

    /// How strong the noise of the training images is; nothing where it is put on clean ones.
    pub fn noise_levels(&self) -> Vec<NoiseLevel> {
        match self.noise {
            Some(_) => vec![],
            None => NoiseLevel::of(&*self.scenes[0]),
        }
    }

    /// What the two images of training pairs have in common, measured once; `None` where training compares with no
    /// second noisy image, or no pair can be compared.
    pub fn partners(&self) -> Option<&PartnerReport> {
        let compares = self.noise.is_none()
            && !self.subsamples
            && self.train.pipeline().target == Some(Target::Noisy);
        let report = self.partners.get_or_init(|| {
            let images = self.train.images();
            compares
                .then(|| PartnerReport::of(images, self.pairing, self.match_gain))
                .flatten()
        });
        report.as_ref()
    }

    /// Statistics of a pixel need images of one size.
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

/// Checks that the images of a set can be taken as having `channels`.
pub(crate) fn check_channels(
    name: &str,
    source: &dyn SceneSource,
    channels: usize,
) -> Result<(), DataError> {
    let found = source.channels();
    if goes_with(found, channels) {
        return Ok(());
    }
    Err(DataError::Channels {
        name: format!("the {name} set"),
        found,
        expected: channels,
    })
}

/// Checks that ranges per channel are as many as there are channels.
pub(crate) fn check_ranges(range: Option<&Range>, channels: usize) -> Result<(), DataError> {
    match range.and_then(Range::channels) {
        Some(ranges) if ranges != channels => Err(DataError::RangeChannels { ranges, channels }),
        _ => Ok(()),
    }
}

/// Checks that every scene has what training (on a target) or validation (on any) needs.
fn require(
    source: &dyn SceneSource,
    name: &str,
    target: Option<Target>,
    has_noise: bool,
) -> Result<(), DataError> {
    let name = name.to_owned();
    if source.is_empty() {
        return Err(DataError::Empty { name });
    }
    let infos = || (0..source.len()).map(|scene| source.info(scene));
    let has_clean = infos().all(|info| info.clean);
    let has_pairs = infos().all(|info| info.shots > 1);
    let has_noisy = infos().all(|info| info.shots > 0);
    if has_noise {
        return if has_clean {
            Ok(())
        } else {
            Err(DataError::NoCleanToCorrupt { name })
        };
    }
    let missing = match target {
        Some(Target::Noisy) => (!has_pairs).then_some(Target::Noisy),
        Some(Target::Clean) => (!has_clean || !has_noisy).then_some(Target::Clean),
        None => (!(has_pairs || has_clean && has_noisy)).then_some(Target::Clean),
    };
    match missing {
        Some(target) => Err(DataError::MissingTarget { name, target }),
        None => Ok(()),
    }
}
