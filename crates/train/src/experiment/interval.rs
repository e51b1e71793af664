//! Intervals between validations.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Interval between validations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interval {
    /// A number of batches.
    Batches(usize),
    /// A share of the run, in percent: above 0 and at most 100.
    Percent(f64),
    /// One pass over the training set.
    Epoch,
}

/// Notation of [`Interval::Epoch`].
const EPOCH: &str = "epoch";

impl Interval {
    /// Returns the number of batches of `images_per_step` images, in a run of `max_images`.
    pub fn batches(
        self,
        train_examples: usize,
        images_per_step: usize,
        max_images: usize,
    ) -> usize {
        match self {
            Self::Batches(batches) => batches,
            Self::Percent(percent) => {
                let steps = max_images.div_ceil(images_per_step) as f64;
                ((percent / 100.0 * steps).ceil() as usize).max(1)
            }
            Self::Epoch => train_examples.div_ceil(images_per_step),
        }
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Batches(batches) => batches.serialize(serializer),
            Self::Percent(percent) => format!("{percent}%").serialize(serializer),
            Self::Epoch => EPOCH.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let batches = value.as_integer().map(usize::try_from);
        let percent = value.as_str().and_then(|text| text.strip_suffix('%'));
        let percent = percent.and_then(|percent| percent.trim().parse::<f64>().ok());
        match (batches, value.as_str(), percent) {
            (Some(Ok(batches @ 1..)), ..) => Ok(Self::Batches(batches)),
            (_, Some(EPOCH), _) => Ok(Self::Epoch),
            (.., Some(percent)) if percent > 0.0 && percent <= 100.0 => Ok(Self::Percent(percent)),
            _ => Err(D::Error::custom(format!(
                "expected a number of batches, at least 1, a share of the run such as \"5%\", or \
                 \"{EPOCH}\", but got {value}"
            ))),
        }
    }
}
