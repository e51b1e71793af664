//! Where a run keeps its checkpoints, models and records: in a run directory, or in memory.

use std::path::PathBuf;

use n2n_data::TrainStream;
use n2n_denoise::ModelMetadata;
use n2n_model::StateDict;

use crate::TrainError;
use crate::dead::Restart;
use crate::run_dir::{Checkpoint, NonFinite, Record, RunDir};

/// Where a run keeps its checkpoints, models and records.
pub enum Store {
    /// A run directory.
    Directory(RunDir),
    /// Memory: the newest checkpoint alone, for a rollback.
    Memory(Option<Box<Checkpoint>>),
}

impl Store {
    /// Returns the length of the metrics so far.
    pub fn metrics_bytes(&self) -> Result<u64, TrainError> {
        match self {
            Self::Directory(run_dir) => run_dir.metrics_bytes(),
            Self::Memory(_) => Ok(0),
        }
    }

    /// Keeps a checkpoint.
    pub fn save_checkpoint(&mut self, checkpoint: Checkpoint) -> Result<(), TrainError> {
        match self {
            Self::Directory(run_dir) => checkpoint.write(&run_dir.checkpoints()),
            Self::Memory(newest) => {
                *newest = Some(Box::new(checkpoint));
                Ok(())
            }
        }
    }

    /// Returns the newest checkpoint; a run writes one before its first step.
    pub fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, TrainError> {
        match self {
            Self::Directory(run_dir) => Ok(Checkpoint::newest(&run_dir.checkpoints())?.0),
            Self::Memory(newest) => Ok(newest.as_deref().cloned()),
        }
    }

    /// Writes the model file called `name`.
    pub fn save_model(
        &self,
        name: &str,
        weights: &StateDict,
        metadata: &ModelMetadata,
    ) -> Result<(), TrainError> {
        match self {
            Self::Directory(run_dir) => run_dir.save_model(name, weights, metadata),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Appends a validation to the metrics.
    pub fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        match self {
            Self::Directory(run_dir) => run_dir.record(record),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Begins the run anew: notes the restart, and forgets what the weights before left.
    pub fn restart(&mut self, restart: &Restart) -> Result<(), TrainError> {
        match self {
            Self::Directory(run_dir) => run_dir.restart(restart),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Writes the picture of the validation after `batches` steps.
    pub fn save_picture(
        &self,
        batches: usize,
        png: impl FnOnce() -> Result<Vec<u8>, TrainError>,
    ) -> Result<(), TrainError> {
        match self {
            Self::Directory(run_dir) => run_dir.save_picture(batches, &png()?),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Writes the images of a batch that led to NaN or infinity.
    pub fn dump(
        &self,
        non_finite: &NonFinite,
        stream: &TrainStream,
        accumulate: usize,
    ) -> Result<Option<PathBuf>, TrainError> {
        match self {
            Self::Directory(run_dir) => {
                let path = non_finite.dump(run_dir.path(), stream, accumulate)?;
                Ok(Some(path))
            }
            Self::Memory(_) => Ok(None),
        }
    }

    /// Returns whether another process could train in the same folder unnoticed.
    pub fn is_unlocked(&self) -> bool {
        match self {
            Self::Directory(run_dir) => !run_dir.is_locked(),
            Self::Memory(_) => false,
        }
    }

    /// Returns the path of the run directory, if there is one.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Directory(run_dir) => Some(run_dir.path().to_owned()),
            Self::Memory(_) => None,
        }
    }
}
