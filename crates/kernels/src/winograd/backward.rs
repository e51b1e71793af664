//! One thread's part of a backward pass.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Source;
use super::patches::{gather_source, spread_source};
use super::tiles::{BLOCK, Block};
use super::transforms::{FREQUENCIES, column_of, frequencies, spread_tile};
use crate::activation::{ActivationBackward, ActivationSums};
use crate::gemm::Product;
use crate::lanes::{padded, store};
use crate::output::{Unwritten, zeroed};
use crate::workspace::Workspace;
use crate::{Images, Saved};

/// Sums over a part of the batch.
pub(super) struct Partial {
    /// `dU` of each source: `[frequencies, channels, padded channels_out]`.
    pub(super) transformed: Vec<Workspace>,
    pub(super) activation: ActivationSums,
}

/// One part of [`backward`].
pub(super) struct Backward<'a> {
    pub(super) images: Images,
    pub(super) sources: &'a [Source<'a>],
    pub(super) transformed: &'a [Workspace],
    pub(super) saved: Saved<'a>,
    pub(super) batch: Range<usize>,
    pub(super) source_grads: Vec<Option<&'a mut Unwritten>>,
}

impl WithSimd for Backward<'_> {
    type Output = Partial;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Partial {
        let mut source_grads: Vec<Option<&mut [f32]>> = vec![];
        for grad in self.source_grads {
            source_grads.push(grad.map(zeroed));
        }
        let channels_out = self.saved.slope.len();
        let columns = padded::<S>(channels_out);
        let widest = self.sources.iter().map(|source| source.channels).max();
        let widest = padded::<S>(widest.unwrap_or(0));
        let mut spread = Workspace::new(FREQUENCIES * BLOCK * widest);
        let mut grads = Workspace::new(FREQUENCIES * BLOCK * columns);
        let mut partial = Partial {
            transformed: self
                .sources
                .iter()
                .map(|source| Workspace::zeros(source.frequencies() * source.channels * columns))
                .collect(),
            activation: ActivationSums::new(columns),
        };
        let [rows, _] = self.images.tiles();
        let tile_rows = self.batch.start * rows..self.batch.end * rows;
        for block in self.images.blocks(tile_rows) {
            let saved = self.saved;
            start(simd, self.images, saved, &block, &mut grads, &mut partial);
            for (i, source) in self.sources.iter().enumerate() {
                spread_source(simd, self.images, source, &block, &mut spread);
                let stride = padded::<S>(source.channels);
                let sums = &mut partial.transformed[i];
                let wanted = source_grads[i].is_some();
                for (j, frequency) in frequencies(source.taps()).enumerate() {
                    let grads = &grads[frequency * BLOCK * columns..];
                    let values = &mut spread[j * BLOCK * stride..(j + 1) * BLOCK * stride];
                    simd.vectorize(Product {
                        size: [source.channels, block.tiles(), columns],
                        a: values,
                        a_strides: [1, stride],
                        b: grads,
                        b_stride: columns,
                        c: &mut sums[j * source.channels * columns..],
                        c_stride: columns,
                        accumulate: true,
                    });
                    if wanted {
                        simd.vectorize(Product {
                            size: [block.tiles(), channels_out, stride],
                            a: grads,
                            a_strides: [columns, 1],
                            b: &self.transformed[i][j * channels_out * stride..],
                            b_stride: stride,
                            c: values,
                            c_stride: stride,
                            accumulate: false,
                        });
                    }
                }
                if let Some(grad) = &mut source_grads[i] {
                    let first = self.batch.start;
                    gather_source(simd, self.images, source, &block, &spread, (grad, first));
                }
            }
        }
        partial
    }
}

/// `A dZ A^T` from the gradient of the output; adds up the gradients of bias and slope.
#[inline(always)]
fn start<S: Simd>(
    simd: S,
    images: Images,
    saved: Saved,
    block: &Block,
    grads: &mut [f32],
    partial: &mut Partial,
) {
    let channels = saved.slope.len();
    let stride = padded::<S>(channels);
    let zero = simd.splat_f32s(0.0);
    let mut tile = 0;
    for tile_row in block.rows.clone() {
        let pixels = images.pixels(&(tile_row..tile_row + 1));
        let lines = pixels.len() / images.width;
        for channel in (0..channels).step_by(S::F32_LANES) {
            let mut backward = ActivationBackward::new(simd, saved, channel);
            for (i, x) in block.columns.clone().enumerate() {
                let mut tile_grads = [[zero; 2]; 2];
                for (line, grads) in tile_grads.iter_mut().enumerate().take(lines) {
                    for (column, grad) in grads.iter_mut().enumerate().take(images.width - 2 * x) {
                        let pixel = pixels.start + line * images.width + 2 * x + column;
                        let at = pixel * channels + channel;
                        *grad = backward.step(simd, saved, at);
                    }
                }
                let halves = [
                    spread_tile(simd, tile_grads[0]),
                    spread_tile(simd, tile_grads[1]),
                ];
                for column in 0..4 {
                    let values = spread_tile(simd, column_of(&halves, column));
                    for (row, value) in values.into_iter().enumerate() {
                        let at = ((4 * row + column) * BLOCK + tile + i) * stride + channel;
                        store(simd, grads, at, value);
                    }
                }
            }
            backward.finish(simd, saved, channel, &mut partial.activation);
        }
        tile += block.columns.len();
    }
}
