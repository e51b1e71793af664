//! The command line: one subcommand for each module of `commands`.

use clap::{Parser, Subcommand};

use crate::commands::bench::BenchArgs;
use crate::commands::compare::CompareArgs;
use crate::commands::denoise::DenoiseArgs;
use crate::commands::devices::DevicesArgs;
use crate::commands::evaluate::EvaluateArgs;
use crate::commands::export::ExportArgs;
use crate::commands::gradcheck::GradcheckArgs;
use crate::commands::import::ImportArgs;
use crate::commands::inspect::InspectArgs;
use crate::commands::plot::PlotArgs;
use crate::commands::report::ReportArgs;
use crate::commands::sweep::SweepArgs;
use crate::commands::train::TrainArgs;

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
    /// Train many networks that differ in a few settings, and compare them in a table
    ///
    /// Each run is a separate process. Finished runs are skipped and stopped ones go on: the same command finishes a sweep
    /// that was interrupted. Several may work on one sweep at once.
    Sweep(SweepArgs),
    /// Draw curves of runs and sweeps
    ///
    /// Runs that are the same but for their seed are one curve, their mean. Labels name the settings that
    /// differ.
    Plot(PlotArgs),
    /// Make a page of a run, or of the runs of a sweep: one HTML file that shows everything and loads nothing
    Report(ReportArgs),
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
    /// Print the JSON Schema of an experiment, for editors of TOML (see configs/README.md)
    Schema,
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
