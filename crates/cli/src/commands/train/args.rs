//! Arguments of `n2n train`.

use std::path::PathBuf;

use clap::Args;
use n2n_train::{Experiment, RunDir};

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

    /// Go on with the run in this directory, from its newest checkpoint, as if it had never stopped.
    /// --data, --pairs and --validation say where data are that have moved
    #[arg(
        long,
        value_name = "DIR",
        verbatim_doc_comment,
        conflicts_with_all = ["config", "noise", "strict", "settings", "seed", "run_dir", "minutes"]
    )]
    pub resume: Option<PathBuf>,

    /// Go on although data or settings have changed: with the statistics that the run has, and a new
    /// best model
    #[arg(long, requires = "resume", verbatim_doc_comment)]
    pub accept_changes: bool,

    /// Minutes of training: the speed is measured in the first steps, and fixes the number of images
    /// [default: as the config says, for own data 10]
    #[arg(long, value_name = "N", value_parser = minutes, verbatim_doc_comment)]
    pub minutes: Option<f64>,

    /// Where the run's files go [default: runs/CONFIG-NUMBER, the next number that is free]
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,

    /// Keep event files for TensorBoard in the run's folder tensorboard: numbers and pictures of each validation. A
    /// run that goes on keeps them as it did
    #[arg(long, verbatim_doc_comment)]
    pub tensorboard: bool,

    /// At the end, denoise the images of --data with the best model: into a file for one image, else into a
    /// folder
    #[arg(long, value_name = "OUT", requires = "data", verbatim_doc_comment)]
    pub denoise: Option<PathBuf>,

    /// Print one line of JSON at the end, and nothing else, to standard output; with --denoise, another one of
    /// that
    #[arg(long, verbatim_doc_comment)]
    pub json: bool,
}

impl TrainArgs {
    /// Resolves the experiment: the config, the settings, the other arguments; or that of the run that
    /// goes on.
    ///
    /// # Errors
    /// When the config cannot be read, or a value is invalid.
    pub fn resolve(&self) -> anyhow::Result<Experiment> {
        if let Some(path) = &self.resume {
            let mut experiment = RunDir::experiment(path)?;
            self.experiment.place_data(&mut experiment.data);
            return Ok(experiment);
        }
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
