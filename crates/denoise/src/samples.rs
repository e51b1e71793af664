//! Samples of files as numbers around `[0, 1]`, row by row: an image of any size is never copied whole.

use n2n_data::{Range, Scale};
use n2n_files::{Region, Sample, SampleKind, Samples, with_samples};

use crate::Error;
use crate::parts::Parts;

/// The scale of each channel of an image.
#[derive(Clone, Debug)]
pub(crate) struct Scales {
    channels: Vec<Scale>,
    /// Pixels of a channel.
    area: usize,
}

impl Scales {
    /// Scales of an image of `[channels, height, width]`; `range` are the samples that become 0 and 1.
    pub fn new(kind: SampleKind, range: Option<&Range>, shape: [usize; 3]) -> Self {
        let [channels, height, width] = shape;
        Self {
            channels: (0..channels)
                .map(|channel| Scale::new(kind, range, channel))
                .collect(),
            area: height * width,
        }
    }

    /// Calls `act` with each part of consecutive positions that is of one channel: its scale, its first
    /// position and its length.
    pub fn for_channels(&self, start: usize, len: usize, mut act: impl FnMut(Scale, usize, usize)) {
        let (mut at, end) = (start, start + len);
        while at < end {
            let channel = at / self.area;
            let part = ((channel + 1) * self.area).min(end) - at;
            act(self.channels[channel], at, part);
            at += part;
        }
    }
}

/// An image to read.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// In memory.
    Pixels(Pixels<'a>),
    /// Read part by part.
    Parts(&'a Parts<'a>),
}

/// An image in memory, planar.
#[derive(Clone, Copy)]
pub(crate) enum Pixels<'a> {
    /// Numbers, read as they are.
    Numbers(&'a [f32]),
    /// Samples, and their scales.
    Samples(&'a Samples, &'a Scales),
}

impl Pixels<'_> {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Samples(samples, _) => samples.len(),
        }
    }

    /// The number at a position in C order.
    pub fn number(&self, at: usize) -> f32 {
        let mut number = [0.0];
        self.read_row(at, &mut number);
        number[0]
    }

    /// Reads consecutive numbers, the first from position `start` in C order.
    pub fn read_row(&self, start: usize, row: &mut [f32]) {
        match self {
            Self::Numbers(numbers) => row.copy_from_slice(&numbers[start..start + row.len()]),
            Self::Samples(samples, scales) => with_samples!(samples, samples => {
                scales.for_channels(start, row.len(), |scale, at, len| {
                    let row = &mut row[at - start..][..len];
                    for (number, sample) in row.iter_mut().zip(&samples[at..]) {
                        *number = scale.number(*sample);
                    }
                });
            }),
        }
    }
}

/// Writes a region and its planar numbers.
pub(crate) type WritePart<'a> = dyn FnMut(Region, &[f32]) -> Result<(), Error> + Send + 'a;

/// An image to write.
pub(crate) enum Sink<'a> {
    /// In memory.
    Pixels(PixelsToWrite<'a>),
    /// Written part by part.
    Parts {
        /// Takes each part.
        write: &'a mut WritePart<'a>,
        /// Whether a part was written.
        begun: bool,
    },
}

/// An image in memory to write, planar.
pub(crate) enum PixelsToWrite<'a> {
    /// Numbers, written as they are.
    Numbers(&'a mut [f32]),
    /// Samples.
    Samples {
        samples: &'a mut Samples,
        scales: &'a Scales,
        /// Whether samples are clamped to `[0, 1]`, as floats of pictures are.
        clamps: bool,
    },
}

impl PixelsToWrite<'_> {
    /// Writes consecutive numbers, the first to position `start` in C order.
    ///
    /// Integers are rounded, and clamped to their type's range.
    pub fn write_row(&mut self, start: usize, row: &[f32]) {
        match self {
            Self::Numbers(numbers) => numbers[start..start + row.len()].copy_from_slice(row),
            Self::Samples {
                samples,
                scales,
                clamps,
            } => with_samples!(samples, samples => {
                scales.for_channels(start, row.len(), |scale, at, len| {
                    put(&row[at - start..][..len], &mut samples[at..], scale, *clamps);
                });
            }),
        }
    }
}

fn put<T: Sample>(numbers: &[f32], samples: &mut [T], scale: Scale, clamps: bool) {
    for (number, sample) in numbers.iter().zip(samples) {
        let value: T = scale.sample(*number);
        *sample = if clamps {
            T::from_f64(value.to_f64().clamp(0.0, 1.0))
        } else {
            value
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A float times 203 and back.
    const TOLERANCE: f64 = 1e-4;

    fn written(
        mut samples: Samples,
        range: Option<Range>,
        clamps: bool,
        numbers: &[f32],
    ) -> Samples {
        let shape = [1, 1, samples.len()];
        let scales = &Scales::new(samples.kind(), range.as_ref(), shape);
        let mut sink = PixelsToWrite::Samples {
            samples: &mut samples,
            scales,
            clamps,
        };
        sink.write_row(0, numbers);
        samples
    }

    fn shared(low: f64, high: f64) -> Option<Range> {
        Some(Range::Shared([low, high]))
    }

    #[test]
    fn samples_of_each_kind_survive_a_round_trip() {
        for samples in [
            Samples::U8(vec![0, 1, 100, 255]),
            Samples::U16(vec![0, 1, 30_000, 65_535]),
            Samples::I16(vec![-1024, 0, 3071, 32_767]),
            Samples::U32(vec![0, 17, 4_000, 100_000]),
            Samples::I64(vec![-100, 0, 5_000, 70_000]),
            Samples::F32(vec![0.0, 0.25, 1.0, 0.5]),
            Samples::F64(vec![0.0, 0.25, -1.0, 40.0]),
        ] {
            for range in [None, shared(-3.0, 200.0)] {
                if range.is_none() && samples.kind().bytes() == 8 {
                    // The largest integer of 64 bits leaves nothing of small ones.
                    continue;
                }
                let scales = Scales::new(samples.kind(), range.as_ref(), [1, 1, 4]);
                let mut numbers = vec![0.0; 4];
                Pixels::Samples(&samples, &scales).read_row(0, &mut numbers);
                let zeros = Samples::zeros(samples.kind(), 4);
                let back = written(zeros, range, false, &numbers);
                let values = |samples: &Samples| -> Vec<f64> {
                    with_samples!(samples, samples => samples.iter().map(|&s| Sample::to_f64(s)).collect())
                };
                let (back, expected) = (values(&back), values(&samples));
                let mut pairs = back.iter().zip(&expected);
                assert!(
                    pairs.all(|(a, b)| (a - b).abs() < TOLERANCE),
                    "{back:?} {expected:?}"
                );
            }
        }
    }

    #[test]
    fn rows_begin_at_their_position() {
        let samples = Samples::U8(vec![0, 51, 102, 255]);
        let scales = Scales::new(SampleKind::U8, None, [1, 2, 2]);
        let source = Pixels::Samples(&samples, &scales);
        let mut row = [0.0; 2];
        source.read_row(1, &mut row);
        assert_eq!(row, [0.2, 0.4]);
        assert_eq!(source.number(3), 1.0);
        let mut numbers = [0.0; 4];
        PixelsToWrite::Numbers(&mut numbers).write_row(2, &[-1.0, 2.0]);
        assert_eq!(numbers, [0.0, 0.0, -1.0, 2.0]);
    }

    #[test]
    fn rows_across_channels_have_their_scales() {
        let range = Range::PerChannel(vec![[0.0, 10.0], [100.0, 300.0]]);
        let scales = Scales::new(SampleKind::U16, Some(&range), [2, 1, 2]);
        let samples = Samples::U16(vec![0, 5, 100, 250]);
        let mut row = [0.0; 4];
        Pixels::Samples(&samples, &scales).read_row(0, &mut row);
        assert_eq!(row, [0.0, 0.5, 0.0, 0.75]);
        let mut back = Samples::zeros(SampleKind::U16, 4);
        let mut sink = PixelsToWrite::Samples {
            samples: &mut back,
            scales: &scales,
            clamps: false,
        };
        sink.write_row(1, &row[1..]);
        assert_eq!(back, Samples::U16(vec![0, 5, 100, 250]));
    }

    #[test]
    fn numbers_beyond_integers_are_clamped() {
        let numbers = [-0.2, 0.5, 1.0, 1.7];
        assert_eq!(
            written(Samples::U8(vec![7; 4]), None, false, &numbers),
            Samples::U8(vec![0, 128, 255, 255])
        );
        assert_eq!(
            written(
                Samples::U16(vec![7; 4]),
                shared(0.0, 4095.0),
                false,
                &numbers
            ),
            Samples::U16(vec![0, 2048, 4095, 6962])
        );
    }

    #[test]
    fn floats_are_clamped_in_pictures_only() {
        let numbers = [-0.25, 0.5, 1.25];
        let floats = || Samples::F32(vec![0.0; 3]);
        assert_eq!(
            written(floats(), None, true, &numbers),
            Samples::F32(vec![0.0, 0.5, 1.0])
        );
        assert_eq!(
            written(floats(), shared(0.0, 20.0), false, &numbers),
            Samples::F32(vec![-5.0, 10.0, 25.0])
        );
    }
}
