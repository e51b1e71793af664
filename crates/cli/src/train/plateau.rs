//! `ReduceLROnPlateau`, with the semantics of PyTorch's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use serde::{Deserialize, Serialize};

use crate::experiment::PlateauConfig;

/// A learning rate that falls where a metric stops falling. Clones share their state: the learner
/// holds one as its scheduler, and the training loop shows another each validation's metric.
///
/// Source: `torch.optim.lr_scheduler.ReduceLROnPlateau`, `mode = "min"`, `threshold_mode = "rel"`.
#[derive(Clone)]
pub struct Plateau {
    config: PlateauConfig,
    state: Arc<Mutex<PlateauState>>,
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
            state: Arc::new(Mutex::new(PlateauState {
                lr,
                best: f64::INFINITY,
                bad: 0,
                cooldown: 0,
            })),
        }
    }

    /// Takes note of a validation, and lowers the learning rate if it is one too many without
    /// improvement.
    pub fn observe(&self, metric: f64) {
        let config = &self.config;
        let state = &mut *self.lock();
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

    /// What it has seen so far.
    pub fn state(&self) -> PlateauState {
        *self.lock()
    }

    /// Goes on from what another has seen.
    pub fn restore(&self, state: PlateauState) {
        *self.lock() = state;
    }

    fn lock(&self) -> MutexGuard<'_, PlateauState> {
        // The state is valid after every statement, so a panic elsewhere cannot have broken it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LrScheduler for Plateau {
    fn step(&mut self) -> f64 {
        self.lock().lr
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let state = *self.lock();
        LrSchedulerRecord::new()
            .with_scalar("lr", state.lr)
            .with_scalar("best", state.best)
            .with_scalar("bad", state.bad)
            .with_scalar("cooldown", state.cooldown)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        let state = &mut *self.lock();
        state.lr = record.scalar("lr").unwrap_or(state.lr);
        state.best = record.scalar("best").unwrap_or(state.best);
        state.bad = record.scalar("bad").unwrap_or(state.bad);
        state.cooldown = record.scalar("cooldown").unwrap_or(state.cooldown);
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
        let table = include_str!("../../tests/data/plateau.toml");
        let table: Table = toml::from_str(table).expect("the table is valid");
        for case in table.case {
            let mut plateau = Plateau::new(case.config.clone(), case.initial_lr);
            for (step, (metric, lr)) in case.metrics.iter().zip(&case.lrs).enumerate() {
                plateau.observe(*metric);
                assert_eq!(plateau.step(), *lr, "{:?}, step {step}", case.config);
            }
        }
    }

    #[test]
    fn a_record_restores_the_state() {
        let mut plateau = Plateau::new(PlateauConfig::default(), 0.5);
        for metric in [3.0, 2.0, 2.5, 2.5] {
            plateau.observe(metric);
        }
        let mut restored = Plateau::new(PlateauConfig::default(), 1.0);
        restored.load_record(plateau.to_record());
        for _ in 0..12 {
            plateau.observe(2.2);
            restored.observe(2.2);
            assert_eq!(plateau.step(), restored.step());
        }
        assert_eq!(plateau.step(), 0.05);
    }
}
