//! Learning rate schedules: functions of the step, and one of the validation error.

mod plateau;

use std::f64::consts::PI;

use self::plateau::Plateau;
pub use self::plateau::PlateauState;
use crate::experiment::{SchedulerConfig, TrainConfig};

/// Learning rate of each optimizer step.
#[derive(Clone)]
pub struct Schedule {
    rule: Rule,
    /// Rollbacks so far; each halves the learning rate.
    rollbacks: u32,
}

#[derive(Clone)]
enum Rule {
    Function(Function),
    Plateau(Plateau),
}

impl Schedule {
    /// Makes the schedule of a run of `steps` optimizer steps.
    pub fn new(config: &TrainConfig, steps: usize) -> Self {
        let lr = config.lr;
        let rule = match config.scheduler.clone() {
            SchedulerConfig::Constant {} => Rule::Function(Function::Constant { lr }),
            SchedulerConfig::Plateau(plateau) => Rule::Plateau(Plateau::new(plateau, lr)),
            SchedulerConfig::Cosine { warmup, min_lr } => Rule::Function(Function::Cosine {
                lr,
                warmup,
                min_lr,
                steps,
            }),
            SchedulerConfig::Step { step_size, gamma } => Rule::Function(Function::Step {
                lr,
                step_size,
                gamma,
            }),
        };
        Self { rule, rollbacks: 0 }
    }

    /// Returns the learning rate of step `step`, counted from 0.
    pub fn lr(&self, step: usize) -> f64 {
        let lr = match &self.rule {
            Rule::Function(function) => function.lr(step),
            Rule::Plateau(plateau) => plateau.lr(),
        };
        lr / f64::from(self.rollbacks).exp2()
    }

    /// Takes the error of a validation into account.
    pub fn observe(&mut self, metric: f64) {
        if let Rule::Plateau(plateau) = &mut self.rule {
            plateau.observe(metric);
        }
    }

    /// Returns the state of a plateau scheduler.
    pub fn plateau(&self) -> Option<PlateauState> {
        match &self.rule {
            Rule::Plateau(plateau) => Some(plateau.state()),
            Rule::Function(_) => None,
        }
    }

    /// Continues from a checkpoint: the state of a plateau scheduler, and the rollbacks so far.
    pub fn restore(&mut self, plateau: Option<PlateauState>, rollbacks: u32) {
        self.rollbacks = rollbacks;
        if let (Rule::Plateau(rule), Some(plateau)) = (&mut self.rule, plateau) {
            rule.restore(plateau);
        }
    }
}

/// Learning rate as a function of the step `t`.
#[derive(Clone)]
enum Function {
    /// `lr`
    Constant { lr: f64 },
    /// `lr (t + 1) / (warmup + 1)` for `t < warmup`, then
    /// `min_lr + (lr - min_lr) (1 + cos(pi (t - warmup) / (steps - warmup))) / 2`.
    ///
    /// Source: `torch.optim.lr_scheduler`, `LinearLR` and `CosineAnnealingLR` in a `SequentialLR`.
    Cosine {
        lr: f64,
        warmup: usize,
        min_lr: f64,
        steps: usize,
    },
    /// `lr gamma^floor(t / step_size)`. Source: `StepLR`.
    Step {
        lr: f64,
        step_size: usize,
        gamma: f64,
    },
}

impl Function {
    fn lr(&self, step: usize) -> f64 {
        match *self {
            Self::Constant { lr } => lr,
            Self::Cosine { lr, warmup, .. } if step < warmup => {
                lr * (step + 1) as f64 / (warmup + 1) as f64
            }
            Self::Cosine {
                lr,
                warmup,
                min_lr,
                steps,
            } => {
                // The last value holds past the end.
                let falling = steps.saturating_sub(warmup).max(1) as f64;
                let done = ((step - warmup) as f64 / falling).min(1.0);
                min_lr + (lr - min_lr) * (1.0 + (PI * done).cos()) / 2.0
            }
            Self::Step {
                lr,
                step_size,
                gamma,
            } => lr * gamma.powf((step / step_size) as f64),
        }
    }
}

#[cfg(test)]
mod tests;
