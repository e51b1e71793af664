//! Opening a run where it left off.

use std::path::Path;

use n2n_denoise::ModelMetadata;
use n2n_model::{StateDict, read_model_file};

use super::checkpoint::Checkpoint;
use super::directory::RunDir;
use crate::{Learner, TrainError};

/// A run that can continue. Nothing in its folder is changed before [`rewind`](Self::rewind).
pub struct Resumed {
    /// Its folder.
    pub run_dir: RunDir,
    /// The newest undamaged checkpoint; `None` if the run was killed before its first.
    pub checkpoint: Option<Checkpoint>,
    /// Errors of newer checkpoints.
    pub damaged: Vec<TrainError>,
}

impl Resumed {
    /// Opens the run in a folder.
    ///
    /// # Errors
    /// When the folder holds no run, every checkpoint is damaged, or another process trains in it.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let run_dir = RunDir::open(path)?;
        let (checkpoint, damaged) = Checkpoint::newest(&run_dir.checkpoints())?;
        Ok(Self {
            run_dir,
            checkpoint,
            damaged,
        })
    }

    /// Undoes what the run did after its newest undamaged checkpoint.
    ///
    /// # Errors
    /// When the metrics are shorter than they were, or a file cannot be changed.
    pub fn rewind(&self) -> Result<(), TrainError> {
        let state = self.checkpoint.as_ref().map(|checkpoint| &checkpoint.state);
        self.run_dir
            .rewind(state.map_or(0, |state| state.metrics_bytes))
    }
}

/// Makes the best model what it was at a checkpoint, since the run may have found a better one after
/// it; returns its weights.
///
/// Where the checkpoint of the best validation is damaged, the best model stays as it is, and the error is
/// returned too.
///
/// # Errors
/// When a file cannot be written, or neither can be read.
pub(crate) fn restore_best(
    run_dir: &RunDir,
    checkpoint: &Checkpoint,
    learner: &Learner,
    metadata: &ModelMetadata,
) -> Result<(Option<StateDict>, Option<TrainError>), TrainError> {
    let Some(best) = checkpoint.state.best else {
        run_dir.remove_model("best")?;
        return Ok((None, None));
    };
    match Checkpoint::after(&run_dir.checkpoints(), best.batches) {
        Ok(best) => {
            let weights = learner.evaluation_weights_of(&best.learner)?;
            run_dir.save_model("best", &weights, metadata)?;
            Ok((Some(weights), None))
        }
        Err(error) => {
            let (weights, _) = read_model_file::<ModelMetadata>(&run_dir.model("best"))?;
            Ok((Some(weights), Some(error)))
        }
    }
}
