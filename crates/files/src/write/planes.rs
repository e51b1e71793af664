//! Images as encoders take them: pixel by pixel.

use crate::{Raster, Sample, Samples};

/// The planes of a [`Raster`], those of its colours first and then that of alpha.
pub(super) struct Picture<'a, T> {
    /// Each `[height, width]`.
    pub planes: Vec<&'a [T]>,
    /// Whether the last plane is alpha.
    pub alpha: bool,
    pub width: usize,
    pub height: usize,
}

impl<'a, T: Sample> Picture<'a, T> {
    /// Of an image of `[channels, height, width]`, none of which is 0.
    ///
    /// # Panics
    /// When the planes are not as long as the image is large, or that of alpha is of another kind.
    pub fn new(colours: &'a [T], alpha: Option<&'a Samples>, shape: [usize; 3]) -> Self {
        let [channels, height, width] = shape;
        let size = height * width;
        assert_eq!(
            colours.len(),
            channels * size,
            "samples of {channels} planes"
        );
        let alpha = alpha.map(|alpha| {
            let (found, expected) = (alpha.kind(), T::KIND);
            T::slice(alpha).unwrap_or_else(|| {
                panic!("alpha is of {found}, expected {expected} as the colours are")
            })
        });
        if let Some(alpha) = alpha {
            assert_eq!(alpha.len(), size, "samples of alpha");
        }
        Self {
            planes: colours.chunks_exact(size).chain(alpha).collect(),
            alpha: alpha.is_some(),
            width,
            height,
        }
    }

    /// Of `raster`, whose samples are `colours`.
    ///
    /// # Panics
    /// As for [`new`](Self::new).
    pub fn of(colours: &'a [T], raster: &'a Raster) -> Self {
        Self::new(colours, raster.alpha.as_ref(), raster.shape())
    }

    /// Grey as RGB of equal channels, for formats that have no grey.
    pub fn into_rgb(mut self) -> Self {
        if self.planes.len() <= 2 {
            let grey = self.planes[0];
            self.planes.splice(..1, [grey; 3]);
        }
        self
    }

    /// All samples, pixel by pixel.
    pub fn pixels(&self) -> Pixels<T> {
        let per_pixel = self.planes.len();
        let mut samples = Vec::with_capacity(per_pixel * self.width * self.height);
        for y in 0..self.height {
            self.push_row(y, &mut samples);
        }
        Pixels {
            samples,
            per_pixel,
            width: self.width,
            height: self.height,
        }
    }

    /// Appends row `y`, pixel by pixel.
    pub fn push_row(&self, y: usize, pixels: &mut Vec<T>) {
        for at in y * self.width..(y + 1) * self.width {
            pixels.extend(self.planes.iter().map(|plane| plane[at]));
        }
    }
}

/// An image for encoders that take it whole. The planes are not needed any more.
pub(super) struct Pixels<T> {
    /// Pixel by pixel.
    pub samples: Vec<T>,
    /// Samples of a pixel, alpha among them.
    pub per_pixel: usize,
    pub width: usize,
    pub height: usize,
}
