//! The kernel as the matrices of the products.

use pulp::{Simd, WithSimd};

use crate::lanes::padded;
use crate::workspace::Workspace;

/// Sizes of a kernel `[position_channels, frame_channels, taps]`.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// Channels at a position: a convolution's output, a transposed convolution's input.
    pub position_channels: usize,
    /// Channels of the frame.
    pub frame_channels: usize,
    pub taps: usize,
}

impl Sizes {
    /// Values of an unfolded patch.
    pub fn patch(&self) -> usize {
        self.taps * self.frame_channels
    }

    /// Values of the kernel.
    pub fn count(&self) -> usize {
        self.patch() * self.position_channels
    }

    /// Calls `visit` with a position's channel, an element of a patch and where their weight is.
    #[inline(always)]
    fn each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let mut at = 0;
        for position_channel in 0..self.position_channels {
            for frame_channel in 0..self.frame_channels {
                for tap in 0..self.taps {
                    let element = tap * self.frame_channels + frame_channel;
                    visit(position_channel, element, at);
                    at += 1;
                }
            }
        }
    }
}

/// What a product of unfolded patches takes, and what gives them back.
pub(super) struct PackWeight<'a> {
    pub weight: &'a [f32],
    pub sizes: Sizes,
}

/// A kernel as two matrices.
pub(super) struct Packed {
    /// `[patch, padded position_channels]`
    pub from_patch: Workspace,
    /// `[position_channels, padded patch]`
    pub to_patch: Workspace,
}

impl WithSimd for PackWeight<'_> {
    type Output = Packed;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Packed {
        let Self { weight, sizes } = self;
        let columns = padded::<S>(sizes.position_channels);
        let patch = padded::<S>(sizes.patch());
        let mut packed = Packed {
            from_patch: Workspace::zeros(sizes.patch() * columns),
            to_patch: Workspace::zeros(sizes.position_channels * patch),
        };
        let (from_patch, to_patch) = (&mut *packed.from_patch, &mut *packed.to_patch);
        sizes.each(|channel, element, at| {
            from_patch[element * columns + channel] = weight[at];
            to_patch[channel * patch + element] = weight[at];
        });
        packed
    }
}

/// The gradient by a kernel from those by `from_patch` of each part, added in their order.
pub(super) struct UnpackWeight<'a> {
    pub partial: &'a [&'a Workspace],
    pub sizes: Sizes,
    pub weight: &'a mut [f32],
}

impl WithSimd for UnpackWeight<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self {
            partial,
            sizes,
            weight,
        } = self;
        let columns = padded::<S>(sizes.position_channels);
        for partial in partial {
            sizes.each(|channel, element, at| weight[at] += partial[element * columns + channel]);
        }
    }
}
