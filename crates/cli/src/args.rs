//! Arguments that several commands share.

use std::path::{Path, PathBuf};

use clap::Args;
use n2n_data::DataConfig;
use n2n_data::noise::NoiseConfig;
use n2n_devices::{Backend, DeviceError, SelectedDevice};
use n2n_train::experiment::{Experiment, ExperimentError, Source};

/// Data, and settings of an experiment. The command has an argument `data`.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// Two folders, or two stacks, whose images are noisy pairs in the order of their names
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "data")]
    pub pairs: Option<Vec<PathBuf>>,

    /// Noise to add to clean images, such as gaussian:25, gaussian:5..50, poisson:30, bernoulli:0.5
    #[arg(long, value_name = "KIND:LEVEL")]
    pub noise: Option<NoiseConfig>,

    /// Stop at the first file that cannot be used, instead of leaving it out
    #[arg(long)]
    pub strict: bool,

    /// Override one key of the config, such as train.lr=0.1 or data.range=[0,4095]; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

impl DataArgs {
    /// Resolves an experiment: the config, then the settings, then the data.
    ///
    /// # Errors
    /// When the config cannot be read, or a value is invalid.
    pub fn resolve(
        &self,
        config: Option<&Path>,
        path: Option<&Path>,
        validation: Option<&Path>,
        seed: Option<u64>,
    ) -> anyhow::Result<Experiment> {
        let source = match config {
            Some(config) => Source::File(config),
            None if path.is_some() || self.pairs.is_some() => Source::OwnData,
            None => Source::Scenes,
        };
        let mut experiment = Experiment::resolve(source, &self.settings)?;
        if let Some(seed) = seed {
            experiment.train.seed = seed;
        }
        self.complete(&mut experiment, path, validation)?;
        Ok(experiment)
    }

    /// Puts the arguments other than settings on top of an experiment, and checks it.
    ///
    /// # Errors
    /// When a value is invalid.
    pub fn complete(
        &self,
        experiment: &mut Experiment,
        path: Option<&Path>,
        validation: Option<&Path>,
    ) -> Result<(), ExperimentError> {
        self.place(&mut experiment.data, path, validation);
        experiment.data.strict |= self.strict;
        if let Some(noise) = self.noise {
            experiment.noise = Some(noise);
        }
        experiment.validate()
    }

    /// Says where data are, as far as the arguments say so.
    fn place(&self, data: &mut DataConfig, path: Option<&Path>, validation: Option<&Path>) {
        if let Some(path) = path {
            data.path = Some(path.to_owned());
            data.pairs = None;
        }
        if let Some([first, second]) = self.pairs.as_deref() {
            data.path = None;
            data.pairs = Some([first.clone(), second.clone()]);
        }
        if let Some(path) = validation {
            data.validation = Some(path.to_owned());
        }
    }
}

/// An experiment, and changes to it.
#[derive(Debug, Args)]
pub struct ExperimentArgs {
    /// Experiment in TOML; every key is described in configs/README.md and by n2n schema
    /// [default: a small network on scenes drawn by the program, under a minute on two cores]
    #[arg(value_name = "CONFIG", verbatim_doc_comment)]
    pub config: Option<PathBuf>,

    /// Data to train on, found by looking: folders of pairs or bursts, TIFF stacks, arrays, files of
    /// PyTorch, CIFAR-10, clean images (see datasets/README.md)
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,

    /// Data to validate on [default: what PATH says, or a tenth of the scenes]
    #[arg(long, value_name = "PATH")]
    pub validation: Option<PathBuf>,

    /// Data and settings.
    #[command(flatten)]
    pub source: DataArgs,

    /// Seed of weights, order and scenes, instead of the config's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

impl ExperimentArgs {
    /// Resolves the experiment: the config, then the settings, then the other arguments.
    ///
    /// # Errors
    /// When the config cannot be read, or a value is invalid.
    pub fn resolve(&self) -> anyhow::Result<Experiment> {
        let [config, data, validation] =
            [&self.config, &self.data, &self.validation].map(Option::as_deref);
        self.source.resolve(config, data, validation, self.seed)
    }

    /// Says where the data of a run are that have moved.
    pub fn place_data(&self, data: &mut DataConfig) {
        let [path, validation] = [&self.data, &self.validation].map(Option::as_deref);
        self.source.place(data, path, validation);
    }

    /// Returns the config's file name without its extension.
    pub fn name(&self) -> String {
        let stem = self.config.as_deref().and_then(Path::file_stem);
        match stem {
            Some(stem) => stem.to_string_lossy().into_owned(),
            None if self.data.is_some() || self.source.pairs.is_some() => "own".to_owned(),
            None => "default".to_owned(),
        }
    }
}

/// One device of one backend.
#[derive(Clone, Debug, Args)]
pub struct DeviceArgs {
    /// Backend to compute on
    #[arg(long, value_parser = crate::backend::parser(), default_value = "auto")]
    pub backend: Backend,

    /// Device of that backend, counted from 0
    #[arg(long = "device", value_name = "N", default_value_t = 0)]
    pub index: usize,
}

impl DeviceArgs {
    /// Opens the device.
    ///
    /// # Errors
    /// When there is no such device.
    pub fn open(&self) -> Result<SelectedDevice, DeviceError> {
        self.backend.open(self.index)
    }
}

/// Parses a whole number of at least 1.
///
/// # Errors
/// When the text is anything else.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("expected a whole number of at least 1".to_owned()),
    }
}
