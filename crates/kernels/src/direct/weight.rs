//! The kernel as the matrix of a product.

use pulp::{Simd, WithSimd};

use crate::lanes::{accumulate, load, padded};
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

    /// Offsets of the weights of a channel at a position, for each element of a patch.
    #[inline(always)]
    fn weights(&self, channel: usize, element: usize) -> usize {
        let (tap, frame_channel) = (element / self.frame_channels, element % self.frame_channels);
        (channel * self.frame_channels + frame_channel) * self.taps + tap
    }
}

/// Matrix from patches to rows: `[patch, padded position_channels]`.
pub(super) struct FromPatch<'a> {
    pub weight: &'a [f32],
    pub sizes: Sizes,
}

impl WithSimd for FromPatch<'_> {
    type Output = Workspace;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Workspace {
        let Self { weight, sizes } = self;
        let columns = padded::<S>(sizes.position_channels);
        let mut packed = Workspace::zeros(sizes.patch() * columns);
        for (element, row) in packed.chunks_exact_mut(columns.max(1)).enumerate() {
            for (channel, value) in row[..sizes.position_channels].iter_mut().enumerate() {
                *value = weight[sizes.weights(channel, element)];
            }
        }
        packed
    }
}

/// Matrix from rows to patches: `[position_channels, padded patch]`.
pub(super) struct ToPatch<'a> {
    pub weight: &'a [f32],
    pub sizes: Sizes,
}

impl WithSimd for ToPatch<'_> {
    type Output = Workspace;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Workspace {
        let Self { weight, sizes } = self;
        let columns = padded::<S>(sizes.patch());
        let mut packed = Workspace::zeros(sizes.position_channels * columns);
        let kernels = weight.chunks_exact(sizes.patch().max(1));
        for (row, kernel) in packed.chunks_exact_mut(columns.max(1)).zip(kernels) {
            for (frame_channel, taps) in kernel.chunks_exact(sizes.taps).enumerate() {
                for (tap, value) in taps.iter().enumerate() {
                    row[tap * sizes.frame_channels + frame_channel] = *value;
                }
            }
        }
        packed
    }
}

/// The gradient by a kernel from those by [`FromPatch`] of each part, added in their order.
pub(super) struct UnpackGrad<'a> {
    pub partial: Vec<Workspace>,
    pub sizes: Sizes,
    pub weight: &'a mut [f32],
}

impl WithSimd for UnpackGrad<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            partial,
            sizes,
            weight,
        } = self;
        let mut partial = partial.into_iter();
        let Some(mut sum) = partial.next() else {
            return;
        };
        for partial in partial {
            for at in (0..sum.len()).step_by(S::F32_LANES) {
                accumulate(simd, &mut sum, at, load(simd, &partial, at));
            }
        }
        let columns = padded::<S>(sizes.position_channels);
        let kernels = weight.chunks_exact_mut(sizes.patch().max(1));
        for (channel, kernel) in kernels.enumerate() {
            for (frame_channel, taps) in kernel.chunks_exact_mut(sizes.taps).enumerate() {
                for (tap, value) in taps.iter_mut().enumerate() {
                    let element = tap * sizes.frame_channels + frame_channel;
                    *value = sum[element * columns + channel];
                }
            }
        }
    }
}
