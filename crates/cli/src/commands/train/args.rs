//! Arguments of `n2n train`.

use std::path::PathBuf;

use clap::Args;

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
