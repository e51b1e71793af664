//! One thread's part of a forward pass.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Source;
use super::patches::spread_source;
use super::tiles::{BLOCK, Block};
use super::transforms::{FREQUENCIES, column_of, frequencies, gather_tile};
use crate::activation::activate;
use crate::gemm::Product;
use crate::lanes::{load, padded, write};
use crate::output::Unwritten;
use crate::workspace::Workspace;
use crate::{Epilogue, Images};

/// One part of [`forward`].
pub(super) struct Forward<'a> {
    pub(super) images: Images,
    pub(super) sources: &'a [Source<'a>],
    pub(super) transformed: &'a [Workspace],
    pub(super) epilogue: Epilogue<'a>,
    pub(super) tile_rows: Range<usize>,
    pub(super) output: &'a mut Unwritten,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels_out = self.epilogue.bias.len();
        let columns = padded::<S>(channels_out);
        let widest = self.sources.iter().map(|source| source.channels).max();
        let widest = padded::<S>(widest.unwrap_or(0));
        let mut spread = Workspace::new(FREQUENCIES * BLOCK * widest);
        let mut products = Workspace::new(FREQUENCIES * BLOCK * columns);
        let first = self.images.pixels(&self.tile_rows).start;
        for block in self.images.blocks(self.tile_rows.clone()) {
            let mut written = [false; FREQUENCIES];
            for (source, transformed) in self.sources.iter().zip(self.transformed) {
                spread_source(simd, self.images, source, &block, &mut spread);
                let stride = padded::<S>(source.channels);
                for (i, frequency) in frequencies(source.taps()).enumerate() {
                    simd.vectorize(Product {
                        size: [block.tiles(), source.channels, columns],
                        a: &spread[i * BLOCK * stride..],
                        a_strides: [stride, 1],
                        b: &transformed[i * source.channels * columns..],
                        b_stride: columns,
                        c: &mut products[frequency * BLOCK * columns..],
                        c_stride: columns,
                        accumulate: written[frequency],
                    });
                    written[frequency] = true;
                }
            }
            for (frequency, written) in written.into_iter().enumerate() {
                if !written {
                    products[frequency * BLOCK * columns..][..BLOCK * columns].fill(0.0);
                }
            }
            finish(
                simd,
                self.images,
                self.epilogue,
                &block,
                &products,
                first,
                self.output,
            );
        }
    }
}

/// `Y = A^T M A`, bias and activation, written to the images from pixel `first` on.
#[inline(always)]
fn finish<S: Simd>(
    simd: S,
    images: Images,
    epilogue: Epilogue,
    block: &Block,
    products: &[f32],
    first: usize,
    output: &mut Unwritten,
) {
    let channels = epilogue.bias.len();
    let stride = padded::<S>(channels);
    let zero = simd.splat_f32s(0.0);
    let mut tile = 0;
    for tile_row in block.rows.clone() {
        let start = images.pixels(&(tile_row..tile_row + 1));
        let lines = start.len() / images.width;
        for channel in (0..channels).step_by(S::F32_LANES) {
            let bias = load(simd, epilogue.bias, channel);
            let slope = load(simd, epilogue.slope, channel);
            for (i, x) in block.columns.clone().enumerate() {
                let mut halves = [[zero; 2]; 4];
                for (row, half) in halves.iter_mut().enumerate() {
                    let mut values = [zero; 4];
                    for (column, value) in values.iter_mut().enumerate() {
                        let at = ((4 * row + column) * BLOCK + tile + i) * stride + channel;
                        *value = load(simd, products, at);
                    }
                    *half = gather_tile(simd, values);
                }
                for column in 0..2.min(images.width - 2 * x) {
                    let values = gather_tile(simd, column_of(&halves, column));
                    for (line, value) in values.into_iter().enumerate().take(lines) {
                        let z = simd.add_f32s(value, bias);
                        let y = activate(simd, z, slope);
                        let pixel = start.start - first + line * images.width + 2 * x + column;
                        let pixel = &mut output[pixel * channels..(pixel + 1) * channels];
                        write(simd, pixel, channel, y);
                    }
                }
            }
        }
        tile += block.columns.len();
    }
}
