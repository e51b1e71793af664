//! Samples of files as numbers around `[0, 1]`, one at a time: an image of any size takes no copy.

use n2n_files::{SampleKind, Samples};

use crate::Error;

/// A sample by its position, as a number.
pub(crate) fn read(samples: &Samples, range: Option<[f32; 2]>) -> Box<dyn Fn(usize) -> f32 + '_> {
    let [low, high] = bounds(samples.kind(), range);
    let number = move |sample: f32| (sample - low) / (high - low);
    match samples {
        Samples::U8(samples) => Box::new(move |at| number(f32::from(samples[at]))),
        Samples::U16(samples) => Box::new(move |at| number(f32::from(samples[at]))),
        Samples::F32(samples) => Box::new(move |at| number(samples[at])),
    }
}

/// Puts a number in a sample's place. Integers are rounded, and cut off at their type's ends; floats are cut
/// off at 0 and 1, where they have to lie, unless a range says that they may lie elsewhere.
pub(crate) fn write(
    samples: &mut Samples,
    range: Option<[f32; 2]>,
) -> Box<dyn FnMut(usize, f32) + '_> {
    let [low, high] = bounds(samples.kind(), range);
    let sample = move |value: f32| low + value * (high - low);
    // The casts cut off.
    match samples {
        Samples::U8(samples) => {
            Box::new(move |at, value| samples[at] = sample(value).round() as u8)
        }
        Samples::U16(samples) => {
            Box::new(move |at, value| samples[at] = sample(value).round() as u16)
        }
        Samples::F32(samples) => Box::new(move |at, value| {
            samples[at] = match range {
                Some(_) => sample(value),
                None => value.clamp(0.0, 1.0),
            }
        }),
    }
}

/// So many samples of a kind.
pub(crate) fn zeros(kind: SampleKind, count: usize) -> Samples {
    match kind {
        SampleKind::U8 => Samples::U8(vec![0; count]),
        SampleKind::U16 => Samples::U16(vec![0; count]),
        SampleKind::F32 => Samples::F32(vec![0.0; count]),
    }
}

/// Whether floats are numbers, and in `[0, 1]` if no range says what they mean.
pub(crate) fn check(samples: &Samples, range: Option<[f32; 2]>) -> Result<(), Error> {
    let Samples::F32(samples) = samples else {
        return Ok(());
    };
    check_finite(samples)?;
    let (low, high) = samples.iter().fold(
        (f32::INFINITY, f32::NEG_INFINITY),
        |(low, high), &sample| (low.min(sample), high.max(sample)),
    );
    if range.is_none() && (low < 0.0 || high > 1.0) {
        return Err(Error::OutsideUnitRange { low, high });
    }
    Ok(())
}

/// Whether values are numbers.
pub(crate) fn check_finite(values: &[f32]) -> Result<(), Error> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(Error::NotFinite { value }),
        None => Ok(()),
    }
}

/// Samples that become 0 and 1.
fn bounds(kind: SampleKind, range: Option<[f32; 2]>) -> [f32; 2] {
    range.unwrap_or([0.0, kind.white()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_cut_off_unless_a_range_says_that_it_may() {
        let written = |mut samples: Samples, range| {
            let mut put = write(&mut samples, range);
            for (at, value) in [-0.25, 0.5, 1.25].into_iter().enumerate() {
                put(at, value);
            }
            drop(put);
            samples
        };
        let floats = || Samples::F32(vec![0.0; 3]);
        assert_eq!(written(floats(), None), Samples::F32(vec![0.0, 0.5, 1.0]));
        let stretched = written(floats(), Some([0.0, 20.0]));
        assert_eq!(stretched, Samples::F32(vec![-5.0, 10.0, 25.0]));
        let bytes = Samples::U8(vec![7; 3]);
        assert_eq!(written(bytes, None), Samples::U8(vec![0, 128, 255]));
    }

    #[test]
    fn floats_that_mean_nothing_are_refused() {
        let hole = Samples::F32(vec![0.5, f32::NAN]);
        assert!(
            matches!(check(&hole, Some([0.0, 2.0])), Err(Error::NotFinite { value }) if value.is_nan())
        );
        let infinite = Samples::F32(vec![f32::NEG_INFINITY, 0.5]);
        assert!(matches!(
            check(&infinite, None),
            Err(Error::NotFinite { .. })
        ));
        let counts = Samples::F32(vec![-1.0, 300.0, 2.0]);
        let Err(Error::OutsideUnitRange { low, high }) = check(&counts, None) else {
            panic!("a range is needed")
        };
        assert_eq!([low, high], [-1.0, 300.0]);
        check(&counts, Some([0.0, 255.0])).unwrap();
        check(&Samples::U16(vec![0, 65_535]), None).unwrap();
    }
}
