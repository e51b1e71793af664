//! The training engine: experiments, the training loop, run directories.
//!
//! Start reading at [`Trainer`]. This crate knows TOML and run directories, but no terminal: a program
//! shows a run by its [`Event`]s, and ends it by a [`Stop`].

#![recursion_limit = "256"]

pub mod data;
mod dead;
pub mod deviation;
mod error;
pub mod event;
pub mod experiment;
mod gallery;
mod learner;
mod outcome;
mod pace;
pub mod paint;
mod read;
mod run;
pub mod run_dir;
mod schedule;
pub mod step;
mod stop;
mod store;
mod sweep;
mod trainer;

pub use self::dead::{Errors, Restart, Symptom};
pub use self::error::TrainError;
pub use self::event::Event;
pub use self::experiment::{Experiment, ExperimentError};
pub use self::gallery::{Sample, samples};
pub use self::learner::{Learner, LearnerState};
pub use self::outcome::Outcome;
pub use self::pace::Pace;
pub use self::read::Waits;
pub use self::run_dir::{Record, RunDir};
pub use self::step::EvaluationModel;
pub use self::stop::Stop;
pub use self::sweep::{PlannedRun, Sweep};
pub use self::trainer::Trainer;
