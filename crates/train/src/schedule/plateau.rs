//! `ReduceLROnPlateau`, with the semantics of PyTorch's.

use serde::{Deserialize, Serialize};

use crate::experiment::PlateauConfig;

/// Learning rate that falls when a metric stops falling.
///
/// Source: `torch.optim.lr_scheduler.ReduceLROnPlateau`, `mode = "min"`, `threshold_mode = "rel"`.
#[derive(Clone)]
pub struct Plateau {
    config: PlateauConfig,
    state: PlateauState,
}

/// State of a [`Plateau`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateauState {
    lr: f64,
    best: f64,
    bad: usize,
    cooldown: usize,
}

impl Plateau {
    /// Starts at `lr`.
    pub fn new(config: PlateauConfig, lr: f64) -> Self {
        Self {
            config,
            state: PlateauState {
                lr,
                best: f64::INFINITY,
                bad: 0,
                cooldown: 0,
            },
        }
    }

    /// Takes the metric of a validation, and lowers the learning rate after more than `patience`
    /// validations without improvement.
    pub fn observe(&mut self, metric: f64) {
        let Self { config, state } = self;
        if metric < state.best * (1.0 - config.threshold) {
            state.best = metric;
            state.bad = 0;
        } else {
            state.bad += 1;
        }
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.bad = 0;
        }
        if state.bad > config.patience {
            let lowered = (state.lr * config.factor).max(config.min_lr);
            if state.lr - lowered > config.eps {
                state.lr = lowered;
            }
            state.cooldown = config.cooldown;
            state.bad = 0;
        }
    }

    /// Returns the learning rate of the next steps.
    pub fn lr(&self) -> f64 {
        self.state.lr
    }

    /// Returns the state, for a checkpoint.
    pub fn state(&self) -> PlateauState {
        self.state
    }

    /// Continues from the state of a checkpoint.
    pub fn restore(&mut self, state: PlateauState) {
        self.state = state;
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// The table in tests/data/plateau.toml was printed by PyTorch (generate_plateau.py).
    #[test]
    fn plateau_equals_pytorch() {
        #[derive(Deserialize)]
        struct Case {
            #[serde(flatten)]
            config: PlateauConfig,
            initial_lr: f64,
            metrics: Vec<f64>,
            lrs: Vec<f64>,
        }
        #[derive(Deserialize)]
        struct Table {
            case: Vec<Case>,
        }
        let table = include_str!("../../tests/data/plateau.toml");
        let table: Table = toml::from_str(table).expect("the table is valid");
        for case in table.case {
            let mut plateau = Plateau::new(case.config.clone(), case.initial_lr);
            for (step, (metric, lr)) in case.metrics.iter().zip(&case.lrs).enumerate() {
                plateau.observe(*metric);
                assert_eq!(plateau.lr(), *lr, "{:?}, step {step}", case.config);
            }
        }
    }
}
