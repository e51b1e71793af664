//! Opening a run where it left off.

use std::path::Path;

use n2n_denoise::ModelMetadata;
use n2n_model::StateDict;

use super::checkpoint::Checkpoint;
use super::directory::RunDir;
use crate::{Learner, TrainError};

/// A run that continues.
pub struct Resumed {
    /// Its folder, as it was at the checkpoint.
    pub run_dir: RunDir,
    /// The newest undamaged checkpoint; `None` if the run was killed before its first.
    pub checkpoint: Option<Checkpoint>,
    /// Errors of newer checkpoints.
    pub damaged: Vec<TrainError>,
}

impl Resumed {
    /// Opens the run in a folder, and undoes what it did after its newest undamaged checkpoint.
    ///
    /// # Errors
    /// When the folder holds no run, every checkpoint is damaged, or another process trains in it.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let run_dir = RunDir::open(path)?;
        let (checkpoint, damaged) = Checkpoint::newest(&run_dir.checkpoints())?;
        let metrics_bytes = checkpoint
            .as_ref()
            .map_or(0, |checkpoint| checkpoint.state.metrics_bytes);
        run_dir.rewind(metrics_bytes)?;
        Ok(Self {
            run_dir,
            checkpoint,
            damaged,
        })
    }
}

/// Makes the best model what it was at a checkpoint, since the run may have found a better one after
/// it; returns its weights.
///
/// # Errors
/// When a file cannot be read or written.
pub(crate) fn restore_best(
    run_dir: &RunDir,
    checkpoint: &Checkpoint,
    learner: &Learner,
    metadata: &ModelMetadata,
) -> Result<Option<StateDict>, TrainError> {
    let Some(best) = checkpoint.state.best else {
        run_dir.remove_model("best")?;
        return Ok(None);
    };
    let best = Checkpoint::after(&run_dir.checkpoints(), best.batches)?;
    let weights = learner.evaluation_weights_of(&best.learner)?;
    run_dir.save_model("best", &weights, metadata)?;
    Ok(Some(weights))
}
