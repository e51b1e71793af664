//! Stored samples as numbers around `[0, 1]`: one map for training and for denoising.

use n2n_files::{SampleKind, Samples};

/// Linear map between samples of one kind and numbers, in which black is 0 and white 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    black: f32,
    white: f32,
}

impl Scale {
    /// Map of samples whose black and white are `range`. Without a range, black is 0 and white the
    /// largest integer of the kind, or 1.0 of floats.
    pub fn new(kind: SampleKind, range: Option<[f32; 2]>) -> Self {
        let [black, white] = range.unwrap_or([0.0, kind.white()]);
        Self { black, white }
    }

    /// `(sample - black) / (white - black)`.
    #[inline]
    pub fn number(self, sample: impl Into<f32>) -> f32 {
        (sample.into() - self.black) / (self.white - self.black)
    }

    /// `black + number · (white - black)`, the inverse of [`number`](Self::number).
    #[inline]
    pub fn sample(self, number: f32) -> f32 {
        self.black + number * (self.white - self.black)
    }
}

/// Samples that are not those of an image.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// A float is NaN or infinite.
    #[error("it holds {value}; expected finite numbers: replace it first")]
    NotFinite {
        /// The value.
        value: f32,
    },

    /// Floats lie outside `[0, 1]`, and no range says which are black and white.
    #[error("its values lie from {low} to {high}; without a range, expected [0, 1]")]
    OutsideUnitRange {
        /// Smallest value.
        low: f32,
        /// Largest value.
        high: f32,
    },
}

/// Checks floats: they are finite, and without a range they lie in `[0, 1]`.
///
/// # Errors
/// When they are not; integers always pass.
pub fn check_samples(samples: &Samples, range: Option<[f32; 2]>) -> Result<(), SampleError> {
    let Samples::F32(values) = samples else {
        return Ok(());
    };
    check_finite(values)?;
    if range.is_some() || values.iter().all(|value| (0.0..=1.0).contains(value)) {
        return Ok(());
    }
    let (low, high) = values
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    Err(SampleError::OutsideUnitRange { low, high })
}

/// Checks that numbers are finite.
///
/// # Errors
/// With the first that is not.
pub fn check_finite(values: &[f32]) -> Result<(), SampleError> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(SampleError::NotFinite { value }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_samples_are_inverse() {
        let bytes = Scale::new(SampleKind::U8, None);
        assert_eq!((bytes.number(51_u8), bytes.sample(0.2)), (0.2, 51.0));
        let floats = Scale::new(SampleKind::F32, Some([-1.0, 7.0]));
        assert_eq!((floats.number(3.0), floats.sample(0.5)), (0.5, 3.0));
        assert_eq!(Scale::new(SampleKind::F32, None).number(0.3), 0.3);
    }

    #[test]
    fn floats_without_meaning_are_refused() {
        let hole = Samples::F32(vec![0.5, f32::NAN]);
        assert!(
            matches!(check_samples(&hole, Some([0.0, 2.0])), Err(SampleError::NotFinite { value }) if value.is_nan())
        );
        let infinite = Samples::F32(vec![f32::NEG_INFINITY, 0.5]);
        let value = f32::NEG_INFINITY;
        let expected = Err(SampleError::NotFinite { value });
        assert_eq!(check_samples(&infinite, None), expected);
        let counts = Samples::F32(vec![-1.0, 300.0, 2.0]);
        let (low, high) = (-1.0, 300.0);
        let expected = Err(SampleError::OutsideUnitRange { low, high });
        assert_eq!(check_samples(&counts, None), expected);
        assert_eq!(check_samples(&counts, Some([0.0, 255.0])), Ok(()));
        let integers = Samples::U16(vec![0, 65_535]);
        assert_eq!(check_samples(&integers, None), Ok(()));
    }
}
