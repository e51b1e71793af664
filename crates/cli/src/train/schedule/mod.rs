//! Learning rates: most are a function of the batch, and one of how validations go.

mod plateau;

use std::f64::consts::PI;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use self::plateau::Plateau;
pub use self::plateau::PlateauState;
use crate::experiment::{SchedulerConfig, TrainConfig};

/// The learning rate of each batch. Clones share their state: the learner holds one as its
/// scheduler, and the training loop says through another where the run is and how it goes.
#[derive(Clone)]
pub struct Schedule(Arc<Mutex<State>>);

struct State {
    rule: Rule,
    /// The batch of the next step, from 0.
    batch: usize,
    /// Times that the run went back because of a loss that was no number.
    halvings: u32,
}

enum Rule {
    Function(Function),
    Plateau(Plateau),
}

impl Schedule {
    /// The schedule of a run of so many batches.
    pub fn new(config: &TrainConfig, batches: usize) -> Self {
        let lr = config.lr;
        let rule = match config.scheduler.clone() {
            SchedulerConfig::Constant {} => Rule::Function(Function::Constant { lr }),
            SchedulerConfig::Plateau(plateau) => Rule::Plateau(Plateau::new(plateau, lr)),
            SchedulerConfig::Cosine { warmup, min_lr } => Rule::Function(Function::Cosine {
                lr,
                warmup,
                min_lr,
                batches,
            }),
            SchedulerConfig::Step { step_size, gamma } => Rule::Function(Function::Step {
                lr,
                step_size,
                gamma,
            }),
        };
        Self(Arc::new(Mutex::new(State {
            rule,
            batch: 0,
            halvings: 0,
        })))
    }

    /// Says which batch the next step is.
    pub fn set_batch(&self, batch: usize) {
        self.lock().batch = batch;
    }

    /// Shows the error of a validation.
    pub fn observe(&self, metric: f64) {
        if let Rule::Plateau(plateau) = &mut self.lock().rule {
            plateau.observe(metric);
        }
    }

    /// What a plateau has seen so far.
    pub fn plateau(&self) -> Option<PlateauState> {
        match &self.lock().rule {
            Rule::Plateau(plateau) => Some(plateau.state()),
            Rule::Function(_) => None,
        }
    }

    /// Goes on from a checkpoint: what a plateau had seen, and how often learning rates were halved.
    pub fn restore(&self, plateau: Option<PlateauState>, halvings: u32) {
        let state = &mut *self.lock();
        state.halvings = halvings;
        if let (Rule::Plateau(rule), Some(plateau)) = (&mut state.rule, plateau) {
            rule.restore(plateau);
        }
    }

    /// The learning rate of the next step.
    pub fn lr(&self) -> f64 {
        let state = self.lock();
        let lr = match &state.rule {
            Rule::Function(function) => function.lr(state.batch),
            Rule::Plateau(plateau) => plateau.lr(),
        };
        lr / f64::from(state.halvings).exp2()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is valid after every statement, so a panic elsewhere cannot have broken it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LrScheduler for Schedule {
    fn step(&mut self) -> f64 {
        self.lr()
    }

    /// Empty: a run's own checkpoints hold what a schedule needs.
    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new()
    }

    fn load_record(&mut self, _record: LrSchedulerRecord) {}
}

/// A learning rate that is a function of the batch.
enum Function {
    /// `lr`
    Constant { lr: f64 },
    /// `lr (t + 1) / (warmup + 1)` for `t < warmup`, then
    /// `min_lr + (lr - min_lr) (1 + cos(pi (t - warmup) / (batches - warmup))) / 2`.
    ///
    /// Source: `torch.optim.lr_scheduler`, `LinearLR` and `CosineAnnealingLR` in a `SequentialLR`.
    Cosine {
        lr: f64,
        warmup: usize,
        min_lr: f64,
        batches: usize,
    },
    /// `lr gamma^(t / step_size)`, the quotient rounded down. Source: `StepLR`.
    Step {
        lr: f64,
        step_size: usize,
        gamma: f64,
    },
}

impl Function {
    fn lr(&self, batch: usize) -> f64 {
        match *self {
            Self::Constant { lr } => lr,
            Self::Cosine { lr, warmup, .. } if batch < warmup => {
                lr * (batch + 1) as f64 / (warmup + 1) as f64
            }
            Self::Cosine {
                lr,
                warmup,
                min_lr,
                batches,
            } => {
                // Past the end it stays where it ended.
                let falling = batches.saturating_sub(warmup).max(1) as f64;
                let done = ((batch - warmup) as f64 / falling).min(1.0);
                min_lr + (lr - min_lr) * (1.0 + (PI * done).cos()) / 2.0
            }
            Self::Step {
                lr,
                step_size,
                gamma,
            } => lr * gamma.powf((batch / step_size) as f64),
        }
    }
}

#[cfg(test)]
mod tests;
