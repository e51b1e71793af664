use std::fmt;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::NoiseError;

/// How strong a noise is: the same for every image, or drawn anew for each noisy image.
///
/// The two members of a pair draw independently: their levels differ like those of two unrelated
/// images.
///
/// In a configuration it is a number or an array of two, in text `25` or `5..50`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Level {
    /// One level for all.
    Fixed(f64),
    /// Uniform between the lower and the upper end.
    Range([f64; 2]),
}

impl Level {
    /// The level of one noisy image. Only a range uses `rng`, for one number.
    pub fn draw(self, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Fixed(level) => level,
            Self::Range([low, high]) => low + (high - low) * rng.random::<f64>(),
        }
    }

    /// Itself, if each end is what is `expected`, which `holds` tells, and the ends are in order.
    pub(super) fn checked(
        self,
        key: &'static str,
        expected: &'static str,
        holds: fn(f64) -> bool,
    ) -> Result<Self, NoiseError> {
        let [low, high] = match self {
            Self::Fixed(level) => [level, level],
            Self::Range(ends) => ends,
        };
        for value in [low, high] {
            checked_number(value, key, expected, holds)?;
        }
        if low > high {
            Err(NoiseError::Reversed { key, low, high })
        } else {
            Ok(self)
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.trim().parse().ok();
        match text.split_once("..") {
            Some((low, high)) => Some(Self::Range([number(low)?, number(high)?])),
            None => number(text).map(Self::Fixed),
        }
    }
}

/// `value`, if it is finite and what is `expected`, which `holds` tells.
pub(super) fn checked_number(
    value: f64,
    key: &'static str,
    expected: &'static str,
    holds: fn(f64) -> bool,
) -> Result<f64, NoiseError> {
    if value.is_finite() && holds(value) {
        Ok(value)
    } else {
        Err(NoiseError::OutOfRange {
            key,
            value,
            expected,
        })
    }
}

impl From<f64> for Level {
    fn from(level: f64) -> Self {
        Self::Fixed(level)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(level) => write!(f, "{level}"),
            Self::Range([low, high]) => write!(f, "{low}..{high}"),
        }
    }
}

/// By hand, because serde's own error for an untagged enum says neither what was found nor expected.
impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LevelVisitor)
    }
}

struct LevelVisitor;

impl<'de> Visitor<'de> for LevelVisitor {
    type Value = Level;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a range like [5, 50]")
    }

    fn visit_f64<E: Error>(self, level: f64) -> Result<Level, E> {
        Ok(Level::Fixed(level))
    }

    fn visit_i64<E: Error>(self, level: i64) -> Result<Level, E> {
        Ok(Level::Fixed(level as f64))
    }

    fn visit_u64<E: Error>(self, level: u64) -> Result<Level, E> {
        Ok(Level::Fixed(level as f64))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut ends: A) -> Result<Level, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = ends.next_element::<f64>()? {
            numbers.push(number);
        }
        match numbers[..] {
            [low, high] => Ok(Level::Range([low, high])),
            _ => Err(Error::invalid_length(numbers.len(), &self)),
        }
    }
}
