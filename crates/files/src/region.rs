//! Parts of images.

use crate::{Raster, Sample, Samples, with_samples};

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its first row.
    pub top: usize,
    /// Its first column.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Region {
    /// All of an image of `[channels, height, width]`.
    pub fn all([_, height, width]: [usize; 3]) -> Self {
        Self {
            top: 0,
            left: 0,
            height,
            width,
        }
    }

    /// Pixels in it.
    pub fn area(&self) -> usize {
        self.height * self.width
    }

    /// Panics where it reaches beyond an image of `[channels, height, width]`.
    pub(crate) fn assert_within(&self, [_, height, width]: [usize; 3]) {
        assert!(
            self.top + self.height <= height && self.left + self.width <= width,
            "{self:?} of an image of {height}x{width}"
        );
    }
}

impl Raster {
    /// A part of the image.
    ///
    /// # Panics
    /// When it reaches beyond the image.
    #[must_use]
    pub fn cropped(&self, region: Region) -> Self {
        region.assert_within(self.shape());
        let crop = |samples: &Samples| {
            with_samples!(samples, samples => {
                let mut cropped = Vec::with_capacity(samples.len() / (self.height * self.width) * region.area());
                for plane in samples.chunks_exact(self.height * self.width) {
                    let rows = plane.chunks_exact(self.width).skip(region.top).take(region.height);
                    rows.for_each(|row| cropped.extend_from_slice(&row[region.left..][..region.width]));
                }
                Sample::into_samples(cropped)
            })
        };
        Self {
            channels: self.channels,
            height: region.height,
            width: region.width,
            samples: crop(&self.samples),
            alpha: self.alpha.as_ref().map(crop),
        }
    }
}
