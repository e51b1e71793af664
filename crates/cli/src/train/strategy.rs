//! A strategy of burn-train that validates every so many batches: what a run is made of.

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Device;
use burn::train::{
    Learner, SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader,
    TrainingComponents, ValidLoader,
};
use n2n_data::TrainStream;
use n2n_denoise::ModelMetadata;

use super::denoiser::{Denoiser, Objective, Snapshot};
use super::pictures::Gallery;
use super::position::{End, Position};
use super::run::Run;
use super::run_dir::{Record, RunDir};
use super::schedule::Schedule;
use crate::experiment::TrainConfig;

/// Where training stands when it ends.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The last validation.
    pub last: Record,
    /// The best validation, whose weights `best` holds.
    pub best: Record,
    /// Seconds spent in training steps alone.
    pub training_seconds: f64,
    /// Seconds of the first step, to the end of its work on the device; a GPU tunes its kernels in it.
    pub first_step_seconds: f64,
    /// Why it ended.
    pub end: End,
    /// Times that the run went back to a checkpoint, and why.
    pub rollbacks: Vec<String>,
}

/// Trains for `max_images`, and validates every `validate_every` batches and at the end. A batch here
/// is all that one step takes.
pub struct ValidateEvery {
    /// Device of the training steps, with autodiff.
    pub device: Device,
    /// How it is trained.
    pub config: TrainConfig,
    /// Training stops after the batch that reaches this.
    pub max_images: usize,
    /// Batches between validations.
    pub validate_every: usize,
    /// The training batches.
    pub stream: TrainStream,
    /// Whether the network leaves values out at random.
    pub dropout: bool,
    /// Whether validation compares with clean images.
    pub has_clean: bool,
    /// What training minimizes.
    pub objective: Objective,
    /// Gives the optimizer's state.
    pub snapshot: Snapshot,
    /// The validation images that are shown.
    pub gallery: Gallery,
    /// The learning rates.
    pub schedule: Schedule,
    /// What model files say.
    pub metadata: ModelMetadata,
    /// Where records and models go.
    pub run_dir: Mutex<RunDir>,
    /// Where the run goes on, if it does not begin.
    pub resumed: Option<Position>,
    /// How it went; burn-train's own result has no room for it.
    pub outcome: Arc<Mutex<Option<anyhow::Result<Outcome>>>>,
}

impl SupervisedLearningStrategy<Denoiser> for ValidateEvery {
    fn fit(
        &self,
        components: TrainingComponents<Denoiser>,
        mut learner: Learner<Denoiser>,
        _train: TrainLoader<Denoiser>,
        validation: ValidLoader<Denoiser>,
        _starting_epoch: usize,
    ) -> (Denoiser, SupervisedTrainingEventProcessor<Denoiser>) {
        learner.fork(&self.device);
        let position = self.resumed.clone().unwrap_or_default();
        let mut run = Run {
            strategy: self,
            learner,
            validation: validation.to_device(&self.device.clone().inner()),
            events: components.event_processor,
            interrupter: components.interrupter,
            first_step_seconds: None,
            position,
            pending: Vec::new(),
            rollbacks: Vec::new(),
        };
        let outcome = run.complete();
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        (run.learner.model(), run.events)
    }
}
