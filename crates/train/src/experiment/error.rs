//! Errors of experiments.

use std::path::PathBuf;

use n2n_data::DataError;
use n2n_data::noise::NoiseError;
use n2n_model::ConfigError;

/// Why an experiment cannot be read or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// The operating system refused.
    #[error("cannot read config {path}", path = .path.display())]
    Read {
        /// The config file.
        path: PathBuf,
        /// Reason given by the operating system.
        source: std::io::Error,
    },

    /// The text is not TOML, or holds an unknown key or a value of the wrong type.
    #[error("in {origin}: {message}")]
    Parse {
        /// Name of the config.
        origin: String,
        /// The place and the cause, and the nearest valid name.
        message: String,
    },

    /// A `key=value` setting cannot be applied.
    #[error("in the setting {setting}: {message}")]
    Setting {
        /// The setting.
        setting: String,
        /// The cause.
        message: String,
    },

    /// A sweep names runs that cannot be told apart, or too many, or none.
    #[error("in the sweep {path}: {message}", path = .path.display())]
    Sweep {
        /// The file of the sweep.
        path: PathBuf,
        /// The cause, and the way out.
        message: String,
    },

    /// A number is out of its range.
    #[error("{key} is {value}, but must be {rule}")]
    OutOfRange {
        /// The key.
        key: String,
        /// Its value.
        value: f64,
        /// The range in words.
        rule: String,
    },

    /// Two settings exclude each other.
    #[error("{found}, but {rule}; {remedy}")]
    Conflict {
        /// The first setting.
        found: String,
        /// What it excludes.
        rule: &'static str,
        /// Settings that go together.
        remedy: &'static str,
    },

    /// The experiment cannot be written as TOML: a path is not valid Unicode.
    #[error("cannot write the experiment as TOML")]
    Write(#[from] toml::ser::Error),

    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] ConfigError),

    /// The data settings are not possible.
    #[error(transparent)]
    Data(#[from] DataError),

    /// The noise settings are not possible.
    #[error(transparent)]
    Noise(#[from] NoiseError),
}
