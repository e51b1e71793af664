//! Images as encoders take them: pixel by pixel.

use crate::Samples;

/// The planes of a [`Raster`](crate::Raster), those of its colours first and then that of alpha.
pub(super) enum Planes<'a> {
    U8(Picture<'a, u8>),
    U16(Picture<'a, u16>),
    F32(Picture<'a, f32>),
}

impl<'a> Planes<'a> {
    /// Of an image of `[channels, height, width]`, none of which is 0.
    ///
    /// # Panics
    /// When the planes are not as long as the image is large, or that of alpha is of another kind.
    pub fn new(colours: &'a Samples, alpha: Option<&'a Samples>, shape: [usize; 3]) -> Self {
        match (colours, alpha) {
            (Samples::U8(colours), None) => Self::U8(Picture::new(colours, None, shape)),
            (Samples::U16(colours), None) => Self::U16(Picture::new(colours, None, shape)),
            (Samples::F32(colours), None) => Self::F32(Picture::new(colours, None, shape)),
            (Samples::U8(colours), Some(Samples::U8(alpha))) => {
                Self::U8(Picture::new(colours, Some(alpha), shape))
            }
            (Samples::U16(colours), Some(Samples::U16(alpha))) => {
                Self::U16(Picture::new(colours, Some(alpha), shape))
            }
            (Samples::F32(colours), Some(Samples::F32(alpha))) => {
                Self::F32(Picture::new(colours, Some(alpha), shape))
            }
            (colours, Some(alpha)) => panic!(
                "alpha is of {}, expected {} as the colours are",
                alpha.kind(),
                colours.kind()
            ),
        }
    }
}

/// An image of samples of one kind.
pub(super) struct Picture<'a, T> {
    /// Each `[height, width]`.
    pub planes: Vec<&'a [T]>,
    /// Whether the last plane is alpha.
    pub alpha: bool,
    pub width: usize,
    pub height: usize,
}

impl<'a, T: Copy> Picture<'a, T> {
    fn new(colours: &'a [T], alpha: Option<&'a [T]>, shape: [usize; 3]) -> Self {
        let [channels, height, width] = shape;
        let size = height * width;
        assert_eq!(
            colours.len(),
            channels * size,
            "samples of {channels} planes"
        );
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

    /// Grey as RGB of equal channels, for formats that have no grey.
    pub fn into_rgb(mut self) -> Self {
        if self.planes.len() <= 2 {
            let grey = self.planes[0];
            self.planes.splice(..1, [grey; 3]);
        }
        self
    }

    /// All samples, pixel by pixel.
    pub fn pixels(&self) -> Vec<T> {
        let mut pixels = Vec::with_capacity(self.planes.len() * self.width * self.height);
        for y in 0..self.height {
            self.push_row(y, &mut pixels);
        }
        pixels
    }

    /// Appends row `y`, pixel by pixel.
    pub fn push_row(&self, y: usize, pixels: &mut Vec<T>) {
        for at in y * self.width..(y + 1) * self.width {
            pixels.extend(self.planes.iter().map(|plane| plane[at]));
        }
    }
}
