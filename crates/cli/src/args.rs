//! The command line, as typed.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use n2n_model::NetworkConfig;
use n2n_scratch::gradcheck::TOLERANCE;

use crate::backend::{BackendName, Selected};
use crate::commands::denoise::args::DenoiseArgs;
use crate::commands::evaluate::EvaluateArgs;
use crate::commands::export::ExportArgs;
use crate::commands::import::ImportArgs;
use n2n_data::noise::NoiseConfig;
use n2n_train::experiment::{Experiment, Source};

/// Image restoration without clean data: trains denoisers on pairs of noisy images.
#[derive(Debug, Parser)]
#[command(name = "n2n", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a network on noisy pairs
    Train(TrainArgs),
    /// Denoise images, stacks and folders of them
    Denoise(DenoiseArgs),
    /// Measure how well models denoise, beside classical methods
    ///
    /// PSNR and SSIM of whole images, never cut, resampled or clipped. Classical methods get the strength
    /// that is best on the very same images, which nobody knows in practice: that favours them.
    Evaluate(EvaluateArgs),
    /// Make a model file of a checkpoint of PyTorch
    Import(ImportArgs),
    /// Write a model for other programs, as ONNX or for PyTorch
    Export(ExportArgs),
    /// Take the same training steps on several backends, and compare speed, results and memory
    Compare(CompareArgs),
    /// Time training steps of the reference networks, by each implementation in turn
    Bench(BenchArgs),
    /// Check the values and gradients of the hand-written ops on a device
    Gradcheck(GradcheckArgs),
    /// List what this machine can compute on
    Devices(DevicesArgs),
    /// Look at data without training on it
    #[command(subcommand)]
    Data(DataCommand),
}

/// What to do with data.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Say what a path holds, and what would be trained and validated on
    Inspect(InspectArgs),
}

/// Arguments of `n2n data inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// File or folder
    #[arg(value_name = "PATH", required_unless_present = "pairs")]
    pub path: Option<PathBuf>,

    /// Two folders, or two stacks, whose images are noisy pairs, whatever their names
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "path")]
    pub pairs: Option<Vec<PathBuf>>,

    /// Data to validate on [default: what PATH says, or a tenth of the scenes]
    #[arg(long, value_name = "PATH")]
    pub validation: Option<PathBuf>,

    /// Noise to put on clean images, such as gaussian:25
    #[arg(long, value_name = "KIND:LEVEL")]
    pub noise: Option<NoiseConfig>,

    /// Override one key of the config, such as data.range=[0,4095]; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,

    /// Stop at the first file that cannot be used, instead of leaving it out
    #[arg(long)]
    pub strict: bool,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// What to run: an experiment and changes to it.
#[derive(Debug, Args)]
pub struct ExperimentArgs {
    /// Experiment in TOML; every key is described in configs/README.md
    /// [default: a small network on scenes drawn by the program, under a minute on two cores]
    #[arg(value_name = "CONFIG", verbatim_doc_comment)]
    pub config: Option<PathBuf>,

    /// Data to train on, found by looking: folders of pairs or bursts, TIFF stacks, arrays, files of
    /// PyTorch, CIFAR-10, clean images (see datasets/README.md)
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,

    /// Two folders, or two stacks, whose images are noisy pairs, whatever their names
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "data")]
    pub pairs: Option<Vec<PathBuf>>,

    /// Data to validate on [default: what PATH says, or a tenth of the scenes]
    #[arg(long, value_name = "PATH")]
    pub validation: Option<PathBuf>,

    /// Noise to put on clean images, such as gaussian:25, gaussian:5..50, poisson:30, bernoulli:0.5
    #[arg(long, value_name = "KIND:LEVEL")]
    pub noise: Option<NoiseConfig>,

    /// Stop at the first file that cannot be used, instead of leaving it out
    #[arg(long)]
    pub strict: bool,

    /// Override one key of the config, such as train.lr=0.1; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,

    /// Seed of weights, order and scenes, instead of the config's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

impl ExperimentArgs {
    /// Resolves the experiment: the config, then settings, then the arguments with names.
    ///
    /// # Errors
    /// When the config cannot be read, or a value is not possible.
    pub fn resolve(&self) -> anyhow::Result<Experiment> {
        let source = match &self.config {
            Some(path) => Source::File(path),
            None if self.data.is_some() || self.pairs.is_some() => Source::OwnData,
            None => Source::Scenes,
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

    /// Returns the config's file name without its extension.
    pub fn name(&self) -> String {
        let stem = self.config.as_deref().and_then(Path::file_stem);
        match stem {
            Some(stem) => stem.to_string_lossy().into_owned(),
            None if self.data.is_some() || self.pairs.is_some() => "own".to_owned(),
            None => "default".to_owned(),
        }
    }
}

/// One device of one backend.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// What to compute on
    #[arg(long, value_enum, default_value_t = BackendName::Auto)]
    pub backend: BackendName,

    /// Which device of that backend, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub device: usize,
}

impl PlaceArgs {
    /// Opens the device.
    ///
    /// # Errors
    /// When there is no such device.
    pub fn open(&self) -> anyhow::Result<Selected> {
        self.backend.open(self.device)
    }
}

/// Arguments of `n2n train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// What to run.
    #[command(flatten)]
    pub experiment: ExperimentArgs,

    /// What to compute on.
    #[command(flatten)]
    pub place: PlaceArgs,

    /// Go on with the run in this directory, from its newest checkpoint, as if it had never stopped
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["config", "data", "pairs", "validation", "noise", "strict", "settings", "seed", "run_dir"]
    )]
    pub resume: Option<PathBuf>,

    /// Where the run's files go [default: runs/CONFIG-NUMBER, the next number that is free]
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,

    /// Print one line of JSON at the end, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `n2n compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What to run.
    #[command(flatten)]
    pub experiment: ExperimentArgs,

    /// What to compute on, in this order; deviations are from the first
    /// [default: flex,ndarray, and wgpu if there is a GPU]
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "NAME,NAME",
        verbatim_doc_comment
    )]
    pub backends: Vec<BackendName>,

    /// Implementations of the network on each backend: burn, scratch, and for the simple net layers
    /// [default: as the config says]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "NAME,NAME",
        verbatim_doc_comment
    )]
    pub implementations: Vec<String>,

    /// Training steps on each, at least 2
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..))]
    pub steps: u32,

    /// Where the picture goes, as BASE.png and BASE.svg [default: runs/compare-CONFIG]
    #[arg(long, value_name = "BASE")]
    pub picture: Option<PathBuf>,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `n2n bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What to compute on
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "NAME,NAME",
        default_value = "flex"
    )]
    pub backend: Vec<BackendName>,

    /// Networks to train
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME", default_values = NetworkConfig::KINDS, value_parser = PossibleValuesParser::new(NetworkConfig::KINDS))]
    pub network: Vec<String>,

    /// Implementations to measure, of each network those that it has
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME", default_values = NetworkConfig::IMPLEMENTATIONS, value_parser = PossibleValuesParser::new(NetworkConfig::IMPLEMENTATIONS))]
    pub implementation: Vec<String>,

    /// Images in a batch
    #[arg(long, value_delimiter = ',', value_name = "N,N", default_value = "16,64", value_parser = batch_size)]
    pub batch: Vec<usize>,

    /// Rounds in which everyone is measured once
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Seconds of a measurement, of at least three steps
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5)]
    pub seconds: f64,

    /// Time each convolution of the U-Net as well, with batches of the first size
    #[arg(long)]
    pub layers: bool,

    /// Another engine to measure beside: a Python program and its script, as benches/peers/bench.py
    #[arg(long, num_args = 2, value_names = ["PYTHON", "SCRIPT"])]
    pub peer: Option<Vec<PathBuf>>,

    /// Write the table to a file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

fn batch_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size) if size > 0 => Ok(size),
        _ => Err("expected a whole number of at least 1".to_owned()),
    }
}

/// Arguments of `n2n gradcheck`.
#[derive(Debug, Args)]
pub struct GradcheckArgs {
    /// What to compute on.
    #[command(flatten)]
    pub place: PlaceArgs,

    /// Largest error that passes: max|a - b| / max|b| over a tensor
    #[arg(long, value_name = "ERROR", default_value_t = TOLERANCE)]
    pub tolerance: f64,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `n2n devices`.
#[derive(Debug, Args)]
pub struct DevicesArgs {
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}
