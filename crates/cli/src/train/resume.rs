//! Going on with a run from a checkpoint.

use std::path::Path;

use anyhow::Context;
use burn::module::Module;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use burn::train::Learner;
use n2n_denoise::ModelMetadata;

use super::checkpoint::Checkpoint;
use super::denoiser::Denoiser;
use super::run_dir::RunDir;
use crate::experiment::{Experiment, Source};

/// A run that goes on.
pub struct Resumed {
    /// Its folder, as it was at the checkpoint.
    pub run_dir: RunDir,
    /// Where it goes on; at the beginning, if it was killed before its first checkpoint.
    pub checkpoint: Option<Checkpoint>,
}

impl Resumed {
    /// Opens the run in a folder.
    ///
    /// # Errors
    /// When it holds no run that can go on, or another process trains in it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let (run_dir, checkpoint, torn) = RunDir::resume(path)?;
        for problem in torn {
            eprintln!("warning: {problem}; going on from the checkpoint before it");
        }
        Ok(Self {
            run_dir,
            checkpoint,
        })
    }

    /// What the run is made of.
    ///
    /// # Errors
    /// When its config cannot be read, or nothing is left to do.
    pub fn experiment(&self) -> anyhow::Result<Experiment> {
        let config = self.run_dir.config();
        let experiment = Experiment::resolve(Source::File(&config), &[])?;
        experiment.validate()?;
        Ok(experiment)
    }
}

/// Puts the weights and the optimizer's state of a checkpoint into a learner.
///
/// # Errors
/// When they are not those of its network.
pub fn restore(learner: &mut Learner<Denoiser>, checkpoint: &Checkpoint) -> anyhow::Result<()> {
    let record = module_record(checkpoint)?;
    learner
        .model()
        .try_load_record(module_record(checkpoint)?)
        .context("the checkpoint is of another network")?;
    learner.load_model(record);
    if !checkpoint.optimizer.is_empty() {
        let bytes = Bytes::from_bytes_vec(checkpoint.optimizer.clone());
        learner.load_optim(OptimizerRecord::from_bytes(bytes)?);
    }
    Ok(())
}

/// Makes the best model what it was at a checkpoint: the run may have found a better one after it.
///
/// # Errors
/// When a file cannot be read or written.
pub fn restore_best(
    run_dir: &RunDir,
    checkpoint: &Checkpoint,
    model: &Denoiser,
    metadata: &ModelMetadata,
) -> anyhow::Result<()> {
    let Some(best) = checkpoint.position.best else {
        return run_dir.remove_model("best");
    };
    let best = Checkpoint::after(&run_dir.checkpoints(), best.batches)?;
    let model = model.clone().try_load_record(module_record(&best)?)?;
    let state = metadata.network.state_dict(model.valid().judged());
    run_dir.save_model("best", &state, metadata)
}

fn module_record(checkpoint: &Checkpoint) -> anyhow::Result<ModuleRecord> {
    let bytes = Bytes::from_bytes_vec(checkpoint.model.clone());
    Ok(ModuleRecord::from_bytes(bytes)?)
}
