//! An experiment: TOML files and `--set` in, checked settings out. The only folder that knows TOML.

mod interval;
mod kind;
mod optimizer;
mod range;
mod scheduler;
mod settings;
#[cfg(test)]
mod tests;
mod train;

use std::path::Path;

use anyhow::{Context, ensure};
use n2n_data::noise::NoiseConfig;
use n2n_data::{DataConfig, NormalizationKind};
use n2n_model::{Loss, NetworkConfig};
use serde::{Deserialize, Serialize};

pub use self::interval::Interval;
use self::kind::with_default_kind;
pub use self::optimizer::OptimizerConfig;
pub use self::scheduler::{PlateauConfig, SchedulerConfig};
use self::settings::{apply, explain};
pub use self::train::{OnNan, TrainConfig};
use crate::args::ExperimentArgs;

/// What `n2n train` does without a CONFIG.
const DEFAULT_CONFIG: &str = include_str!("../../../../configs/default.toml");

/// What it does without a CONFIG on a person's own data.
const OWN_DATA_CONFIG: &str = include_str!("../../../../configs/own.toml");

/// Length of a run where neither `max_images` nor `max_epochs` is set: where the reference's own
/// curve has flattened out.
const DEFAULT_MAX_IMAGES: usize = 500_000;

/// Everything that decides what a run computes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// The network.
    #[serde(deserialize_with = "with_default_kind")]
    pub model: NetworkConfig,
    /// What it is trained and validated on.
    pub data: DataConfig,
    /// Noise that is put on clean images.
    pub noise: Option<NoiseConfig>,
    /// How it is trained.
    pub train: TrainConfig,
}

impl ExperimentArgs {
    /// The experiment: config, then settings, then the arguments that have names of their own.
    ///
    /// # Errors
    /// When the config cannot be read, or something in it is not possible.
    pub fn resolve(&self) -> anyhow::Result<Experiment> {
        let source = match &self.config {
            Some(path) => Source::File(path),
            None if self.data.is_some() || self.pairs.is_some() => Source::OwnData,
            None => Source::Default,
        };
        let mut experiment = Experiment::resolve(source, &self.settings)?;
        let data = &mut experiment.data;
        if let Some(path) = &self.data {
            data.path = Some(path.clone());
            data.pairs = None;
        }
        if let Some([first, second]) = self.pairs.as_deref() {
            data.path = None;
            data.pairs = Some([first.clone(), second.clone()]);
        }
        if let Some(path) = &self.validation {
            data.validation = Some(path.clone());
        }
        data.strict |= self.strict;
        if let Some(noise) = self.noise {
            experiment.noise = Some(noise);
        }
        if let Some(seed) = self.seed {
            experiment.train.seed = seed;
        }
        experiment.validate()?;
        Ok(experiment)
    }

    /// The config's file name, without its extension.
    pub fn name(&self) -> String {
        let stem = self.config.as_deref().and_then(Path::file_stem);
        match stem {
            Some(stem) => stem.to_string_lossy().into_owned(),
            None if self.data.is_some() || self.pairs.is_some() => "own".to_owned(),
            None => "default".to_owned(),
        }
    }
}

/// Where an experiment comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// The embedded experiment on embedded scenes.
    Default,
    /// The embedded experiment on a person's own data.
    OwnData,
    /// A file.
    File(&'a Path),
}

impl Experiment {
    /// Reads an experiment, then applies `key=value` settings to it.
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown, or a value is not possible.
    pub fn resolve(source: Source, settings: &[String]) -> anyhow::Result<Self> {
        let (name, text) = match source {
            Source::File(path) => (
                path.display().to_string(),
                std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read config {}", path.display()))?,
            ),
            Source::Default => ("the default config".to_owned(), DEFAULT_CONFIG.to_owned()),
            Source::OwnData => (
                "the config for own data".to_owned(),
                OWN_DATA_CONFIG.to_owned(),
            ),
        };
        // The file alone first: its errors then show the line.
        let mut experiment: Self = toml::from_str(&text)
            .map_err(|error| explain(&error))
            .with_context(|| format!("in {name}"))?;
        if !settings.is_empty() {
            let mut table: toml::Table = toml::from_str(&text)?;
            for setting in settings {
                apply(&mut table, setting).with_context(|| format!("in --set {setting}"))?;
                // After each, so that an error is the fault of this one.
                experiment = Self::deserialize(table.clone())
                    .map_err(|error| explain(&error))
                    .with_context(|| format!("in --set {setting}"))?;
            }
        }
        if experiment.train.max_images.is_none() && experiment.train.max_epochs.is_none() {
            experiment.train.max_images = Some(DEFAULT_MAX_IMAGES);
        }
        Ok(experiment)
    }

    /// Checks what a type cannot: ranges, and settings that contradict each other.
    ///
    /// # Errors
    /// When the experiment cannot be run, naming the key and its value.
    pub fn validate(&self) -> anyhow::Result<()> {
        self.model.validate()?;
        self.data.validate()?;
        if let Some(noise) = &self.noise {
            noise.validate()?;
        }
        ensure!(
            !self.model.is_residual() || self.data.normalize == NormalizationKind::None,
            "model.output is residual, which adds the input to what the network says, but data.normalize \
             changes the input's scale; set data.normalize = \"none\", or model.output = \"sigmoid\""
        );
        let train = &self.train;
        train.validate()?;
        if self.model.has_custom_backward() {
            let masked = matches!(self.noise, Some(NoiseConfig::Bernoulli { .. }));
            ensure!(
                train.loss == Loss::L2 && !masked,
                "model.implementation is layers, whose only loss is L2 over all pixels; set \
                 train.loss = \"l2\", noise other than bernoulli, or another model.implementation"
            );
        }
        Ok(())
    }

    /// The experiment as TOML, as a run directory keeps it.
    ///
    /// # Errors
    /// When a path is not valid Unicode.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        Ok(toml::to_string(self)?)
    }
}
