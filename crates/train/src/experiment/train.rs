//! Training settings, by config.

use burn::tensor::FloatDType;
use n2n_data::Target;
use n2n_model::Loss;
use serde::{Deserialize, Serialize};

use super::kind::with_default_kind;
use super::range::{between_one_and, fraction, positive};
use super::{ExperimentError, Interval, OptimizerConfig, SchedulerConfig};

/// Training settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of the initial weights, the order of the examples and the embedded scenes.
    pub seed: u64,
    /// Image that the loss compares the output with.
    pub target: Target,
    /// Loss.
    pub loss: Loss,
    /// Images in a batch.
    pub batch_size: usize,
    /// Batches per optimizer step; their gradients are averaged.
    pub accumulate: usize,
    /// Stops after this number of images.
    pub max_images: Option<usize>,
    /// Stops after this number of passes over the training set.
    pub max_epochs: Option<usize>,
    /// Length of the run in minutes, where it has none in images or passes: the speed is measured in the
    /// first steps, and fixes the number of images.
    pub minutes: Option<f64>,
    /// Stops after this number of minutes.
    pub max_minutes: Option<f64>,
    /// Stops after this number of validations without improvement.
    pub early_stop: Option<usize>,
    /// Batches between validations, a share of the run such as `"5%"`, or `"epoch"`.
    pub validate_every: Interval,
    /// Batches between checkpoints, beside those at validations.
    pub checkpoint_every: usize,
    /// Learning rate at the start.
    pub lr: f64,
    /// Optimizer.
    #[serde(deserialize_with = "with_default_kind")]
    pub optimizer: OptimizerConfig,
    /// Gradient clipping by value: values are clamped to `±clip_value`.
    pub clip_value: Option<f64>,
    /// Gradient clipping by the norm of all gradients together.
    pub clip_norm: Option<f64>,
    /// Decay of an exponential moving average (EMA) of the weights, which is validated and saved.
    pub ema: Option<f64>,
    /// Element type in which a graphics device keeps the outputs of layers for the backward pass.
    pub activations: Activations,
    /// Reaction to a loss that is NaN or infinite.
    pub on_nan: OnNan,
    /// Reaction to a network that learns nothing.
    pub on_dead: OnDead,
    /// Learning rate schedule.
    #[serde(deserialize_with = "with_default_kind")]
    pub scheduler: SchedulerConfig,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            target: Target::Noisy,
            loss: Loss::L2,
            batch_size: 16,
            accumulate: 1,
            max_images: None,
            max_epochs: None,
            minutes: None,
            max_minutes: None,
            early_stop: None,
            validate_every: Interval::Batches(150),
            checkpoint_every: 1000,
            lr: 1e-3,
            optimizer: OptimizerConfig::default(),
            clip_value: None,
            clip_norm: None,
            ema: None,
            activations: Activations::F32,
            on_nan: OnNan::Stop,
            on_dead: OnDead::Restart,
            scheduler: SchedulerConfig::default(),
        }
    }
}

/// Most images in a batch, and batches in a step.
const MOST_IN_STEP: usize = 1 << 16;

/// Most steps of a run, so that their products with images in a step do not wrap.
pub(super) const MOST_STEPS: usize = 1 << 31;

/// Most images of a run: they are counted in floats too.
const MOST_IMAGES: usize = 1 << 53;

/// Most passes over a training set, which has at most 2^32 examples.
const MOST_EPOCHS: usize = 1 << 21;

/// Element type of the outputs of layers while a training step needs them. Weights, sums, gradients and the
/// network's own output are f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activations {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits: half of the bytes, and about three significant digits. Graphics devices only.
    F16,
}

impl From<Activations> for FloatDType {
    fn from(activations: Activations) -> Self {
        match activations {
            Activations::F32 => Self::F32,
            Activations::F16 => Self::F16,
        }
    }
}

/// Reaction to a loss that is NaN or infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnNan {
    /// Stops with an error.
    #[default]
    Stop,
    /// Goes back to the last checkpoint and continues at half the learning rate.
    Rollback,
}

/// Reaction to a network that is dead or diverged though every number is finite: by the second
/// validation its output is constant, or worse than its input and not getting better.
///
/// [`OnNan`] is for numbers that are not finite: there a network that works goes back a little, here one
/// that does not is given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDead {
    /// Starts again from other initial weights at half the learning rate, at most twice.
    #[default]
    Restart,
    /// Stops with an error.
    Stop,
    /// Goes on.
    Ignore,
}

impl TrainConfig {
    /// Returns whether the run has a length in images or passes, so that it repeats.
    pub fn has_length(&self) -> bool {
        self.max_images.is_some() || self.max_epochs.is_some()
    }

    /// Images in an optimizer step.
    pub fn images_per_step(&self) -> usize {
        self.batch_size * self.accumulate
    }

    /// Checks the ranges of the numbers.
    ///
    /// # Errors
    /// When a value is out of range, naming its key.
    pub fn validate(&self) -> Result<(), ExperimentError> {
        let validate_every = match self.validate_every {
            Interval::Batches(batches) => Some(batches),
            Interval::Percent(_) | Interval::Epoch => None,
        };
        for (key, value, most) in [
            ("train.batch_size", Some(self.batch_size), MOST_IN_STEP),
            ("train.accumulate", Some(self.accumulate), MOST_IN_STEP),
            (
                "train.checkpoint_every",
                Some(self.checkpoint_every),
                MOST_STEPS,
            ),
            ("train.validate_every", validate_every, MOST_STEPS),
            ("train.early_stop", self.early_stop, MOST_STEPS),
            ("train.max_images", self.max_images, MOST_IMAGES),
            ("train.max_epochs", self.max_epochs, MOST_EPOCHS),
        ] {
            value.map_or(Ok(()), |value| between_one_and(most, key, value))?;
        }
        if i64::try_from(self.seed).is_err() {
            return Err(ExperimentError::OutOfRange {
                key: "train.seed".to_owned(),
                value: self.seed as f64,
                rule: "below 2^63, as integers in TOML are".to_owned(),
            });
        }
        positive("train.lr", self.lr)?;
        for (key, value) in [
            ("train.minutes", self.minutes),
            ("train.max_minutes", self.max_minutes),
            ("train.clip_value", self.clip_value),
            ("train.clip_norm", self.clip_norm),
        ] {
            value.map_or(Ok(()), |value| positive(key, value))?;
        }
        self.ema.map_or(Ok(()), |ema| fraction("train.ema", ema))?;
        self.optimizer.validate()?;
        self.scheduler.validate(self.lr)
    }
}
