//! Arguments of `n2n train`.

use std::path::PathBuf;

use clap::Args;
use n2n_train::Experiment;

use crate::args::{DeviceArgs, ExperimentArgs};

/// Arguments of `n2n train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// What to run.
    #[command(flatten)]
    pub experiment: ExperimentArgs,

    /// What to compute on.
    #[command(flatten)]
    pub device: DeviceArgs,

    /// Go on with the run in this directory, from its newest checkpoint, as if it had never stopped
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["config", "data", "pairs", "validation", "noise", "strict", "settings", "seed", "run_dir", "minutes"]
    )]
    pub resume: Option<PathBuf>,

    /// Minutes of training: the speed is measured in the first steps, and fixes the number of images
    /// [default: as the config says, for own data 10]
    #[arg(long, value_name = "N", value_parser = minutes, verbatim_doc_comment)]
    pub minutes: Option<f64>,

    /// Where the run's files go [default: runs/CONFIG-NUMBER, the next number that is free]
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,

    /// Print one line of JSON at the end, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

impl TrainArgs {
    /// Resolves the experiment: the config, the settings, the other arguments.
    ///
    /// # Errors
    /// When the config cannot be read, or a value is invalid.
    pub fn resolve(&self) -> anyhow::Result<Experiment> {
        let mut experiment = self.experiment.resolve()?;
        if self.minutes.is_some() {
            let train = &mut experiment.train;
            train.minutes = self.minutes;
            (train.max_images, train.max_epochs) = (None, None);
        }
        Ok(experiment)
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(minutes) if minutes.is_finite() && minutes > 0.0 => Ok(minutes),
        _ => Err("expected a number above 0".to_owned()),
    }
}
