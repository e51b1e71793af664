//! Places of a kernel's taps in a frame.

use std::ops::Range;

use crate::Images;

/// Positions that are unfolded before their product is taken: the largest number that stays in the
/// second-level cache, for products at full speed.
pub(super) const BLOCK: usize = 64;

/// A kernel that moves over a frame; each of its positions is a pixel of the other side's images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// A convolution's input, a transposed convolution's output.
    pub frame: Images,
    /// Rows and columns of positions.
    pub positions: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Rows and columns from a position to the next.
    pub stride: [usize; 2],
    /// Rows and columns from a tap to the next.
    pub dilation: [usize; 2],
    /// Zeros before the first row and column.
    pub padding: [usize; 2],
}

/// Taps that lie side by side, in a row of unfolded values and in the frame.
pub(super) struct Run {
    /// Values of the unfolded row.
    pub columns: Range<usize>,
    /// Their start in the frame's image; nothing outside of it, which reads 0.
    pub frame: Option<usize>,
}

impl Geometry {
    /// Elements of the kernel.
    pub(super) fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// Positions in one image.
    pub(super) fn image_positions(&self) -> usize {
        self.positions.iter().product()
    }

    /// Pixels of one image of the frame.
    pub(super) fn image_pixels(&self) -> usize {
        self.frame.height * self.frame.width
    }

    /// The taps of one position of an image.
    #[inline(always)]
    pub(super) fn runs(&self, position: usize, channels: usize) -> Runs<'_> {
        Runs {
            geometry: self,
            channels,
            corner: [
                position / self.positions[1] * self.stride[0],
                position % self.positions[1] * self.stride[1],
            ],
            tap: [0, 0],
        }
    }
}

/// See [`Geometry::runs`].
pub(super) struct Runs<'a> {
    geometry: &'a Geometry,
    channels: usize,
    corner: [usize; 2],
    tap: [usize; 2],
}

impl Iterator for Runs<'_> {
    type Item = Run;

    #[inline(always)]
    fn next(&mut self) -> Option<Run> {
        let Geometry {
            frame,
            kernel,
            dilation,
            padding,
            ..
        } = *self.geometry;
        let [i, j] = self.tap;
        if i == kernel[0] {
            return None;
        }
        // Outside of the image the subtraction wraps to an offset beyond any image.
        let row = (self.corner[0] + i * dilation[0]).wrapping_sub(padding[0]);
        let column = (self.corner[1] + j * dilation[1]).wrapping_sub(padding[1]);
        let whole_row =
            j == 0 && dilation[1] == 1 && column < frame.width && kernel[1] <= frame.width - column;
        let taps = if whole_row { kernel[1] } else { 1 };
        let start = (i * kernel[1] + j) * self.channels;
        self.tap = if j + taps < kernel[1] {
            [i, j + taps]
        } else {
            [i + 1, 0]
        };
        let inside = row < frame.height && column < frame.width;
        let at = row.wrapping_mul(frame.width).wrapping_add(column);
        Some(Run {
            columns: start..start + taps * self.channels,
            frame: inside.then_some(at.wrapping_mul(self.channels)),
        })
    }
}
