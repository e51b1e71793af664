//! The arguments, as typed.

use std::path::PathBuf;

use clap::Args;
use n2n_data::Target;
use n2n_data::classical::Classical;

use crate::args::{DataArgs, DeviceArgs, at_least_one};

/// Names of the classical methods on the command line.
const BASELINES: [(&str, Option<Classical>); 4] = [
    ("gaussian", Some(Classical::GaussianBlur)),
    ("median", Some(Classical::Median)),
    ("nlm", Some(Classical::NonLocalMeans)),
    ("none", None),
];

/// Arguments of `n2n evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Run directories, of which the best model is taken, or model files; several are compared
    /// [default: the bundled model]
    #[arg(value_name = "MODEL", verbatim_doc_comment)]
    pub models: Vec<PathBuf>,

    /// Data as for training (see datasets/README.md): what it has to validate on, or else all of it.
    /// Without clean images PSNR is estimated from pairs of noisy ones.
    /// Samples are scaled as the models were trained, unless --set data.range says otherwise.
    /// [default: scenes drawn by the program]
    #[arg(long, value_name = "PATH", verbatim_doc_comment)]
    pub data: Option<PathBuf>,

    /// Data and settings.
    #[command(flatten)]
    pub source: DataArgs,

    /// Seed of the noise; no training draws the same noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// What the second of two tensors in a file of PyTorch is, clean or noisy
    /// [default: clean, but in train_data.pkl noisy]
    #[arg(long, value_name = "KIND", value_parser = target, verbatim_doc_comment)]
    pub second: Option<Target>,

    /// Use only the first N images [default: all]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub limit: Option<usize>,

    /// Classical methods to compare with: gaussian, a blur; median; nlm, non-local means; or none
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "NAME,NAME",
        default_value = "gaussian,median,nlm",
        value_parser = BASELINES.map(|(name, _)| name)
    )]
    pub baselines: Vec<String>,

    /// Average the results of models over the eight flips and rotations of each image
    #[arg(long)]
    pub self_ensemble: bool,

    /// What to compute on.
    #[command(flatten)]
    pub device: DeviceArgs,

    /// Where a picture of the worst, the median and the best image goes
    /// [default: runs/evaluate-DATA.png, or the next number that is free]
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub sheet: Option<PathBuf>,

    /// Write a line for each image and method to a file
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,

    /// Write over files that are there already
    #[arg(long)]
    pub overwrite: bool,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

impl EvaluateArgs {
    /// The classical methods, each once.
    pub fn classical(&self) -> Vec<Classical> {
        let named = |wanted: &str| BASELINES.iter().find(|(name, _)| *name == wanted);
        let mut methods = Vec::new();
        for (_, method) in self.baselines.iter().filter_map(|name| named(name)) {
            methods.extend(method.filter(|method| !methods.contains(method)));
        }
        methods
    }
}

fn target(text: &str) -> Result<Target, String> {
    match text {
        "clean" => Ok(Target::Clean),
        "noisy" => Ok(Target::Noisy),
        _ => Err("expected clean or noisy".to_owned()),
    }
}
