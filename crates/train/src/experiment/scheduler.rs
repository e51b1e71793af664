//! Learning rate schedules, by config.

use serde::{Deserialize, Serialize};

use super::ExperimentError;
use super::range::{between_one_and, fraction, not_negative, positive};
use super::train::MOST_STEPS;

/// Learning rate schedule. A batch here is one optimizer step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SchedulerConfig {
    /// A constant learning rate.
    Constant {},
    /// Lowers the learning rate when the validation MSE stops falling.
    Plateau(PlateauConfig),
    /// Linear warm-up, then half a cosine down to the end of the run.
    Cosine {
        /// Batches of the warm-up.
        #[serde(default)]
        warmup: usize,
        /// Learning rate at the end.
        #[serde(default)]
        min_lr: f64,
    },
    /// Multiplies the learning rate by `gamma` every `step_size` batches.
    Step {
        /// Batches between two reductions.
        #[serde(default = "step_size")]
        step_size: usize,
        /// Factor of a reduction.
        #[serde(default = "step_gamma")]
        gamma: f64,
    },
}

fn step_size() -> usize {
    1000
}

fn step_gamma() -> f64 {
    0.1
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self::Plateau(PlateauConfig::default())
    }
}

impl SchedulerConfig {
    /// Checks the ranges of the numbers.
    ///
    /// # Errors
    /// When a number is out of range, naming its key.
    pub fn validate(&self, lr: f64) -> Result<(), ExperimentError> {
        match self {
            Self::Constant {} => Ok(()),
            Self::Plateau(plateau) => {
                fraction("train.scheduler.factor", plateau.factor)?;
                fraction("train.scheduler.threshold", plateau.threshold)?;
                not_negative("train.scheduler.min_lr", plateau.min_lr)?;
                not_negative("train.scheduler.eps", plateau.eps)
            }
            Self::Cosine { min_lr, .. } => {
                not_negative("train.scheduler.min_lr", *min_lr)?;
                if *min_lr > lr {
                    return Err(ExperimentError::Conflict {
                        found: format!("train.scheduler.min_lr is {min_lr}, above train.lr, {lr}"),
                        rule: "the learning rate falls towards it",
                        remedy: "lower train.scheduler.min_lr",
                    });
                }
                Ok(())
            }
            Self::Step { step_size, gamma } => {
                between_one_and(MOST_STEPS, "train.scheduler.step_size", *step_size)?;
                positive("train.scheduler.gamma", *gamma)
            }
        }
    }
}

/// PyTorch's `ReduceLROnPlateau` with `mode = "min"` and a relative threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlateauConfig {
    /// Factor of a reduction.
    pub factor: f64,
    /// Validations without improvement before a reduction.
    pub patience: usize,
    /// An improvement is a metric below `best * (1 - threshold)`.
    pub threshold: f64,
    /// Validations after a reduction that do not count as bad.
    pub cooldown: usize,
    /// Lower bound of the learning rate.
    pub min_lr: f64,
    /// Smallest reduction.
    pub eps: f64,
}

impl Default for PlateauConfig {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
        }
    }
}
