//! Transform of the kernels, and its adjoint.

use pulp::{Simd, WithSimd};

use super::Source;
use super::backward::Partial;
use super::transforms::{column_of, frequencies, gather_kernel, kept, spread_kernel};
use crate::lanes::{load, padded, store};
use crate::workspace::Workspace;

/// `U = G g G^T` for each pair of channels.
pub(super) struct TransformWeight<'a> {
    pub(super) weight: &'a [f32],
    pub(super) sources: &'a [Source<'a>],
    pub(super) channels_out: usize,
    /// Whether a row holds the input channels of an output channel, or the reverse.
    pub(super) transposed: bool,
}

impl WithSimd for TransformWeight<'_> {
    /// For each source `[frequencies, rows, padded columns]`.
    type Output = Vec<Workspace>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let channels_in = self
            .sources
            .iter()
            .map(|source| source.channels)
            .sum::<usize>();
        let mut first = 0;
        let mut transformed = vec![];
        for source in self.sources {
            let sizes = if self.transposed {
                [self.channels_out, source.channels]
            } else {
                [source.channels, self.channels_out]
            };
            let strides = if self.transposed {
                [channels_in * 9, 9]
            } else {
                [9, channels_in * 9]
            };
            let weight = &self.weight[first * 9..];
            transformed.push(if source.upsampled {
                transform_weight::<S, 3>(simd, weight, sizes, strides)
            } else {
                transform_weight::<S, 4>(simd, weight, sizes, strides)
            });
            first += source.channels;
        }
        transformed
    }
}

#[inline(always)]
pub(super) fn transform_weight<S: Simd, const N: usize>(
    simd: S,
    weight: &[f32],
    [rows, columns]: [usize; 2],
    strides: [usize; 2],
) -> Workspace {
    let stride = padded::<S>(columns);
    let mut transformed = Workspace::new(N * N * rows * stride);
    // A vector of kernels, element by element.
    let mut kernels = [[0.0; 16]; 9];
    for row in 0..rows {
        for start in (0..columns).step_by(S::F32_LANES) {
            for lane in 0..S::F32_LANES.min(columns - start) {
                let at = row * strides[0] + (start + lane) * strides[1];
                for (element, value) in kernels.iter_mut().zip(&weight[at..at + 9]) {
                    element[lane] = *value;
                }
            }
            let mut half = [[simd.splat_f32s(0.0); 4]; 3];
            for (i, half) in half.iter_mut().enumerate() {
                let mut row = [simd.splat_f32s(0.0); 3];
                for (j, value) in row.iter_mut().enumerate() {
                    *value = load(simd, &kernels[3 * i + j], 0);
                }
                *half = spread_kernel(simd, row);
            }
            for (j, &column) in kept(N).iter().enumerate() {
                let full = spread_kernel(simd, column_of(&half, column));
                for (i, &line) in kept(N).iter().enumerate() {
                    let at = ((i * N + j) * rows + row) * stride;
                    store(simd, &mut transformed[at..at + stride], start, full[line]);
                }
            }
        }
    }
    transformed
}

/// `dg = G^T dU G`, summed over the parts in their order.
pub(super) struct GatherWeight<'a> {
    pub(super) partial: &'a [Partial],
    pub(super) sources: &'a [Source<'a>],
    pub(super) weight: &'a mut [f32],
    pub(super) channels_out: usize,
}

impl WithSimd for GatherWeight<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels_in = self
            .sources
            .iter()
            .map(|source| source.channels)
            .sum::<usize>();
        let columns = padded::<S>(self.channels_out);
        let mut first = 0;
        for (i, source) in self.sources.iter().enumerate() {
            for channel in 0..source.channels {
                for start in (0..self.channels_out).step_by(S::F32_LANES) {
                    let mut sums = [[simd.splat_f32s(0.0); 4]; 4];
                    for (j, frequency) in frequencies(source.taps()).enumerate() {
                        let at = (j * source.channels + channel) * columns;
                        for partial in self.partial {
                            let row = &partial.transformed[i][at..at + columns];
                            let sum = &mut sums[frequency / 4][frequency % 4];
                            *sum = simd.add_f32s(*sum, load(simd, row, start));
                        }
                    }
                    let mut half = [[simd.splat_f32s(0.0); 3]; 4];
                    for (half, sums) in half.iter_mut().zip(sums) {
                        *half = gather_kernel(simd, sums);
                    }
                    let mut kernels = [[0.0; 16]; 9];
                    for column in 0..3 {
                        let lines = gather_kernel(simd, column_of(&half, column));
                        for (row, line) in lines.into_iter().enumerate() {
                            store(simd, &mut kernels[3 * row + column], 0, line);
                        }
                    }
                    for lane in 0..S::F32_LANES.min(self.channels_out - start) {
                        let at = ((start + lane) * channels_in + first + channel) * 9;
                        for (target, kernel) in self.weight[at..at + 9].iter_mut().zip(&kernels) {
                            *target = kernel[lane];
                        }
                    }
                }
            }
            first += source.channels;
        }
    }
}
