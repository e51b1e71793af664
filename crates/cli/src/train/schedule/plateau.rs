//! `ReduceLROnPlateau`, with the semantics of PyTorch's.

use serde::{Deserialize, Serialize};

use crate::experiment::PlateauConfig;

/// A learning rate that falls where a metric stops falling.
///
/// Source: `torch.optim.lr_scheduler.ReduceLROnPlateau`, `mode = "min"`, `threshold_mode = "rel"`.
pub struct Plateau {
    config: PlateauConfig,
    state: PlateauState,
}

/// What a plateau has seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateauState {
    lr: f64,
    best: f64,
    bad: usize,
    cooldown: usize,
}

impl Plateau {
    /// Starts at `lr`, with nothing seen.
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

    /// Takes note of a validation, and lowers the learning rate if it is one too many without
    /// improvement.
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

    /// The learning rate of the next batches.
    pub fn lr(&self) -> f64 {
        self.state.lr
    }

    /// What it has seen so far.
    pub fn state(&self) -> PlateauState {
        self.state
    }

    /// Goes on from what another has seen.
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
    fn learning_rates_equal_pytorchs() {
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
        let table = include_str!("../../../tests/data/plateau.toml");
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
