//! Where a run stands.

use serde::{Deserialize, Serialize};

use super::run_dir::Record;
use super::schedule::PlateauState;
use crate::experiment::TrainConfig;

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Training images processed.
    pub images: usize,
    /// Training batches processed.
    pub batches: usize,
    /// Losses since the last validation, in order; as bits, so that they come back as they were.
    pub losses: Vec<u32>,
    /// Seconds spent on the run.
    pub seconds: f64,
    /// Of them, in training steps.
    pub training_seconds: f64,
    /// Length of `metrics.jsonl`.
    pub metrics_bytes: u64,
    /// The best validation so far.
    pub best: Option<Record>,
    /// State of the plateau scheduler.
    pub plateau: Option<PlateauState>,
    /// Validations since the best one.
    #[serde(default)]
    pub since_best: usize,
    /// Times that the learning rate was halved because a loss was no number.
    #[serde(default)]
    pub halvings: u32,
}

impl Position {
    /// Why the run ends here, if it does.
    pub fn is_over(&self, config: &TrainConfig, max_images: usize) -> Option<End> {
        let minutes = self.seconds / 60.0;
        let late = config.max_minutes.is_some_and(|most| minutes >= most);
        let no_better = config
            .early_stop
            .is_some_and(|most| self.since_best >= most);
        match (self.images >= max_images || late, no_better) {
            (true, _) => Some(End::Done),
            (false, true) => Some(End::NoBetter),
            (false, false) => None,
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It reached its length.
    Done,
    /// It found no better weights any more.
    NoBetter,
    /// A person stopped it.
    Stopped,
}
