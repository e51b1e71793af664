//! Stored samples as numbers around `[0, 1]`: one map for training and for denoising.

use std::fmt;

use n2n_files::{Sample, SampleKind};
use serde::{Deserialize, Serialize};

/// Samples that become 0 and 1, the lower first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Range {
    /// The same in every channel.
    Shared([f64; 2]),
    /// Those of each channel.
    PerChannel(Vec<[f64; 2]>),
}

/// A range that is empty, not finite, or of no channel.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "the range is {low} to {high}; expected two finite numbers, the lower first, whose difference is finite too"
)]
pub struct RangeError {
    /// Sample that becomes 0.
    pub low: f64,
    /// Sample that becomes 1.
    pub high: f64,
}

impl Range {
    /// Checks that samples of every channel can become 0 and 1.
    ///
    /// # Errors
    /// When two ends are equal, in the wrong order or not finite.
    pub fn validate(&self) -> Result<(), RangeError> {
        let ends = match self {
            Self::Shared(ends) => std::slice::from_ref(ends),
            Self::PerChannel(ends) => ends.as_slice(),
        };
        let is_sound =
            |&&[low, high]: &&[f64; 2]| low.is_finite() && (high - low).is_finite() && low < high;
        match ends.iter().find(|ends| !is_sound(ends)) {
            Some(&[low, high]) => Err(RangeError { low, high }),
            None if ends.is_empty() => Err(RangeError {
                low: 0.0,
                high: 0.0,
            }),
            None => Ok(()),
        }
    }

    /// Channels that have a range of their own; `None` where all share one.
    pub fn channels(&self) -> Option<usize> {
        match self {
            Self::Shared(_) => None,
            Self::PerChannel(ends) => Some(ends.len()),
        }
    }

    /// Samples of a channel that become 0 and 1; channels beyond the last have its range.
    ///
    /// # Panics
    /// If it does not [`validate`](Self::validate).
    pub fn of_channel(&self, channel: usize) -> [f64; 2] {
        match self {
            Self::Shared(ends) => *ends,
            Self::PerChannel(ends) => ends[channel.min(ends.len() - 1)],
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared([low, high]) => write!(f, "{} to {}", Short(*low), Short(*high)),
            Self::PerChannel(ends) => {
                for (channel, [low, high]) in ends.iter().enumerate() {
                    let separator = if channel == 0 { "" } else { ", " };
                    write!(f, "{separator}{} to {}", Short(*low), Short(*high))?;
                }
                Ok(())
            }
        }
    }
}

/// A number with five significant digits.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = *self;
        let digits = 4 - value.abs().max(f64::MIN_POSITIVE).log10().floor() as i32;
        match usize::try_from(digits) {
            Ok(digits) if digits < 9 => {
                let factor = 10_f64.powi(digits as i32);
                write!(f, "{}", (value * factor).round() / factor)
            }
            Ok(_) if value == 0.0 => f.write_str("0"),
            Ok(_) => write!(f, "{value:.4e}"),
            Err(_) => write!(f, "{}", value.round()),
        }
    }
}

/// Linear map between the samples of one channel and numbers, in which black is 0 and white 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    black: f64,
    white: f64,
}

impl Scale {
    /// Map of a channel's samples, whose black and white are its `range`. Without a range, black is 0
    /// and white the largest integer of the kind, or 1.0 of floats.
    pub fn new(kind: SampleKind, range: Option<&Range>, channel: usize) -> Self {
        let [black, white] = range.map_or([0.0, kind.white()], |range| range.of_channel(channel));
        Self { black, white }
    }

    /// `(sample - black) / (white - black)`.
    #[inline]
    pub fn number(self, sample: impl Sample) -> f32 {
        ((sample.to_f64() - self.black) / (self.white - self.black)) as f32
    }

    /// `black + number · (white - black)`, the inverse of [`number`](Self::number).
    #[inline]
    pub fn sample<T: Sample>(self, number: f32) -> T {
        T::from_f64(self.black + f64::from(number) * (self.white - self.black))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_samples_are_inverse() {
        let bytes = Scale::new(SampleKind::U8, None, 0);
        assert_eq!((bytes.number(51_u8), bytes.sample::<u8>(0.2)), (0.2, 51));
        let range = Range::PerChannel(vec![[0.0, 1.0], [-1.0, 7.0]]);
        let floats = Scale::new(SampleKind::F32, Some(&range), 1);
        assert_eq!(
            (floats.number(3.0_f32), floats.sample::<f32>(0.5)),
            (0.5, 3.0)
        );
        assert_eq!(Scale::new(SampleKind::F32, None, 4).number(0.3_f32), 0.3);
        // An offset beyond the precision of 32 bits.
        let large = Range::Shared([1e12, 1e12 + 1000.0]);
        let large = Scale::new(SampleKind::I64, Some(&large), 0);
        let sample = 1_000_000_000_250_i64;
        assert_eq!(
            (large.number(sample), large.sample::<i64>(0.25)),
            (0.25, sample)
        );
    }

    #[test]
    fn ranges_without_extent_are_refused() {
        for ends in [
            [1.0, 1.0],
            [2.0, 1.0],
            [0.0, f64::INFINITY],
            [f64::NAN, 1.0],
            [f64::MIN, f64::MAX],
        ] {
            Range::Shared(ends).validate().unwrap_err();
            Range::PerChannel(vec![[0.0, 1.0], ends])
                .validate()
                .unwrap_err();
        }
        Range::PerChannel(vec![]).validate().unwrap_err();
        Range::Shared([-1.0, 0.0]).validate().unwrap();
    }

    #[test]
    fn ranges_are_told_in_five_digits() {
        let range = Range::PerChannel(vec![
            [0.0, 4095.0],
            [-1024.25, 123_456.7],
            [1e-9, 0.012_345_6],
        ]);
        let expected = "0 to 4095, -1024.3 to 123457, 1.0000e-9 to 0.012346";
        assert_eq!(range.to_string(), expected);
    }
}
