//! Network, optimizer and learning rate of a run, as one thing that takes steps.
//!
//! It has the interface of burn-train's `Learner`, and besides it gives out the optimizer's state, so
//! that a checkpoint always holds it.

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::{Bytes, Device, FloatDType, Tensor};
use burn::train::{InferenceStep, TrainStep};
use n2n_data::quality::{Psnr, Reference};
use n2n_data::{Batch, ValidationSet};
use n2n_model::{NetworkConfig, StateDict};

use crate::TrainError;
use crate::experiment::{Activations, TrainConfig};
use crate::schedule::Schedule;
use crate::step::{
    EvaluationModel, TrainingModel, ValidationOutput, joined, mean_loss_and_gradients, optimizer,
    split,
};

/// Network, optimizer and learning rate of a run.
///
/// The training loop builds one, and so do programs that compare or time steps.
pub struct Learner {
    config: NetworkConfig,
    train: TrainConfig,
    model: TrainingModel,
    optimizer: ModuleOptimizer,
    schedule: Schedule,
    device: Device,
    /// Seed of dropout; `None` without dropout.
    dropout_seed: Option<u64>,
    max_images: usize,
    steps: usize,
    images: usize,
    lr: f64,
}

/// Seed of the weights of a run after a number of restarts.
pub fn seed_after(seed: u64, restarts: u32) -> u64 {
    seed.wrapping_add(u64::from(restarts))
}

/// Weights and optimizer state of a [`Learner`], in Burn's format.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerState {
    /// Weights, and their moving average if there is one.
    pub model: Vec<u8>,
    /// State of the optimizer; never empty.
    pub optimizer: Vec<u8>,
}

impl Learner {
    /// Builds the network with the weights of the seed, and everything that trains it for
    /// `max_images` images on `device`.
    pub fn new(
        network: &NetworkConfig,
        config: &TrainConfig,
        max_images: usize,
        device: &Device,
    ) -> Self {
        let device = device.clone().autodiff();
        let initial = network.init(config.seed, &device).fork(&device);
        Self {
            config: network.clone(),
            train: config.clone(),
            model: TrainingModel::new(initial, config),
            optimizer: optimizer(&config.optimizer, &device),
            schedule: Schedule::new(config, max_images.div_ceil(config.images_per_step())),
            dropout_seed: network.has_dropout().then_some(config.seed),
            device,
            max_images,
            steps: 0,
            images: 0,
            lr: 0.0,
        }
    }

    /// Returns a learner for the same run from other weights, after `restarts` restarts: each halves the
    /// learning rate.
    #[must_use]
    pub fn restarted(&self, restarts: u32) -> Self {
        let train = TrainConfig {
            seed: seed_after(self.train.seed, restarts),
            lr: self.train.lr / f64::from(restarts).exp2(),
            ..self.train.clone()
        };
        let device = self.device.clone().inner();
        Self {
            // A further restart counts from the first.
            train: self.train.clone(),
            ..Self::new(&self.config, &train, self.max_images, &device)
        }
    }

    /// Checks that what the experiment says of the outputs of layers is possible.
    ///
    /// # Errors
    /// When they are to be kept as f16 and the device has none, or the network has no backward pass of its own.
    pub fn check_activations(&self) -> Result<(), TrainError> {
        let reason = if self.train.activations == Activations::F32 {
            return Ok(());
        } else if !n2n_scratch::is_gpu(&self.device) {
            "the device is no graphics device"
        } else if !self.device.supports_dtype(FloatDType::F16) {
            "the device has no numbers of 16 bits"
        } else if !self.model.has_graph() {
            "it is for train.loss = \"l2\" and networks without dropout, batch normalization or model.conv = \"burn\""
        } else {
            return Ok(());
        };
        Err(TrainError::NoF16 { reason })
    }

    /// Returns the device of training steps, with autodiff.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Takes one optimizer step on the mean gradient of `batches`, of which there is at least one; returns
    /// their mean loss, which may still be under way on the device, and the number of images.
    ///
    /// # Shapes
    /// - loss: `[1]`
    ///
    /// # Errors
    /// That of the first batch that is one; no step is taken then.
    pub fn step<E>(
        &mut self,
        batches: impl IntoIterator<Item = Result<Batch, E>>,
    ) -> Result<(Tensor<1>, usize), E> {
        let progress = (self.images as f32 / self.max_images as f32).min(1.0);
        self.model.set_progress(self.steps, progress);
        if let Some(seed) = self.dropout_seed {
            // A function of the seed and the step alone, so that a resumed run draws the same.
            self.device.seed(seed.wrapping_add(self.steps as u64));
        }
        let (loss, gradients, images) = mean_loss_and_gradients(&self.model, batches)?;
        self.lr = self.schedule.lr(self.steps);
        let model = self.model.clone();
        self.model = TrainStep::optimize(model, &mut self.optimizer, self.lr.into(), gradients);
        self.steps += 1;
        self.images += images;
        Ok((loss, images))
    }

    /// Returns the network for inference: the EMA of the weights, if there is one.
    pub fn evaluation_model(&self) -> EvaluationModel {
        EvaluationModel(self.model.evaluation_network())
    }

    /// Returns the weights that the optimizer changes, under PyTorch's names.
    pub fn weights(&self) -> StateDict {
        self.config.state_dict(&self.model.weights().network)
    }

    /// Returns the weights that are validated and saved, under PyTorch's names.
    pub fn evaluation_weights(&self) -> StateDict {
        self.config.state_dict(&self.model.evaluation_weights())
    }

    /// Returns the evaluation weights of another state of this learner.
    ///
    /// # Errors
    /// When the state is not of this network.
    pub fn evaluation_weights_of(&self, state: &LearnerState) -> Result<StateDict, TrainError> {
        let model = self.load(state)?;
        Ok(self.config.state_dict(&model.evaluation_weights()))
    }

    /// Returns the learning rate of the last step.
    pub fn lr(&self) -> f64 {
        self.lr
    }

    /// Returns the learning rate schedule.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Returns the learning rate schedule, to show it a validation.
    pub fn schedule_mut(&mut self) -> &mut Schedule {
        &mut self.schedule
    }

    /// Returns everything that another learner needs to take the same next step.
    ///
    /// # Errors
    /// When Burn cannot serialize the weights.
    pub fn state(&self) -> Result<LearnerState, RecordError> {
        Ok(LearnerState {
            model: self.model.weights().into_record().into_bytes()?.to_vec(),
            optimizer: split(self.optimizer.into_bytes()?, self.model.layout())?.to_vec(),
        })
    }

    /// Continues from a state, after `steps` steps on `images` images.
    ///
    /// # Errors
    /// When the state is not of this network; the learner then is as before.
    pub fn restore(
        &mut self,
        state: &LearnerState,
        steps: usize,
        images: usize,
    ) -> Result<(), TrainError> {
        let model = self.load(state)?;
        let bytes = Bytes::from_bytes_vec(state.optimizer.clone());
        let bytes = joined(bytes, model.layout(), model.id())?;
        let optimizer = OptimizerRecord::from_bytes(bytes)?;
        self.model = model;
        self.optimizer = self.optimizer.clone().load_record(optimizer);
        (self.steps, self.images) = (steps, images);
        Ok(())
    }

    fn load(&self, state: &LearnerState) -> Result<TrainingModel, TrainError> {
        let bytes = Bytes::from_bytes_vec(state.model.clone());
        let record = ModuleRecord::from_bytes(bytes)?;
        let weights = self.model.template().try_load_record(record);
        let weights = weights.map_err(TrainError::OtherNetwork)?;
        Ok(TrainingModel::of_weights(weights, &self.train))
    }
}

impl EvaluationModel {
    /// Denoises a validation batch and measures the error of each image.
    pub fn validate(&self, batch: Batch) -> ValidationOutput {
        InferenceStep::step(self, batch)
    }

    /// Measures or estimates the PSNR on a validation set, or what stands for it.
    ///
    /// # Errors
    /// When an image cannot be read, or the device fails.
    pub fn psnr(&self, set: &ValidationSet, reference: Reference) -> Result<Psnr, TrainError> {
        let mut errors: Vec<f64> = Vec::new();
        for batch in set.iter() {
            let output = self.validate(batch?);
            errors.extend(output.errors.try_into_data()?.iter::<f64>());
        }
        Ok(Psnr::of(&errors, reference))
    }
}
