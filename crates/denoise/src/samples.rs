//! Samples of files as numbers around `[0, 1]`, row by row: an image of any size is never copied whole.

use n2n_data::Scale;
use n2n_files::{SampleKind, Samples};

/// An image to read, planar.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Numbers, read as they are.
    Numbers(&'a [f32]),
    /// Samples, and the range of them that becomes `[0, 1]`.
    Samples(&'a Samples, Option<[f32; 2]>),
}

impl Source<'_> {
    /// The number at a position in C order.
    pub fn number(&self, at: usize) -> f32 {
        let mut number = [0.0];
        self.read_row(at, &mut number);
        number[0]
    }

    /// Reads consecutive numbers, the first from position `start` in C order.
    pub fn read_row(&self, start: usize, row: &mut [f32]) {
        let positions = start..start + row.len();
        match self {
            Self::Numbers(numbers) => row.copy_from_slice(&numbers[positions]),
            Self::Samples(samples, range) => {
                let scale = Scale::new(samples.kind(), *range);
                match samples {
                    Samples::U8(samples) => to_numbers(&samples[positions], scale, row),
                    Samples::U16(samples) => to_numbers(&samples[positions], scale, row),
                    Samples::F32(samples) => to_numbers(&samples[positions], scale, row),
                }
            }
        }
    }
}

/// An image to write, planar.
pub(crate) enum Sink<'a> {
    /// Numbers, written as they are.
    Numbers(&'a mut [f32]),
    /// Samples, and the range of them that `[0, 1]` becomes.
    Samples(&'a mut Samples, Option<[f32; 2]>),
}

impl Sink<'_> {
    /// Writes consecutive numbers, the first to position `start` in C order.
    ///
    /// Integers are rounded, and clamped to their type's range.
    /// Floats are clamped to `[0, 1]`, unless a range is given.
    pub fn write_row(&mut self, start: usize, row: &[f32]) {
        let positions = start..start + row.len();
        match self {
            Self::Numbers(numbers) => numbers[positions].copy_from_slice(row),
            Self::Samples(samples, range) => {
                let scale = Scale::new(samples.kind(), *range);
                let sample = |number: f32| scale.sample(number);
                // `as` clamps.
                match samples {
                    Samples::U8(samples) => {
                        put(row, &mut samples[positions], |number| {
                            sample(number).round() as u8
                        });
                    }
                    Samples::U16(samples) => {
                        put(row, &mut samples[positions], |number| {
                            sample(number).round() as u16
                        });
                    }
                    Samples::F32(samples) if range.is_some() => {
                        put(row, &mut samples[positions], sample);
                    }
                    Samples::F32(samples) => {
                        put(row, &mut samples[positions], |number| {
                            number.clamp(0.0, 1.0)
                        });
                    }
                }
            }
        }
    }
}

fn to_numbers<T: Copy + Into<f32>>(samples: &[T], scale: Scale, row: &mut [f32]) {
    put(samples, row, |sample| scale.number(sample));
}

fn put<T: Copy, U>(from: &[T], to: &mut [U], convert: impl Fn(T) -> U) {
    for (from, to) in from.iter().zip(to) {
        *to = convert(*from);
    }
}

/// `count` zeros of a kind.
pub(crate) fn zeros(kind: SampleKind, count: usize) -> Samples {
    match kind {
        SampleKind::U8 => Samples::U8(vec![0; count]),
        SampleKind::U16 => Samples::U16(vec![0; count]),
        SampleKind::F32 => Samples::F32(vec![0.0; count]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(mut samples: Samples, range: Option<[f32; 2]>, numbers: &[f32]) -> Samples {
        Sink::Samples(&mut samples, range).write_row(0, numbers);
        samples
    }

    #[test]
    fn samples_of_each_kind_survive_a_round_trip() {
        for samples in [
            Samples::U8(vec![0, 1, 100, 255]),
            Samples::U16(vec![0, 1, 30_000, 65_535]),
            Samples::F32(vec![0.0, 0.25, 1.0]),
        ] {
            for range in [None, Some([-3.0, 200.0])] {
                let mut numbers = vec![0.0; samples.len()];
                Source::Samples(&samples, range).read_row(0, &mut numbers);
                let back = written(zeros(samples.kind(), samples.len()), range, &numbers);
                match (&back, &samples) {
                    (Samples::F32(back), Samples::F32(samples)) => {
                        let pairs = back.iter().zip(samples);
                        // A float times 203 and back.
                        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-4));
                    }
                    (back, samples) => assert_eq!(back, samples),
                }
            }
        }
    }

    #[test]
    fn rows_begin_at_their_position() {
        let samples = Samples::U8(vec![0, 51, 102, 255]);
        let source = Source::Samples(&samples, None);
        let mut row = [0.0; 2];
        source.read_row(1, &mut row);
        assert_eq!(row, [0.2, 0.4]);
        assert_eq!(source.number(3), 1.0);
        let mut numbers = [0.0; 4];
        Sink::Numbers(&mut numbers).write_row(2, &[-1.0, 2.0]);
        assert_eq!(numbers, [0.0, 0.0, -1.0, 2.0]);
    }

    #[test]
    fn numbers_beyond_integers_are_clamped() {
        let numbers = [-0.2, 0.5, 1.0, 1.7];
        assert_eq!(
            written(Samples::U8(vec![7; 4]), None, &numbers),
            Samples::U8(vec![0, 128, 255, 255])
        );
        assert_eq!(
            written(Samples::U16(vec![7; 4]), Some([0.0, 4095.0]), &numbers),
            Samples::U16(vec![0, 2048, 4095, 6962])
        );
    }

    #[test]
    fn floats_are_clamped_only_without_a_range() {
        let numbers = [-0.25, 0.5, 1.25];
        let floats = || Samples::F32(vec![0.0; 3]);
        assert_eq!(
            written(floats(), None, &numbers),
            Samples::F32(vec![0.0, 0.5, 1.0])
        );
        assert_eq!(
            written(floats(), Some([0.0, 20.0]), &numbers),
            Samples::F32(vec![-5.0, 10.0, 25.0])
        );
    }
}
