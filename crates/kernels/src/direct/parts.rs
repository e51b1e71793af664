//! One thread's part of each pass.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::geometry::{BLOCK, Geometry};
use super::patches::{fold, unfold};
use super::weight::{Packed, Sizes};
use crate::activation::{ActivationBackward, ActivationSums, activate};
use crate::gemm::Product;
use crate::lanes::{load, padded, store};
use crate::workspace::Workspace;
use crate::{Epilogue, Saved};

/// Sums over a part of the batch.
pub(super) struct Partial {
    /// `[patch, padded position_channels]`
    pub weight: Workspace,
    pub activation: ActivationSums,
}

/// What each part has: sizes, the packed kernel, and blocks of positions and of their patches.
struct Blocks<'a> {
    geometry: Geometry,
    sizes: Sizes,
    packed: &'a Packed,
    /// `[BLOCK, padded position_channels]`
    rows: Workspace,
    row: usize,
    /// `[BLOCK, padded patch]`
    columns: Workspace,
    column: usize,
}

impl<'a> Blocks<'a> {
    #[inline(always)]
    fn new<S: Simd>(geometry: Geometry, sizes: Sizes, packed: &'a Packed) -> Self {
        let row = padded::<S>(sizes.position_channels);
        let column = padded::<S>(sizes.patch());
        Self {
            geometry,
            sizes,
            packed,
            rows: Workspace::zeros(BLOCK * row),
            row,
            columns: Workspace::zeros(BLOCK * column),
            column,
        }
    }

    /// The positions of an image, a block at a time.
    fn positions(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let count = self.geometry.image_positions();
        (0..count)
            .step_by(BLOCK)
            .map(move |start| start..count.min(start + BLOCK))
    }

    #[inline(always)]
    fn unfold(&mut self, image: &[f32], positions: Range<usize>) {
        let channels = self.sizes.frame_channels;
        unfold(
            &self.geometry,
            channels,
            image,
            positions,
            &mut self.columns,
            self.column,
        );
    }

    #[inline(always)]
    fn fold(&self, positions: Range<usize>, image: &mut [f32]) {
        let channels = self.sizes.frame_channels;
        fold(
            &self.geometry,
            channels,
            &self.columns,
            self.column,
            positions,
            image,
        );
    }

    /// `rows = columns * from_patch`
    #[inline(always)]
    fn rows_from_columns<S: Simd>(&mut self, simd: S, count: usize) {
        simd.vectorize(Product {
            size: [count, self.sizes.patch(), self.row],
            a: &self.columns,
            a_strides: [self.column, 1],
            b: &self.packed.from_patch,
            b_stride: self.row,
            c: &mut self.rows,
            c_stride: self.row,
            accumulate: false,
        });
    }

    /// `columns = rows * to_patch`
    #[inline(always)]
    fn columns_from_rows<S: Simd>(&mut self, simd: S, count: usize) {
        simd.vectorize(Product {
            size: [count, self.sizes.position_channels, self.column],
            a: &self.rows,
            a_strides: [self.row, 1],
            b: &self.packed.to_patch,
            b_stride: self.column,
            c: &mut self.columns,
            c_stride: self.column,
            accumulate: false,
        });
    }

    /// `weight_grad += columns^T * rows`
    #[inline(always)]
    fn add_weight_grad<S: Simd>(&self, simd: S, count: usize, weight_grad: &mut [f32]) {
        simd.vectorize(Product {
            size: [self.sizes.patch(), count, self.row],
            a: &self.columns,
            a_strides: [1, self.column],
            b: &self.rows,
            b_stride: self.row,
            c: weight_grad,
            c_stride: self.row,
            accumulate: true,
        });
    }

    /// Rows of an image's values at these positions.
    #[inline(always)]
    fn read_rows(&mut self, image: &[f32], positions: Range<usize>) {
        let channels = self.sizes.position_channels;
        let values = &image[positions.start * channels..positions.end * channels];
        let rows = self.rows.chunks_exact_mut(self.row);
        for (row, values) in rows.zip(values.chunks_exact(channels)) {
            row[..channels].copy_from_slice(values);
        }
    }

    #[inline(always)]
    fn write_rows(&self, positions: Range<usize>, image: &mut [f32]) {
        let channels = self.sizes.position_channels;
        let values = &mut image[positions.start * channels..positions.end * channels];
        let rows = self.rows.chunks_exact(self.row);
        for (row, values) in rows.zip(values.chunks_exact_mut(channels)) {
            values.copy_from_slice(&row[..channels]);
        }
    }
}

/// `y` of rows of `z`; the rows of the output are shorter by the padding.
#[inline(always)]
fn activate_rows<S: Simd>(
    simd: S,
    rows: &[f32],
    row: usize,
    epilogue: Epilogue,
    output: &mut [f32],
) {
    let channels = epilogue.bias.len();
    for (row, output) in rows
        .chunks_exact(row)
        .zip(output.chunks_exact_mut(channels))
    {
        for channel in (0..channels).step_by(S::F32_LANES) {
            let bias = load(simd, epilogue.bias, channel);
            let slope = load(simd, epilogue.slope, channel);
            let z = simd.add_f32s(load(simd, row, channel), bias);
            store(simd, output, channel, activate(simd, z, slope));
        }
    }
}

/// The gradient by `z` of these pixels, in rows.
#[inline(always)]
fn activate_backward<S: Simd>(
    simd: S,
    saved: Saved,
    pixels: Range<usize>,
    z_grad: &mut [f32],
    row: usize,
    sums: &mut ActivationSums,
) {
    let channels = saved.slope.len();
    for channel in (0..channels).step_by(S::F32_LANES) {
        let mut backward = ActivationBackward::new(simd, saved, channel);
        for (pixel, z_grad) in pixels.clone().zip(z_grad.chunks_exact_mut(row)) {
            let grad = backward.step(simd, saved, pixel * channels + channel);
            store(simd, z_grad, channel, grad);
        }
        backward.finish(simd, saved, channel, sums);
    }
}

/// A convolution of some images.
pub(super) struct Conv<'a> {
    pub geometry: Geometry,
    pub sizes: Sizes,
    pub packed: &'a Packed,
    pub epilogue: Epilogue<'a>,
    pub x: &'a [f32],
    pub output: &'a mut [f32],
}

impl WithSimd for Conv<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut blocks = Blocks::new::<S>(self.geometry, self.sizes, self.packed);
        let channels = self.sizes.position_channels;
        let frames = self
            .x
            .chunks_exact(self.geometry.image_pixels() * self.sizes.frame_channels);
        let outputs = self
            .output
            .chunks_exact_mut(self.geometry.image_positions() * channels);
        for (frame, output) in frames.zip(outputs) {
            for positions in blocks.positions() {
                let output = &mut output[positions.start * channels..positions.end * channels];
                let count = positions.len();
                blocks.unfold(frame, positions);
                blocks.rows_from_columns(simd, count);
                activate_rows(simd, &blocks.rows, blocks.row, self.epilogue, output);
            }
        }
    }
}

/// The gradients of a convolution of some images.
pub(super) struct ConvBackward<'a> {
    pub geometry: Geometry,
    pub sizes: Sizes,
    pub packed: &'a Packed,
    pub saved: Saved<'a>,
    pub batch: Range<usize>,
    pub x: &'a [f32],
    /// Of these images only.
    pub x_grad: Option<&'a mut [f32]>,
}

impl WithSimd for ConvBackward<'_> {
    type Output = Partial;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Partial {
        let mut blocks = Blocks::new::<S>(self.geometry, self.sizes, self.packed);
        let mut partial = Partial::new(&blocks, blocks.row);
        let frame = self.geometry.image_pixels() * self.sizes.frame_channels;
        for (i, image) in self.batch.clone().enumerate() {
            let first = image * self.geometry.image_positions();
            for positions in blocks.positions() {
                let pixels = first + positions.start..first + positions.end;
                let (row, count) = (blocks.row, positions.len());
                let sums = &mut partial.activation;
                activate_backward(simd, self.saved, pixels, &mut blocks.rows, row, sums);
                blocks.unfold(
                    &self.x[image * frame..(image + 1) * frame],
                    positions.clone(),
                );
                blocks.add_weight_grad(simd, count, &mut partial.weight);
                if let Some(x_grad) = &mut self.x_grad {
                    blocks.columns_from_rows(simd, count);
                    blocks.fold(positions, &mut x_grad[i * frame..(i + 1) * frame]);
                }
            }
        }
        partial
    }
}

/// A transposed convolution of some images, whose output starts from zeros.
pub(super) struct ConvTranspose<'a> {
    pub geometry: Geometry,
    pub sizes: Sizes,
    pub packed: &'a Packed,
    pub epilogue: Epilogue<'a>,
    pub x: &'a [f32],
    pub output: &'a mut [f32],
}

impl WithSimd for ConvTranspose<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut blocks = Blocks::new::<S>(self.geometry, self.sizes, self.packed);
        let channels = self.sizes.frame_channels;
        let images = self
            .x
            .chunks_exact(self.geometry.image_positions() * self.sizes.position_channels);
        let outputs = self
            .output
            .chunks_exact_mut(self.geometry.image_pixels() * channels);
        let mut z = Workspace::new(self.geometry.image_pixels() * channels);
        for (image, output) in images.zip(outputs) {
            z.fill(0.0);
            for positions in blocks.positions() {
                blocks.read_rows(image, positions.clone());
                blocks.columns_from_rows(simd, positions.len());
                blocks.fold(positions, &mut z);
            }
            activate_rows(simd, &z, channels, self.epilogue, output);
        }
    }
}

/// The gradients of a transposed convolution of some images.
pub(super) struct ConvTransposeBackward<'a> {
    pub geometry: Geometry,
    pub sizes: Sizes,
    pub packed: &'a Packed,
    pub saved: Saved<'a>,
    pub batch: Range<usize>,
    pub x: &'a [f32],
    /// Of these images only.
    pub x_grad: Option<&'a mut [f32]>,
}

impl WithSimd for ConvTransposeBackward<'_> {
    type Output = Partial;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Partial {
        let mut blocks = Blocks::new::<S>(self.geometry, self.sizes, self.packed);
        let channels = self.sizes.frame_channels;
        let mut partial = Partial::new(&blocks, padded::<S>(channels));
        let image_size = self.geometry.image_positions() * self.sizes.position_channels;
        let pixels = self.geometry.image_pixels();
        let mut z_grad = Workspace::new(pixels * channels);
        for (i, image) in self.batch.clone().enumerate() {
            let frame = image * pixels..(image + 1) * pixels;
            let sums = &mut partial.activation;
            activate_backward(simd, self.saved, frame, &mut z_grad, channels, sums);
            for positions in blocks.positions() {
                let count = positions.len();
                blocks.unfold(&z_grad, positions.clone());
                let x = &self.x[image * image_size..(image + 1) * image_size];
                blocks.read_rows(x, positions.clone());
                blocks.add_weight_grad(simd, count, &mut partial.weight);
                if let Some(x_grad) = &mut self.x_grad {
                    blocks.rows_from_columns(simd, count);
                    blocks.write_rows(positions, &mut x_grad[i * image_size..(i + 1) * image_size]);
                }
            }
        }
        partial
    }
}

impl Partial {
    fn new(blocks: &Blocks, padded_channels: usize) -> Self {
        Self {
            weight: Workspace::zeros(blocks.sizes.patch() * blocks.row),
            activation: ActivationSums::new(padded_channels),
        }
    }
}
