//! Intervals between validations.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Interval between validations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// A number of batches.
    Batches(usize),
    /// One pass over the training set.
    Epoch,
}

/// Notation of [`Interval::Epoch`].
const EPOCH: &str = "epoch";

impl Interval {
    /// Returns the number of batches of `images_per_step` images.
    pub fn batches(self, train_examples: usize, images_per_step: usize) -> usize {
        match self {
            Self::Batches(batches) => batches,
            Self::Epoch => train_examples.div_ceil(images_per_step),
        }
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Batches(batches) => batches.serialize(serializer),
            Self::Epoch => EPOCH.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let batches = value.as_integer().map(usize::try_from);
        match (batches, value.as_str()) {
            (Some(Ok(batches @ 1..)), _) => Ok(Self::Batches(batches)),
            (_, Some(EPOCH)) => Ok(Self::Epoch),
            _ => Err(D::Error::custom(format!(
                "expected a number of batches, at least 1, or \"{EPOCH}\", but got {value}"
            ))),
        }
    }
}
