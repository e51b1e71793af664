//! Whether a model fits an image: signs that are worth a word to its user.

use n2n_data::Range;
use n2n_files::{Raster, Sample, SampleKind, Samples, with_samples};

use crate::Denoiser;
use crate::samples::Scales;

/// Ranges of more than this many times the largest sample of a picture are not its own.
const FOREIGN: f64 = 2.0;

/// Parts of a result that no sound model leaves so far, or at the bounds of its type.
const STRAY: f64 = 0.05;

impl Denoiser {
    /// Whether an image is a picture of 8 bits, or of floats in `[0, 1]`, and the samples of the training lie
    /// on a larger scale: its samples are then hardly in the units of the training.
    pub fn is_foreign(&self, raster: &Raster) -> bool {
        let white = match raster.samples.kind() {
            SampleKind::U8 => SampleKind::U8.white(),
            _ if is_picture_of_floats(&raster.samples) => 1.0,
            _ => return false,
        };
        let range = self.metadata().range.as_ref();
        range.is_some_and(|range| {
            (0..raster.channels).any(|channel| {
                let [low, high] = range.of_channel(channel);
                low > white || high - low > FOREIGN * white
            })
        })
    }

    /// Whether a result lies, in more than one part of twenty, beyond the range of its numbers by more than the
    /// range's length, or at the bounds of an integer type where the image did not. The model then hardly
    /// fits the image, or `range` is not that of its samples.
    pub fn is_stray(&self, raster: &Raster, denoised: &Raster, range: Option<&Range>) -> bool {
        let range = range.cloned().or_else(|| self.range(raster));
        let (kind, shape) = (raster.samples.kind(), raster.shape());
        let mut strays = Strays::default();
        strays.add(&denoised.samples, &Scales::new(kind, range.as_ref(), shape));
        strays.are_many(&raster.samples)
    }
}

/// Samples of a result that hardly are those of a model that fits.
#[derive(Default)]
pub(crate) struct Strays {
    samples: usize,
    beyond: usize,
    saturated: usize,
}

impl Strays {
    /// Adds those of a part of the result.
    pub fn add(&mut self, denoised: &Samples, scales: &Scales) {
        self.samples += denoised.len();
        self.beyond += beyond(denoised, scales);
        self.saturated += saturated(denoised);
    }

    /// Whether they are more than one part of twenty; `noisy` are samples of the image.
    pub fn are_many(&self, noisy: &Samples) -> bool {
        let share = |count: usize, all: usize| count as f64 / all as f64;
        let before = share(saturated(noisy), noisy.len());
        let saturated = share(self.saturated, self.samples) - before;
        share(self.beyond, self.samples).max(saturated) > STRAY
    }
}

/// How many samples are below -1 or above 2 as numbers.
fn beyond(samples: &Samples, scales: &Scales) -> usize {
    let mut count = 0;
    with_samples!(samples, samples => scales.for_channels(0, samples.len(), |scale, at, len| {
        let numbers = samples[at..][..len].iter().map(|&sample| scale.number(sample));
        count += numbers.filter(|number| (number - 0.5).abs() > 1.5).count();
    }));
    count
}

/// How many samples are the smallest or the largest of their type.
fn saturated(samples: &Samples) -> usize {
    let Some(bounds) = samples.kind().bounds() else {
        return 0;
    };
    with_samples!(samples, samples => {
        samples.iter().filter(|&&sample| bounds.contains(&Sample::to_f64(sample))).count()
    })
}

/// Whether samples are floats in `[0, 1]`, as those of pictures are.
pub(crate) fn is_picture_of_floats(samples: &Samples) -> bool {
    samples.kind().is_float()
        && with_samples!(samples, samples => {
            let mut numbers = samples.iter().map(|&sample| Sample::to_f64(sample));
            numbers.all(|number| !number.is_finite() || (0.0..=1.0).contains(&number))
        })
}
