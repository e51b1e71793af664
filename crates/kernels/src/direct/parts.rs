//! One thread's part of each pass.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::geometry::{BLOCK, Geometry};
use super::patches::{fold, unfold};
use super::weight::Sizes;
use crate::activation::{ActivationBackward, ActivationSums, activate};
use crate::gemm::Product;
use crate::lanes::{load, padded, store, write};
use crate::output::{Unwritten, zeroed};
use crate::workspace::Workspace;
use crate::{Epilogue, Saved};

/// Sums over a part of the batch.
pub(super) struct Partial {
    /// `[patch, padded position_channels]`
    pub weight: Workspace,
    pub activation: ActivationSums,
}

impl Partial {
    fn new(blocks: &Blocks, padded_channels: usize) -> Self {
        Self {
            weight: Workspace::zeros(blocks.sizes.patch() * blocks.row),
            activation: ActivationSums::new(padded_channels),
        }
    }
}

/// Sizes of a block: the rows of some positions, and their patches as columns.
#[derive(Clone, Copy)]
struct Blocks {
    geometry: Geometry,
    sizes: Sizes,
    /// Length of a row: the position's channels, padded.
    row: usize,
    /// Length of a patch, padded.
    column: usize,
}

impl Blocks {
    #[inline(always)]
    fn new<S: Simd>(geometry: Geometry, sizes: Sizes) -> Self {
        Self {
            geometry,
            sizes,
            row: padded::<S>(sizes.position_channels),
            column: padded::<S>(sizes.patch()),
        }
    }

    fn rows(&self) -> Workspace {
        Workspace::new(BLOCK * self.row)
    }

    fn columns(&self) -> Workspace {
        Workspace::new(BLOCK * self.column)
    }

    /// The positions of an image, a block at a time.
    fn positions(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let count = self.geometry.image_positions();
        (0..count)
            .step_by(BLOCK)
            .map(move |start| start..count.min(start + BLOCK))
    }

    /// The values of an image at these positions.
    fn values(&self, positions: &Range<usize>) -> Range<usize> {
        let channels = self.sizes.position_channels;
        positions.start * channels..positions.end * channels
    }

    #[inline(always)]
    fn unfold(&self, image: &[f32], positions: Range<usize>, columns: &mut [f32]) {
        let channels = self.sizes.frame_channels;
        unfold(
            &self.geometry,
            channels,
            image,
            positions,
            columns,
            self.column,
        );
    }

    #[inline(always)]
    fn fold(&self, columns: &[f32], positions: Range<usize>, image: &mut [f32]) {
        let channels = self.sizes.frame_channels;
        fold(
            &self.geometry,
            channels,
            columns,
            self.column,
            positions,
            image,
        );
    }

    /// `rows = columns * from_patch`
    #[inline(always)]
    fn rows_from_columns<S: Simd>(
        &self,
        simd: S,
        count: usize,
        columns: &[f32],
        from_patch: &[f32],
        rows: &mut [f32],
    ) {
        simd.vectorize(Product {
            size: [count, self.sizes.patch(), self.row],
            a: columns,
            a_strides: [self.column, 1],
            b: from_patch,
            b_stride: self.row,
            c: rows,
            c_stride: self.row,
            accumulate: false,
        });
    }

    /// `columns = rows * to_patch`, for rows of `stride` values.
    #[inline(always)]
    fn columns_from_rows<S: Simd>(
        &self,
        simd: S,
        count: usize,
        (rows, stride): (&[f32], usize),
        to_patch: &[f32],
        columns: &mut [f32],
    ) {
        simd.vectorize(Product {
            size: [count, self.sizes.position_channels, self.column],
            a: rows,
            a_strides: [stride, 1],
            b: to_patch,
            b_stride: self.column,
            c: columns,
            c_stride: self.column,
            accumulate: false,
        });
    }

    /// `weight_grad += columns^T * rows`
    #[inline(always)]
    fn add_weight_grad<S: Simd>(
        &self,
        simd: S,
        count: usize,
        columns: &[f32],
        rows: &[f32],
        weight_grad: &mut [f32],
    ) {
        simd.vectorize(Product {
            size: [self.sizes.patch(), count, self.row],
            a: columns,
            a_strides: [1, self.column],
            b: rows,
            b_stride: self.row,
            c: weight_grad,
            c_stride: self.row,
            accumulate: true,
        });
    }
}

/// `y` of rows of `z`; the rows of the output are shorter by the padding.
#[inline(always)]
fn activate_rows<S: Simd>(
    simd: S,
    rows: &[f32],
    row: usize,
    epilogue: Epilogue,
    output: &mut Unwritten,
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
            write(simd, output, channel, activate(simd, z, slope));
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
    pub from_patch: &'a [f32],
    pub epilogue: Epilogue<'a>,
    pub x: &'a [f32],
    pub output: &'a mut Unwritten,
}

impl WithSimd for Conv<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let blocks = Blocks::new::<S>(self.geometry, self.sizes);
        let (mut rows, mut columns) = (blocks.rows(), blocks.columns());
        let frame = self.geometry.image_pixels() * self.sizes.frame_channels;
        let output = self.geometry.image_positions() * self.sizes.position_channels;
        let frames = self.x.chunks_exact(frame);
        for (frame, output) in frames.zip(self.output.chunks_exact_mut(output)) {
            for positions in blocks.positions() {
                let output = &mut output[blocks.values(&positions)];
                let count = positions.len();
                blocks.unfold(frame, positions, &mut columns);
                blocks.rows_from_columns(simd, count, &columns, self.from_patch, &mut rows);
                activate_rows(simd, &rows, blocks.row, self.epilogue, output);
            }
        }
    }
}

/// The gradients of a convolution of some images.
pub(super) struct ConvBackward<'a> {
    pub geometry: Geometry,
    pub sizes: Sizes,
    pub to_patch: &'a [f32],
    pub saved: Saved<'a>,
    pub batch: Range<usize>,
    pub x: &'a [f32],
    /// Of these images only.
    pub x_grad: Option<&'a mut Unwritten>,
}

impl WithSimd for ConvBackward<'_> {
    type Output = Partial;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Partial {
        let blocks = Blocks::new::<S>(self.geometry, self.sizes);
        let (mut rows, mut columns) = (blocks.rows(), blocks.columns());
        let mut partial = Partial::new(&blocks, blocks.row);
        let mut x_grad = self.x_grad.map(zeroed);
        let frame = self.geometry.image_pixels() * self.sizes.frame_channels;
        for (i, image) in self.batch.enumerate() {
            let first = image * self.geometry.image_positions();
            let x = &self.x[image * frame..(image + 1) * frame];
            for positions in blocks.positions() {
                let pixels = first + positions.start..first + positions.end;
                let count = positions.len();
                let sums = &mut partial.activation;
                activate_backward(simd, self.saved, pixels, &mut rows, blocks.row, sums);
                blocks.unfold(x, positions.clone(), &mut columns);
                blocks.add_weight_grad(simd, count, &columns, &rows, &mut partial.weight);
                if let Some(x_grad) = &mut x_grad {
                    let rows = (&*rows, blocks.row);
                    blocks.columns_from_rows(simd, count, rows, self.to_patch, &mut columns);
                    blocks.fold(&columns, positions, &mut x_grad[i * frame..(i + 1) * frame]);
                }
            }
        }
        partial
    }
}

/// A transposed convolution of some images.
pub(super) struct ConvTranspose<'a> {
    pub geometry: Geometry,
    pub sizes: Sizes,
    pub to_patch: &'a [f32],
    pub epilogue: Epilogue<'a>,
    pub x: &'a [f32],
    pub output: &'a mut Unwritten,
}

impl WithSimd for ConvTranspose<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let blocks = Blocks::new::<S>(self.geometry, self.sizes);
        let mut columns = blocks.columns();
        let channels = self.sizes.frame_channels;
        let image = self.geometry.image_positions() * self.sizes.position_channels;
        let frame = self.geometry.image_pixels() * channels;
        let mut z = Workspace::new(frame);
        let images = self.x.chunks_exact(image);
        for (x, output) in images.zip(self.output.chunks_exact_mut(frame)) {
            z.fill(0.0);
            for positions in blocks.positions() {
                let rows = (&x[blocks.values(&positions)], self.sizes.position_channels);
                let count = positions.len();
                blocks.columns_from_rows(simd, count, rows, self.to_patch, &mut columns);
                blocks.fold(&columns, positions, &mut z);
            }
            activate_rows(simd, &z, channels, self.epilogue, output);
        }
    }
}

/// The gradients of a transposed convolution of some images.
pub(super) struct ConvTransposeBackward<'a> {
    pub geometry: Geometry,
    pub sizes: Sizes,
    pub from_patch: &'a [f32],
    pub saved: Saved<'a>,
    pub batch: Range<usize>,
    pub x: &'a [f32],
    /// Of these images only.
    pub x_grad: Option<&'a mut Unwritten>,
}

impl WithSimd for ConvTransposeBackward<'_> {
    type Output = Partial;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Partial {
        let blocks = Blocks::new::<S>(self.geometry, self.sizes);
        let (mut rows, mut columns) = (blocks.rows(), blocks.columns());
        let channels = self.sizes.frame_channels;
        let mut partial = Partial::new(&blocks, padded::<S>(channels));
        let image_values = self.geometry.image_positions() * self.sizes.position_channels;
        let pixels = self.geometry.image_pixels();
        let mut z_grad = Workspace::new(pixels * channels);
        for (i, image) in self.batch.enumerate() {
            let frame = image * pixels..(image + 1) * pixels;
            let sums = &mut partial.activation;
            activate_backward(simd, self.saved, frame, &mut z_grad, channels, sums);
            let x = &self.x[image * image_values..(image + 1) * image_values];
            for positions in blocks.positions() {
                let count = positions.len();
                let values = blocks.values(&positions);
                blocks.unfold(&z_grad, positions, &mut columns);
                read_rows(
                    &x[values.clone()],
                    &mut rows,
                    self.sizes.position_channels,
                    blocks.row,
                );
                blocks.add_weight_grad(simd, count, &columns, &rows, &mut partial.weight);
                if let Some(x_grad) = &mut self.x_grad {
                    blocks.rows_from_columns(simd, count, &columns, self.from_patch, &mut rows);
                    let x_grad = &mut x_grad[i * image_values..(i + 1) * image_values][values];
                    write_rows(&rows, blocks.row, x_grad, self.sizes.position_channels);
                }
            }
        }
        partial
    }
}

fn read_rows(values: &[f32], rows: &mut [f32], channels: usize, row: usize) {
    let rows = rows.chunks_exact_mut(row);
    for (row, values) in rows.zip(values.chunks_exact(channels)) {
        row[..channels].copy_from_slice(values);
    }
}

fn write_rows(rows: &[f32], row: usize, values: &mut Unwritten, channels: usize) {
    let rows = rows.chunks_exact(row);
    for (row, values) in rows.zip(values.chunks_exact_mut(channels)) {
        values.write_copy_of_slice(&row[..channels]);
    }
}
