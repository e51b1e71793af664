//! How a network is trained, by config.

use anyhow::ensure;
use n2n_data::Target;
use n2n_model::Loss;
use serde::{Deserialize, Serialize};

use super::kind::with_default_kind;
use super::range::{fraction, positive};
use super::{Interval, OptimizerConfig, SchedulerConfig};

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of the initial weights, the order of the examples and the embedded scenes.
    pub seed: u64,
    /// Which image the loss compares the output with.
    pub target: Target,
    /// What is minimized.
    pub loss: Loss,
    /// Images that pass through the network at once.
    pub batch_size: usize,
    /// Times so many whose mean gradient makes a step.
    pub accumulate: usize,
    /// Stop after so many images.
    pub max_images: Option<usize>,
    /// Stop after so many passes over the training set.
    pub max_epochs: Option<usize>,
    /// Stop after so many minutes.
    pub max_minutes: Option<f64>,
    /// Stop after so many validations without a better one.
    pub early_stop: Option<usize>,
    /// Batches between validations, or `"epoch"`.
    pub validate_every: Interval,
    /// Batches between checkpoints, beside those at validations.
    pub checkpoint_every: usize,
    /// Learning rate at the start.
    pub lr: f64,
    /// Update rule.
    #[serde(deserialize_with = "with_default_kind")]
    pub optimizer: OptimizerConfig,
    /// The largest value of a gradient; larger ones are cut off.
    pub clip_value: Option<f64>,
    /// The largest norm of all gradients together; larger ones are scaled down.
    pub clip_norm: Option<f64>,
    /// Decay of a running mean of the weights, which is what is validated and saved.
    pub ema: Option<f64>,
    /// What to do when a loss is no finite number.
    pub on_nan: OnNan,
    /// How the learning rate changes.
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
            max_minutes: None,
            early_stop: None,
            validate_every: Interval::Batches(150),
            checkpoint_every: 1000,
            lr: 1e-3,
            optimizer: OptimizerConfig::default(),
            clip_value: None,
            clip_norm: None,
            ema: None,
            on_nan: OnNan::Stop,
            scheduler: SchedulerConfig::default(),
        }
    }
}

/// What to do when a loss is no finite number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnNan {
    /// Stop, with an error.
    #[default]
    Stop,
    /// Go back to the last checkpoint, and on at half the learning rate.
    Rollback,
}

impl TrainConfig {
    /// Images in a step.
    pub fn images_per_step(&self) -> usize {
        self.batch_size * self.accumulate
    }

    /// Checks what a type cannot.
    ///
    /// # Errors
    /// When a value is out of range, naming its key.
    pub fn validate(&self) -> anyhow::Result<()> {
        for (key, value) in [
            ("train.batch_size", Some(self.batch_size)),
            ("train.accumulate", Some(self.accumulate)),
            ("train.checkpoint_every", Some(self.checkpoint_every)),
            ("train.max_images", self.max_images),
            ("train.max_epochs", self.max_epochs),
            ("train.early_stop", self.early_stop),
        ] {
            ensure!(value != Some(0), "{key} is 0, but must be at least 1");
        }
        positive("train.lr", self.lr)?;
        for (key, value) in [
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
