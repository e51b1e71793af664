//! How the learning rate changes during a run, by config.

use serde::{Deserialize, Serialize};

use super::range::{fraction, not_negative, positive};

/// How the learning rate changes during a run. A batch here is all that one step takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SchedulerConfig {
    /// It does not.
    Constant {},
    /// Lowered where the validation MSE stops falling.
    Plateau(PlateauConfig),
    /// Rising in a straight line, then falling along half a cosine to the end of the run.
    Cosine {
        /// Batches in which it rises.
        #[serde(default)]
        warmup: usize,
        /// Where it ends.
        #[serde(default)]
        min_lr: f64,
    },
    /// Lowered every so many batches.
    Step {
        /// Batches between.
        #[serde(default = "step_size")]
        step_size: usize,
        /// The learning rate is multiplied by this.
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
    /// Checks that there is such a schedule.
    ///
    /// # Errors
    /// When a number is out of range, naming its key.
    pub fn validate(&self, lr: f64) -> anyhow::Result<()> {
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
                anyhow::ensure!(
                    *min_lr <= lr,
                    "train.scheduler.min_lr is {min_lr}, above train.lr, {lr}"
                );
                Ok(())
            }
            Self::Step { step_size, gamma } => {
                anyhow::ensure!(
                    *step_size > 0,
                    "train.scheduler.step_size is 0, but must be at least 1"
                );
                positive("train.scheduler.gamma", *gamma)
            }
        }
    }
}

/// PyTorch's `ReduceLROnPlateau` with `mode = "min"` and a relative threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlateauConfig {
    /// The learning rate is multiplied by this.
    pub factor: f64,
    /// Validations without improvement that are tolerated.
    pub patience: usize,
    /// An improvement is a metric below `best * (1 - threshold)`.
    pub threshold: f64,
    /// Validations after a reduction in which none is counted as bad.
    pub cooldown: usize,
    /// The learning rate never falls below this.
    pub min_lr: f64,
    /// A reduction by no more than this is not made.
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
