//! Position of a run: counts, losses since the last validation, the best validation.

use serde::{Deserialize, Serialize};

use super::record::Record;
use crate::dead::Errors;
use crate::experiment::TrainConfig;
use crate::schedule::PlateauState;

/// Position of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingState {
    /// Training images processed.
    pub images: usize,
    /// Optimizer steps taken.
    pub batches: usize,
    /// Losses since the last validation, in order; as bits, so that they are restored exactly.
    pub losses: Vec<u32>,
    /// Seconds of the run so far.
    pub seconds: f64,
    /// Seconds in training steps.
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
    /// Rollbacks after a loss that was NaN or infinite; each halves the learning rate.
    #[serde(default, rename = "halvings")]
    pub rollbacks: u32,
    /// New starts from other weights.
    #[serde(default)]
    pub restarts: u32,
    /// Errors of the last validation.
    #[serde(default)]
    pub last: Option<Errors>,
}

impl TrainingState {
    /// Returns why the run ends here, if it does.
    pub fn end(&self, config: &TrainConfig, max_images: usize) -> Option<End> {
        let minutes = self.seconds / 60.0;
        let is_late = config.max_minutes.is_some_and(|limit| minutes >= limit);
        if self.images >= max_images || is_late {
            return Some(End::Done);
        }
        let is_stalled = config
            .early_stop
            .is_some_and(|limit| self.since_best >= limit);
        is_stalled.then_some(End::NoImprovement)
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It reached its length.
    Done,
    /// The last validations, as many as `train.early_stop`, brought no improvement.
    NoImprovement,
    /// It was asked to stop.
    Stopped,
}
