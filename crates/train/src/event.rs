//! What a run reports while it is under way.

use std::fmt;

use crate::TrainError;
use crate::dead::Restart;
use crate::run_dir::{NonFinite, Record};

/// What a run reports while it is under way.
#[non_exhaustive]
pub enum Event<'a> {
    /// The run starts or continues.
    Start(Start<'a>),
    /// A training step; not every step is reported, only several a second.
    Step(Step),
    /// A batch of a validation.
    ValidationBatch(ValidationBatch<'a>),
    /// A validation, after its record and its model are saved.
    Validation(&'a Record),
    /// A training scene cannot be read any more, and is left out from now on; the reason.
    LeftOut(&'a str),
    /// The run went back to a checkpoint.
    RolledBack(&'a Rollback),
    /// The run began anew from other weights, because the network was dead.
    Restarted(&'a Restart),
    /// The speed of a run whose length is in minutes is being measured, before its start.
    Measuring {
        /// Its length.
        minutes: f64,
    },
    /// The speed was measured, and the length in images is fixed.
    Measured {
        /// Images a second in training.
        images_per_s: f64,
        /// Images of the run.
        max_images: usize,
    },
}

/// Start of a run.
pub struct Start<'a> {
    /// Images processed before, in a run that continues.
    pub images: usize,
    /// Images of the whole run.
    pub max_images: usize,
    /// Validations of the whole run.
    pub validations: usize,
    /// Errors of checkpoints newer than the one that the run continues from.
    pub damaged: &'a [TrainError],
    /// Whether the run directory is on a file system that cannot lock it against other processes.
    pub unlocked: bool,
    /// Error of the checkpoint of the best validation; the best model then stays as it is.
    pub damaged_best: Option<&'a TrainError>,
}

/// One training step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Images processed since the start of the run.
    pub images: usize,
    /// Optimizer steps since the start of the run.
    pub step: usize,
    /// Mean loss of its batches.
    pub loss: f64,
    /// Learning rate.
    pub lr: f64,
    /// Place in the present validation interval.
    pub interval: Interval,
}

/// One batch of a validation.
#[derive(Clone, Copy, Debug)]
pub struct ValidationBatch<'a> {
    /// Mean squared error of each image of the batch, or its estimate.
    pub errors: &'a [f64],
    /// Batches so far.
    pub batch: usize,
    /// Place in the validation.
    pub interval: Interval,
}

/// Place in a validation interval, or in a validation.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// Number of the interval, from 1.
    pub number: usize,
    /// Images done.
    pub images: usize,
    /// Images in all.
    pub total: usize,
}

/// A return to a checkpoint, at half the learning rate.
#[derive(Clone, Copy, Debug)]
pub struct Rollback {
    /// The cause.
    pub cause: NonFinite,
    /// Steps of the checkpoint.
    pub to_step: usize,
}

impl fmt::Display for Rollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: back to batch {}, at half the learning rate",
            self.cause, self.to_step
        )
    }
}
