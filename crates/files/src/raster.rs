//! Images in memory.

use std::{ops::Range, path::Path};

use crate::{FileError, Sample, SampleKind, Samples, with_samples};

/// Most bytes that one picture may decode to: a header of a few bytes can announce any size.
pub const MAX_DECODED_BYTES: u64 = 2 << 30;

/// Most channels that an image may have.
pub const MAX_CHANNELS: usize = 64;

/// One image, planar `[channels, height, width]`, with samples as the file stores them.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// 1 for grey, 3 for red, green and blue; any other number, up to [`MAX_CHANNELS`], for bands that
    /// are no colours.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `[channels, height, width]` in C order.
    pub samples: Samples,
    /// `[height, width]`: opacity, where the file has it. The colours are not multiplied or divided
    /// by it.
    pub alpha: Option<Samples>,
}

impl Raster {
    /// `[channels, height, width]`.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// What a file of this image alone says of it.
    pub fn header(&self) -> Header {
        Header {
            channels: self.channels,
            height: self.height,
            width: self.width,
            kind: self.samples.kind(),
            alpha: self.alpha.is_some(),
            pages: 1,
        }
    }

    /// The image whose last channel is taken for alpha.
    ///
    /// # Panics
    /// When there is alpha already, or no channel left.
    #[must_use]
    pub fn with_last_as_alpha(self) -> Self {
        let [channels, height, width] = self.shape();
        assert!(self.alpha.is_none() && channels > 1, "a channel for alpha");
        Self::from_planes(self.samples, [channels - 1, height, width], true)
    }

    /// From samples stored pixel by pixel; the last of each pixel is alpha if there is any.
    pub(crate) fn from_pixels(pixels: Samples, shape: [usize; 3], alpha: bool) -> Self {
        if shape[0] == 1 && !alpha {
            return Self::from_planes(pixels, shape, alpha);
        }
        with_samples!(pixels, pixels => Self::from_elements(&pixels, shape, alpha, |&[sample]| sample))
    }

    /// The same, where a sample is made of `N` elements.
    pub(crate) fn from_elements<E, const N: usize, T: Sample>(
        elements: &[E],
        shape: [usize; 3],
        alpha: bool,
        sample: impl Fn(&[E; N]) -> T,
    ) -> Self {
        let [channels, height, width] = shape;
        let (elements, _) = elements.as_chunks();
        let planes = |planes: Range<usize>| {
            let mut samples = Vec::with_capacity(planes.len() * height * width);
            for plane in planes {
                let pixels = elements.chunks_exact(channels + usize::from(alpha));
                samples.extend(pixels.map(|pixel| sample(&pixel[plane])));
            }
            T::into_samples(samples)
        };
        Self {
            channels,
            height,
            width,
            samples: planes(0..channels),
            alpha: alpha.then(|| planes(channels..channels + 1)),
        }
    }

    /// From samples stored plane by plane; the last plane is alpha if there is any.
    pub(crate) fn from_planes(mut planes: Samples, shape: [usize; 3], alpha: bool) -> Self {
        let [channels, height, width] = shape;
        let alpha = alpha.then(|| planes.split_off(channels * height * width));
        Self {
            channels,
            height,
            width,
            samples: planes,
            alpha,
        }
    }
}

/// What a file says of an image before its pixels are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// 1 for grey, 3 for red, green and blue; any other number, up to [`MAX_CHANNELS`], for bands that
    /// are no colours.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The kind of [`Raster::samples`].
    pub kind: SampleKind,
    /// Whether there is a [`Raster::alpha`].
    pub alpha: bool,
    /// Images of this kind in the file. Pages that are channels are one.
    pub pages: usize,
}

impl Header {
    /// `[channels, height, width]`.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// Bytes of the decoded samples.
    pub(crate) fn decoded_bytes(&self) -> u64 {
        let planes = self.channels + usize::from(self.alpha);
        let samples = planes as u64 * self.height as u64 * self.width as u64;
        samples * self.kind.bytes() as u64
    }

    /// Refuses an image whose pixels take more than [`MAX_DECODED_BYTES`], where a sample takes
    /// `sample_bytes` while it is decoded.
    pub(crate) fn check_size(&self, sample_bytes: usize, path: &Path) -> Result<(), FileError> {
        let planes = self.channels + usize::from(self.alpha);
        let bytes = [planes, self.height, self.width, sample_bytes]
            .iter()
            .try_fold(1_u64, |bytes, &size| bytes.checked_mul(size as u64));
        match bytes {
            Some(bytes) if bytes <= MAX_DECODED_BYTES => Ok(()),
            _ => Err(FileError::TooLarge {
                path: path.to_owned(),
                width: self.width,
                height: self.height,
                kind: self.kind,
            }),
        }
    }
}
