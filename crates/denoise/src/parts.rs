//! Images that are read and written in parts, so that they need not fit into memory.

use std::ops::ControlFlow;

use n2n_data::{MIN_STD, Normalization, Range, range_of_image, sampled};
use n2n_files::{EncodeError, Raster, Region, Sample, SampleKind, Samples, Stack, with_samples};

use crate::fit::Strays;
use crate::pass::Pass;
use crate::samples::{Pixels, PixelsToWrite, Scales, Sink, Source};
use crate::{Denoiser, Error, denoiser::filled};

/// An image of a stack.
pub(crate) struct Parts<'a> {
    stack: &'a dyn Stack,
    index: usize,
    /// The samples that become 0 and 1.
    range: Option<&'a Range>,
}

/// What is to be said of an image that was denoised in parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Denoised {
    /// Samples that are NaN or infinite, and stay so.
    pub holes: usize,
    /// As [`is_foreign`](Denoiser::is_foreign), if no range was given.
    pub foreign: bool,
    /// As [`is_stray`](Denoiser::is_stray).
    pub stray: bool,
}

impl Parts<'_> {
    /// Bytes that a pixel of a tile takes besides its numbers: what was read of it, that with holes filled, and
    /// what is written.
    pub fn bytes_per_pixel(&self) -> usize {
        let [channels, ..] = self.stack.shape();
        channels * (3 * self.stack.kind().bytes() + size_of::<f32>())
    }

    fn read(&self, region: Region) -> Result<Raster, Error> {
        Ok(self.stack.read_region(self.index, region)?)
    }

    fn scales(&self, shape: [usize; 3]) -> Scales {
        Scales::new(self.stack.kind(), self.range, shape)
    }

    /// Calls `act` with the pixels of a region, whose holes are filled from those around them there.
    pub fn with_pixels<T>(
        &self,
        region: Region,
        act: impl FnOnce(Pixels<'_>) -> T,
    ) -> Result<T, Error> {
        let raster = self.read(region)?;
        let shape = raster.shape();
        let filled = with_samples!(&raster.samples, samples => {
            filled(samples, shape).map(Sample::into_samples)
        });
        let samples = filled.as_ref().unwrap_or(&raster.samples);
        Ok(act(Pixels::Samples(samples, &self.scales(shape))))
    }

    /// Looks at the image, as far as needed.
    fn survey(&self, needs_statistics: bool) -> Result<Survey, Error> {
        let [channels, height, width] = self.stack.shape();
        let mut survey = Survey {
            first: vec![None; channels],
            varies: vec![false; channels],
            holes: 0,
            is_picture: true,
            moments: vec![Moments::default(); channels],
        };
        let needs_all = needs_statistics || self.stack.kind().is_float();
        let cut = self.stack.parts().unwrap_or([height, width]);
        for top in (0..height).step_by(cut[0]) {
            for left in (0..width).step_by(cut[1]) {
                let part = self.read(Region {
                    top,
                    left,
                    height: cut[0].min(height - top),
                    width: cut[1].min(width - left),
                })?;
                survey.add(&part, needs_statistics.then(|| self.scales(part.shape())));
                if !needs_all && survey.varies.iter().all(|varies| *varies) {
                    return Ok(survey);
                }
            }
        }
        Ok(survey)
    }
}

/// What the parts of an image have in common.
struct Survey {
    /// The first number of each channel.
    first: Vec<Option<f64>>,
    /// Whether a channel has others.
    varies: Vec<bool>,
    holes: usize,
    /// Whether all samples are floats in `[0, 1]`.
    is_picture: bool,
    /// Of the numbers of each channel, if they are needed.
    moments: Vec<Moments>,
}

impl Survey {
    fn add(&mut self, part: &Raster, scales: Option<Scales>) {
        let area = part.height * part.width;
        self.holes += part.samples.non_finite();
        self.is_picture &= crate::fit::is_picture_of_floats(&part.samples);
        with_samples!(&part.samples, samples => {
            for (channel, plane) in samples.chunks_exact(area).enumerate() {
                let numbers = plane.iter().map(|sample| sample.to_f64());
                for number in numbers.filter(|number| number.is_finite()) {
                    let first = self.first[channel].get_or_insert(number);
                    self.varies[channel] |= number != *first;
                }
            }
        });
        if let Some(scales) = scales {
            let pixels = Pixels::Samples(&part.samples, &scales);
            let mut plane = vec![0.0; area];
            for (channel, moments) in self.moments.iter_mut().enumerate() {
                pixels.read_row(channel * area, &mut plane);
                let numbers = plane.iter().filter(|number| number.is_finite());
                *moments = moments.plus(&Moments::of(numbers.map(|&number| f64::from(number))));
            }
        }
    }

    /// The normalization of each of a batch of images of `network` channels, taken from `image` channels.
    fn normalizations(&self, batch_size: usize, network: usize) -> Vec<Normalization> {
        let channels = self.moments.len().min(network);
        let of_batch = |index: usize| {
            let of_channel = |at: usize| {
                let moments = &self.moments[index * network + at % channels];
                (moments.mean as f32, moments.std() as f32)
            };
            let (mean, std) = (0..network).map(of_channel).unzip();
            Normalization::PerChannel { mean, std }
        };
        (0..batch_size).map(of_batch).collect()
    }
}

/// Mean and spread of some numbers.
#[derive(Clone, Default)]
struct Moments {
    count: f64,
    mean: f64,
    /// The sum of squares of what differs from the mean.
    squares: f64,
}

impl Moments {
    fn of(numbers: impl Iterator<Item = f64> + Clone) -> Self {
        let (count, sum) = numbers.clone().fold((0.0, 0.0), |(count, sum), number| {
            (count + 1.0, sum + number)
        });
        let mean = if count > 0.0 { sum / count } else { 0.0 };
        Self {
            count,
            mean,
            squares: numbers.map(|number| (number - mean).powi(2)).sum(),
        }
    }

    /// Those of both together: Chan's way, which does not cancel.
    fn plus(&self, other: &Self) -> Self {
        let count = self.count + other.count;
        if count == 0.0 {
            return Self::default();
        }
        let apart = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * other.count / count,
            squares: self.squares
                + other.squares
                + apart * apart * self.count * other.count / count,
        }
    }

    fn std(&self) -> f64 {
        (self.squares / self.count.max(1.0)).sqrt().max(MIN_STD)
    }
}

impl Denoiser {
    /// Denoises image `index` of a stack in parts, of which each is read, and then given to `write` as a region
    /// and its planar samples; together they are the image, each pixel once. The memory is bounded by the
    /// limit, whatever the size of the image, but where a network has statistics `per_pixel`, whose tiles
    /// are added up.
    ///
    /// The result is that of [`denoise_raster`](Self::denoise_raster). Statistics `per_image` are those of
    /// the whole image less its holes; these are filled from the tile around them, and
    /// the range of an image that has none is that of samples all over it.
    ///
    /// `in_files` is what reading and writing take besides the samples, in bytes.
    ///
    /// # Errors
    /// As for [`denoise_raster`](Self::denoise_raster), and when a part cannot be read or written.
    pub fn denoise_parts(
        &self,
        stack: &dyn Stack,
        index: usize,
        range: Option<&Range>,
        in_files: u64,
        write: &mut (dyn FnMut(Region, &Samples) -> Result<(), EncodeError> + Send),
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Denoised, Error> {
        let (kind, shape) = (stack.kind(), stack.shape());
        let rule = self.channel_rule(shape[0]);
        rule.check()?;
        let sample = sampled(shape, |region| stack.read_region(index, region))?;
        let foreign = range.is_none() && self.is_foreign(&sample);
        let given = range.is_some();
        let range = range
            .cloned()
            .or_else(|| match (&self.metadata().range, kind) {
                (Some(range), _) => Some(range.clone()),
                (None, SampleKind::U8 | SampleKind::U16) => None,
                _ => range_of_image(&sample),
            });
        range.as_ref().map_or(Ok(()), Range::validate)?;
        let parts = Parts {
            stack,
            index,
            range: range.as_ref(),
        };
        let needs_statistics = self.metadata().normalization == Normalization::PerImage;
        let survey = parts.survey(needs_statistics)?;
        let normalizations = match &self.metadata().normalization {
            Normalization::PerImage => survey.normalizations(rule.batch_size(), rule.network),
            other => vec![other.clone(); rule.batch_size()],
        };
        let clamps = !given && survey.is_picture;
        let mut strays = Strays::default();
        let mut put = |region: Region, numbers: &[f32]| -> Result<(), Error> {
            let shape = [shape[0], region.height, region.width];
            let scales = parts.scales(shape);
            let mut samples = Samples::zeros(kind, numbers.len());
            PixelsToWrite::Samples {
                samples: &mut samples,
                scales: &scales,
                clamps,
            }
            .write_row(0, numbers);
            if survey.holes > 0 || survey.varies.contains(&false) {
                let noisy = parts.read(region)?;
                with_samples!(&noisy.samples, noisy => {
                    keep(noisy, &mut samples, region.area(), &survey.varies);
                });
            }
            strays.add(&samples, &scales);
            Ok(write(region, &samples)?)
        };
        let pass = Pass {
            shape,
            source: Source::Parts(&parts),
            sink: Sink::Parts {
                write: &mut put,
                begun: false,
            },
            progress,
        };
        self.run(
            pass,
            usize::try_from(in_files).unwrap_or(usize::MAX),
            normalizations,
        )?;
        Ok(Denoised {
            holes: survey.holes,
            foreign,
            stray: strays.are_many(&sample.samples),
        })
    }

    /// Checks that the memory suffices for denoising images of a file [in parts](Self::denoise_parts), before
    /// one is read.
    ///
    /// # Errors
    /// [`Error::TooLittleMemory`].
    pub fn check_parts(&self, shape: [usize; 3], in_files: u64) -> Result<(), Error> {
        self.check_memory(shape, usize::try_from(in_files).unwrap_or(usize::MAX))
    }
}

/// Puts back what stays as it is: NaN and infinite samples, and channels that do not vary.
fn keep<T: Sample>(noisy: &[T], samples: &mut Samples, area: usize, varies: &[bool]) {
    let Some(samples) = T::slice_mut(samples) else {
        return;
    };
    let planes = noisy.chunks_exact(area).zip(samples.chunks_exact_mut(area));
    for ((noisy, samples), varies) in planes.zip(varies) {
        for (noisy, sample) in noisy.iter().zip(samples) {
            if !varies || !noisy.to_f64().is_finite() {
                *sample = *noisy;
            }
        }
    }
}
