//! How far the run in a folder has come, for those who did not start it.

use std::path::Path;

use super::checkpoint::Checkpoint;
use super::directory::RunDir;
use crate::TrainError;
use crate::data::max_images;

/// How far the run in a folder has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is there that could go on.
    Absent,
    /// It can go on from its newest checkpoint.
    Begun {
        /// Images at that checkpoint.
        images: usize,
        /// Length of the run.
        max_images: usize,
    },
    /// It has reached its end.
    Over {
        /// Its images.
        images: usize,
    },
    /// Another process trains in the folder.
    UnderWay,
}

impl Standing {
    /// Looks at the run in a folder.
    ///
    /// # Errors
    /// When a file cannot be read, or is damaged. Damaged checkpoints are no error: the run then says so when it
    /// goes on.
    pub fn of(path: &Path) -> Result<Self, TrainError> {
        if path.exists() && RunDir::is_under_way(path)? {
            return Ok(Self::UnderWay);
        }
        if !RunDir::is_run(path) {
            return Ok(Self::Absent);
        }
        let experiment = RunDir::experiment(path)?;
        let max_images = max_images(&experiment, RunDir::provenance(path)?.train_examples);
        let newest = match Checkpoint::newest(&RunDir::checkpoints_in(path)) {
            Ok((newest, _)) => newest,
            Err(TrainError::NoCheckpoint { .. }) => None,
            Err(error) => return Err(error),
        };
        let images = newest.as_ref().map_or(0, |newest| newest.state.images);
        let is_over =
            newest.is_some_and(|newest| newest.state.end(&experiment.train, max_images).is_some());
        Ok(if is_over {
            Self::Over { images }
        } else {
            Self::Begun { images, max_images }
        })
    }
}
