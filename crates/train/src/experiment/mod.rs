//! Experiments: TOML and `key=value` settings in, checked settings out.
//!
//! This folder alone knows the text form of an experiment, so that every other part works on checked
//! values.

mod error;
mod flat;
mod interval;
mod kind;
mod optimizer;
mod range;
mod scheduler;
mod schema;
mod settings;
#[cfg(test)]
mod tests;
mod train;

use std::fs;
use std::path::{Path, PathBuf};

use n2n_data::noise::NoiseConfig;
use n2n_data::{DataConfig, NormalizationKind};
use n2n_model::{Loss, NetworkConfig};
use serde::{Deserialize, Serialize};

pub use self::error::ExperimentError;
pub use self::interval::Interval;
use self::kind::with_default_kind;
pub use self::optimizer::OptimizerConfig;
pub use self::scheduler::{PlateauConfig, SchedulerConfig};
pub use self::schema::schema;
pub(crate) use self::settings::{Setting, explain};
pub use self::train::{Activations, OnDead, OnNan, TrainConfig};

/// The experiment on embedded scenes.
const SCENES_CONFIG: &str = include_str!("../../../../configs/default.toml");

/// The experiment on a person's own data.
const OWN_DATA_CONFIG: &str = include_str!("../../../../configs/own.toml");

/// Length of a run where none of `max_images`, `max_epochs` and `minutes` is set: the reference's own
/// curve is flat from there on.
const DEFAULT_MAX_IMAGES: usize = 500_000;

/// Everything that decides what a run computes.
///
/// ```
/// use n2n_train::Experiment;
///
/// let mut experiment = Experiment::for_data("photos/");
/// experiment.train.max_images = Some(100_000);
/// experiment.validate()?;
/// # Ok::<(), n2n_train::ExperimentError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// Network.
    #[serde(deserialize_with = "with_default_kind")]
    pub model: NetworkConfig,
    /// Training and validation data.
    pub data: DataConfig,
    /// Noise that is added to clean images.
    pub noise: Option<NoiseConfig>,
    /// Training settings.
    pub train: TrainConfig,
}

/// Origin of an experiment.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// The embedded config for embedded scenes.
    Scenes,
    /// The embedded config for a person's own data.
    OwnData,
    /// A file.
    File(&'a Path),
}

impl Source<'_> {
    /// Returns the name that errors use, and the text.
    fn read(self) -> Result<(String, String), ExperimentError> {
        Ok(match self {
            Self::Scenes => ("the default config".to_owned(), SCENES_CONFIG.to_owned()),
            Self::OwnData => (
                "the config for own data".to_owned(),
                OWN_DATA_CONFIG.to_owned(),
            ),
            Self::File(path) => {
                let text = fs::read_to_string(path).map_err(|source| ExperimentError::Read {
                    path: path.to_owned(),
                    source,
                })?;
                (path.display().to_string(), text)
            }
        })
    }
}

impl Experiment {
    /// Returns the experiment on scenes that the program draws.
    pub fn on_scenes() -> Self {
        Self::embedded(Source::Scenes)
    }

    /// Returns the experiment on the data at `path`: a folder, a stack or an array.
    pub fn for_data(path: impl Into<PathBuf>) -> Self {
        let mut experiment = Self::embedded(Source::OwnData);
        experiment.data.path = Some(path.into());
        experiment
    }

    fn embedded(source: Source) -> Self {
        Self::resolve(source, &[])
            .unwrap_or_else(|error| unreachable!("embedded configs are tested: {error}"))
    }

    /// Reads an experiment from a TOML file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds an unknown key or an impossible value.
    pub fn from_toml(path: impl AsRef<Path>) -> Result<Self, ExperimentError> {
        let experiment = Self::resolve(Source::File(path.as_ref()), &[])?;
        experiment.validate()?;
        Ok(experiment)
    }

    /// Reads an experiment, then applies `key=value` settings to it.
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown, or a value is not possible.
    pub fn resolve(source: Source, settings: &[String]) -> Result<Self, ExperimentError> {
        let settings = settings.iter().map(|text| Setting::parse(text));
        Self::with_settings(source, &settings.collect::<Result<Vec<_>, _>>()?)
    }

    /// Reads an experiment, then applies settings to it.
    ///
    /// # Errors
    /// As for [`resolve`](Self::resolve).
    pub(crate) fn with_settings(
        source: Source,
        settings: &[Setting],
    ) -> Result<Self, ExperimentError> {
        let (origin, text) = source.read()?;
        let parse = |error: toml::de::Error| ExperimentError::Parse {
            origin: origin.clone(),
            message: explain(&error),
        };
        // The file alone first: its errors then show the line.
        let mut experiment: Self = toml::from_str(&text).map_err(parse)?;
        if !settings.is_empty() {
            let mut table: toml::Table = toml::from_str(&text).map_err(parse)?;
            for setting in settings {
                let failed = |message| ExperimentError::Setting {
                    setting: setting.text.clone(),
                    message,
                };
                setting.apply(&mut table).map_err(failed)?;
                // After each setting, so that an error belongs to this one.
                experiment =
                    Self::deserialize(table.clone()).map_err(|error| failed(explain(&error)))?;
            }
        }
        if !experiment.train.has_length() && experiment.train.minutes.is_none() {
            experiment.train.max_images = Some(DEFAULT_MAX_IMAGES);
        }
        Ok(experiment)
    }

    /// Checks ranges, and settings that exclude each other.
    ///
    /// # Errors
    /// When the experiment cannot be run; the error names the key and its value.
    pub fn validate(&self) -> Result<(), ExperimentError> {
        self.model.validate()?;
        self.data.validate()?;
        if let Some(noise) = &self.noise {
            noise.validate()?;
        }
        let normalizes = self.data.normalize != NormalizationKind::None;
        if self.train.loss == Loss::RelativeL2 && self.model.has_input_units() && normalizes {
            return Err(ExperimentError::Conflict {
                found: "train.loss is relative_l2, which divides by the output".to_owned(),
                rule: "data.normalize makes this output around 0",
                remedy: "set data.normalize = \"none\", or another train.loss",
            });
        }
        self.train.validate()?;
        self.validate_layers()
    }

    /// Checks that the loss of sub-images is known.
    pub(crate) fn check_sub_images(&self) -> Result<(), ExperimentError> {
        let (weight, loss) = (self.data.subsample_weight, self.train.loss);
        if weight == 0.0 || loss == Loss::L2 {
            return Ok(());
        }
        Err(ExperimentError::Conflict {
            found: format!("data.subsample_weight is {weight}"),
            rule: "the second term of the loss of sub-images is known for the squared error only",
            remedy: "set data.subsample_weight = 0, or train.loss = \"l2\"",
        })
    }

    /// Checks what the hand-written layers can compute.
    fn validate_layers(&self) -> Result<(), ExperimentError> {
        if !self.model.has_custom_backward() {
            return Ok(());
        }
        let masked = matches!(self.noise, Some(NoiseConfig::Bernoulli { .. }));
        if self.train.loss != Loss::L2 || masked {
            return Err(ExperimentError::Conflict {
                found: "model.implementation is layers".to_owned(),
                rule: "its only loss is L2 over all pixels",
                remedy: "set train.loss = \"l2\", noise other than bernoulli, or another \
                         model.implementation",
            });
        }
        Ok(())
    }

    /// Writes the experiment as TOML, as a run directory keeps it.
    ///
    /// # Errors
    /// When a path is not valid Unicode.
    pub fn to_toml(&self) -> Result<String, ExperimentError> {
        Ok(toml::to_string(self)?)
    }
}
