//! What to train and validate on, as an experiment says it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use n2n_files::{AxesFrom, MAX_CHANNELS};

use crate::{
    AugmentConfig, DataError, Layout, NormalizationKind, Pairing, RangeConfig, ScenesConfig,
};

/// Largest weight of the second term of the loss of sub-images.
const LARGEST_WEIGHT: f64 = 100.0;

/// Longest side of a patch in pixels.
const LONGEST_PATCH: usize = 4096;

/// What a network is trained and validated on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// File or folder; without it and `pairs`, the embedded scenes.
    pub path: Option<PathBuf>,
    /// Two folders or stacks whose images are pairs.
    pub pairs: Option<[PathBuf; 2]>,
    /// Clean images of `pairs`.
    pub clean: Option<PathBuf>,
    /// File or folder to validate on; without it, some of the scenes.
    pub validation: Option<PathBuf>,
    /// Leave clean images aside, as if there were none.
    pub ignore_clean: bool,
    /// How images belong together, where it cannot be told by looking.
    pub layout: Option<Layout>,
    /// What the axes of stacks are, and the images along them.
    #[serde(with = "crate::axes")]
    pub axes: AxesFrom,
    /// Which shots of a scene are pairs, or that each is a pair by itself.
    pub pairing: Pairing,
    /// Weight of the second term of the loss of sub-images at the end of a run.
    pub subsample_weight: f64,
    /// Scale the noisy target of each pair to the brightness and contrast of its input.
    pub match_gain: bool,
    /// Share of the scenes that are validated on, if nothing else says which.
    pub split: f64,
    /// Number of training scenes, from the first; all by default.
    pub limit: Option<usize>,
    /// Largest number of validation scenes.
    pub validation_limit: usize,
    /// Side in pixels of the squares that are cut from images; without it, small images of one size
    /// stay whole.
    pub patch_size: Option<usize>,
    /// Samples that become 0 and 1.
    pub range: RangeConfig,
    /// Colour channels of the images; without it, as the files have.
    pub channels: Option<usize>,
    /// Cut the inputs off at 0 and 1, as an 8-bit file does; targets keep their mean.
    pub clip_input: bool,
    /// Normalization of the inputs.
    pub normalize: NormalizationKind,
    /// New random order in each epoch, or file order.
    pub shuffle: bool,
    /// Changes to training examples that keep their meaning.
    pub augment: AugmentConfig,
    /// Decoded images kept in memory, in MiB.
    pub cache_mb: usize,
    /// Threads that make batches ahead of time.
    pub workers: usize,
    /// Refuse a set in which a file cannot be used, instead of leaving it out.
    pub strict: bool,
    /// The embedded scenes.
    pub scenes: ScenesConfig,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            path: None,
            pairs: None,
            clean: None,
            validation: None,
            ignore_clean: false,
            layout: None,
            axes: AxesFrom::File,
            pairing: Pairing::Auto,
            subsample_weight: 1.0,
            match_gain: false,
            split: 0.1,
            limit: None,
            validation_limit: 1000,
            patch_size: None,
            range: RangeConfig::Auto,
            channels: None,
            clip_input: false,
            normalize: NormalizationKind::None,
            shuffle: true,
            augment: AugmentConfig::default(),
            cache_mb: 1024,
            workers: 1,
            strict: false,
            scenes: ScenesConfig::default(),
        }
    }
}

impl DataConfig {
    /// Makes the paths those that they are from any working folder. Links stay.
    pub fn make_absolute(&mut self) {
        let single = [&mut self.path, &mut self.clean, &mut self.validation];
        let pairs = self.pairs.iter_mut().flatten();
        for path in single.into_iter().flatten().chain(pairs) {
            // Without a working folder the path says what it said.
            if let Ok(absolute) = std::path::absolute(&*path) {
                *path = absolute;
            }
        }
    }

    /// Checks the ranges, and keys that contradict each other.
    ///
    /// # Errors
    /// When a value is not possible, with its key.
    pub fn validate(&self) -> Result<(), DataError> {
        let invalid = |key, value: String, expected| {
            Err(DataError::Config {
                key,
                value,
                expected,
            })
        };
        self.scenes.validate()?;
        self.augment.validate()?;
        if !(self.split > 0.0 && self.split < 1.0) {
            return invalid("split", self.split.to_string(), "above 0 and below 1");
        }
        if !(0.0..=LARGEST_WEIGHT).contains(&self.subsample_weight) {
            let value = self.subsample_weight.to_string();
            return invalid("subsample_weight", value, "between 0 and 100");
        }
        for (key, value) in [
            ("limit", self.limit),
            ("validation_limit", Some(self.validation_limit)),
            ("patch_size", self.patch_size),
        ] {
            if value == Some(0) {
                return invalid(key, "0".to_owned(), "at least 1");
            }
        }
        if let Some(side) = self.patch_size.filter(|side| *side > LONGEST_PATCH) {
            return invalid("patch_size", side.to_string(), "at most 4096");
        }
        if let Some(channels) = self.channels
            && !(1..=MAX_CHANNELS).contains(&channels)
        {
            return invalid("channels", channels.to_string(), "between 1 and 64");
        }
        if let RangeConfig::Given(range) = &self.range
            && range.validate().is_err()
        {
            let value = range.to_string();
            return invalid("range", value, "two finite numbers, the lower first");
        }
        if self.workers > 64 {
            return invalid("workers", self.workers.to_string(), "at most 64");
        }
        if let (Some(path), Some(_)) = (&self.path, &self.pairs) {
            let value = path.display().to_string();
            return invalid("path", value, "unset where data.pairs is set");
        }
        if let (Some(clean), None) = (&self.clean, &self.pairs) {
            let value = clean.display().to_string();
            return invalid("clean", value, "unset where data.pairs is not set");
        }
        Ok(())
    }
}
