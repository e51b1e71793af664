//! Receptive fields, traced backwards from an output pixel, layer by layer.

/// A range of pixels along an axis, at any resolution.
///
/// Each method maps the pixels that a layer writes to those that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    first: i64,
    last: i64,
}

impl Span {
    /// A single pixel.
    pub fn new(pixel: i64) -> Self {
        Self {
            first: pixel,
            last: pixel,
        }
    }

    /// Pixels read by a convolution of stride 1 that reaches `radius` pixels to either side.
    pub fn convolution(self, radius: i64) -> Self {
        Self {
            first: self.first - radius,
            last: self.last + radius,
        }
    }

    /// Pixels read by an upsampling by 2: nearest neighbour, or a transposed 2x2 convolution of stride 2.
    pub fn upsampling(self) -> Self {
        Self {
            first: self.first.div_euclid(2),
            last: self.last.div_euclid(2),
        }
    }

    /// Pixels read by a downsampling by 2: 2x2 pooling, or a 2x2 convolution of stride 2.
    pub fn downsampling(self) -> Self {
        Self {
            first: 2 * self.first,
            last: 2 * self.last + 1,
        }
    }

    /// The smallest span that covers both.
    pub fn union(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    /// The largest distance from `pixel`.
    pub(crate) fn radius(self, pixel: i64) -> usize {
        (pixel - self.first).max(self.last - pixel).unsigned_abs() as usize
    }
}
