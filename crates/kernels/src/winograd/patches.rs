//! Transform of input patches, and its adjoint.

use pulp::Simd;

use super::Source;
use super::tiles::{BLOCK, Block};
use super::transforms::{column_of, gather_patch, spread_patch};
use crate::Images;
use crate::lanes::{accumulate, load, padded, store};

/// Transforms the patches of a block of tiles: `[frequencies, BLOCK, padded channels]`.
#[inline(always)]
pub(super) fn spread_source<S: Simd>(
    simd: S,
    images: Images,
    source: &Source,
    block: &Block,
    spread: &mut [f32],
) {
    if source.upsampled {
        Patches::<3>::new(images, source).spread(simd, block, spread)
    } else {
        Patches::<4>::new(images, source).spread(simd, block, spread)
    }
}

/// The adjoint: adds to the gradient of the images from `first` on.
#[inline(always)]
pub(super) fn gather_source<S: Simd>(
    simd: S,
    images: Images,
    source: &Source,
    block: &Block,
    spread: &[f32],
    (grad, first): (&mut [f32], usize),
) {
    if source.upsampled {
        Patches::<3>::new(images, source).gather(simd, block, spread, first, grad)
    } else {
        Patches::<4>::new(images, source).gather(simd, block, spread, first, grad)
    }
}

/// The patches of a source, of `N` by `N` stored pixels.
struct Patches<'a, const N: usize> {
    values: &'a [f32],
    height: usize,
    width: usize,
    channels: usize,
    /// Rows of tiles in an image.
    tile_rows: usize,
}

impl<'a, const N: usize> Patches<'a, N> {
    /// Pixels between two patches; each overlaps the next by two.
    const STEP: usize = N - 2;

    fn new(images: Images, source: &Source<'a>) -> Self {
        let shrink = if source.upsampled { 2 } else { 1 };
        Self {
            values: source.values,
            height: images.height / shrink,
            width: images.width / shrink,
            channels: source.channels,
            tile_rows: images.tiles()[0],
        }
    }

    /// Starts of the rows of pixels under a row of tiles; nothing for rows outside of the image.
    #[inline(always)]
    fn rows(&self, tile_row: usize) -> [Option<usize>; N] {
        let (image, row) = (tile_row / self.tile_rows, tile_row % self.tile_rows);
        let mut starts = [None; N];
        for (i, start) in starts.iter_mut().enumerate() {
            let y = (Self::STEP * row + i).wrapping_sub(1);
            if y < self.height {
                *start = Some((image * self.height + y) * self.width * self.channels);
            }
        }
        starts
    }

    /// `B^T d` of a column of pixels, counted from the one before the image.
    #[inline(always)]
    fn column<S: Simd>(
        &self,
        simd: S,
        rows: [&[f32]; N],
        x: usize,
        channel: usize,
    ) -> [S::f32s; N] {
        let mut pixels = [simd.splat_f32s(0.0); N];
        if x > 0 {
            let at = (x - 1) * self.channels + channel;
            for (pixel, row) in pixels.iter_mut().zip(rows) {
                *pixel = load(simd, row, at);
            }
        }
        spread_patch(simd, pixels)
    }

    /// Adds to the pixels of a column, counted from the one before the image.
    #[inline(always)]
    fn add<S: Simd>(
        &self,
        simd: S,
        (grad, first): (&mut [f32], usize),
        rows: [Option<usize>; N],
        x: usize,
        channel: usize,
        values: [S::f32s; N],
    ) {
        if x == 0 || x > self.width {
            return;
        }
        for (row, value) in rows.into_iter().zip(values) {
            if let Some(row) = row {
                let at = row - first + (x - 1) * self.channels;
                let pixel = &mut grad[at..at + self.channels];
                accumulate(simd, pixel, channel, value);
            }
        }
    }

    /// `V = B^T d B` of a block of tiles: `[N * N, BLOCK, padded channels]`.
    #[inline(always)]
    fn spread<S: Simd>(&self, simd: S, block: &Block, spread: &mut [f32]) {
        let stride = padded::<S>(self.channels);
        let mut tile = 0;
        for tile_row in block.rows.clone() {
            let mut rows: [&[f32]; N] = [&[]; N];
            for (row, start) in rows.iter_mut().zip(self.rows(tile_row)) {
                if let Some(start) = start {
                    *row = &self.values[start..start + self.width * self.channels];
                }
            }
            for channel in (0..self.channels).step_by(S::F32_LANES) {
                let first = Self::STEP * block.columns.start;
                let mut columns = [[simd.splat_f32s(0.0); N]; N];
                columns[N - 2] = self.column(simd, rows, first, channel);
                columns[N - 1] = self.column(simd, rows, first + 1, channel);
                for (i, x) in block.columns.clone().enumerate() {
                    columns[0] = columns[N - 2];
                    columns[1] = columns[N - 1];
                    for (j, column) in columns.iter_mut().enumerate().skip(2) {
                        *column = self.column(simd, rows, Self::STEP * x + j, channel);
                    }
                    for row in 0..N {
                        let line = spread_patch(simd, column_of(&columns, row));
                        for (j, value) in line.into_iter().enumerate() {
                            let at = ((row * N + j) * BLOCK + tile + i) * stride + channel;
                            store(simd, spread, at, value);
                        }
                    }
                }
            }
            tile += block.columns.len();
        }
    }

    /// `dd = B dV B^T` of a block of tiles, added to the gradient of the images from `first` on.
    #[inline(always)]
    fn gather<S: Simd>(
        &self,
        simd: S,
        block: &Block,
        spread: &[f32],
        first: usize,
        grad: &mut [f32],
    ) {
        let stride = padded::<S>(self.channels);
        let first = first * self.height * self.width * self.channels;
        let mut tile = 0;
        for tile_row in block.rows.clone() {
            let rows = self.rows(tile_row);
            for channel in (0..self.channels).step_by(S::F32_LANES) {
                let mut carried = [[simd.splat_f32s(0.0); N]; 2];
                for (i, x) in block.columns.clone().enumerate() {
                    let mut lines = [[simd.splat_f32s(0.0); N]; N];
                    for (row, line) in lines.iter_mut().enumerate() {
                        let mut values = [simd.splat_f32s(0.0); N];
                        for (j, value) in values.iter_mut().enumerate() {
                            let at = ((row * N + j) * BLOCK + tile + i) * stride + channel;
                            *value = load(simd, spread, at);
                        }
                        *line = gather_patch(simd, values);
                    }
                    let mut columns = [[simd.splat_f32s(0.0); N]; N];
                    for (j, values) in columns.iter_mut().enumerate() {
                        *values = gather_patch(simd, column_of(&lines, j));
                    }
                    for (values, carried) in columns.iter_mut().zip(carried) {
                        for (value, carried) in values.iter_mut().zip(carried) {
                            *value = simd.add_f32s(*value, carried);
                        }
                    }
                    for (j, values) in columns.into_iter().enumerate().take(Self::STEP) {
                        let x = Self::STEP * x + j;
                        self.add(simd, (grad, first), rows, x, channel, values);
                    }
                    carried = [columns[N - 2], columns[N - 1]];
                }
                for (j, values) in carried.into_iter().enumerate() {
                    let x = Self::STEP * block.columns.end + j;
                    self.add(simd, (grad, first), rows, x, channel, values);
                }
            }
            tile += block.columns.len();
        }
    }
}
