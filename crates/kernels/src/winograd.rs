//! Convolution by a 3x3 kernel, stride 1, padding 1, and its gradients, by Winograd's F(2x2, 3x3).
//!
//! An output tile `Y` of 2x2 pixels comes from an input patch `d` of 4x4 by
//! `Y = A^T [sum over channels of (G g G^T) * (B^T d B)] A`, `*` element by element: 16 products in
//! place of 36 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016). The sum
//! over channels is a matrix product for each of the 16 elements. Gradients are the adjoint of
//! every step, so that forward and backward share the transforms:
//! `dU = sum over tiles of (A dY A^T) * (B^T d B)`, `dg = G^T dU G`, and
//! `dd = B [U * (A dY A^T)] B^T`, added where patches overlap.
//!
//! A source that is to be upsampled by 2 (nearest neighbour) is read as it is. Each tile then covers
//! one of its pixels, whose 4x4 patch has the rows `l[-1], l[0], l[0], l[1]`: the third row of `B^T d`
//! vanishes, and 9 products remain. Sources side by side in the channels add up before `A`, so
//! nothing is upsampled or concatenated in memory.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::gemm::Product;
use crate::lanes::{accumulate, load, padded, store};
use crate::parallel::{parts, split};
use crate::workspace::Workspace;

/// Elements of a transformed tile.
const FREQUENCIES: usize = 16;

/// Tiles that are transformed before their products are taken: many enough for the products to run
/// at full speed, few enough to stay in the second-level cache.
const BLOCK: usize = 64;

/// Rows or columns of a transformed patch that do not vanish: all, or those of an upsampled source.
const fn kept(taps: usize) -> &'static [usize] {
    if taps == 4 { &[0, 1, 2, 3] } else { &[0, 1, 3] }
}

/// A batch of output images; an upsampled source has half the height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Images {
    /// Images in the batch.
    pub batch_size: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
}

/// Some channels of the input, channels-last.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// `[batch_size, height, width, channels]`
    pub values: &'a [f32],
    /// Channels of a pixel.
    pub channels: usize,
    /// Whether each pixel stands for 2x2 of them.
    pub upsampled: bool,
}

impl Source<'_> {
    /// Rows and columns of a patch, as stored.
    fn taps(&self) -> usize {
        if self.upsampled { 3 } else { 4 }
    }

    fn frequencies(&self) -> usize {
        self.taps() * self.taps()
    }
}

/// What follows a convolution: `y = z` where `z > 0`, else `slope * z`, where `z = conv + bias`.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// One value for each output channel.
    pub bias: &'a [f32],
    /// One value for each output channel: 1 makes it linear, 0 a ReLU.
    pub slope: &'a [f32],
}

impl Images {
    /// Rows and columns of tiles in an image.
    fn tiles(&self) -> [usize; 2] {
        [self.height.div_ceil(2), self.width.div_ceil(2)]
    }

    /// Rows of tiles in the batch.
    fn tile_rows(&self) -> usize {
        self.batch_size * self.tiles()[0]
    }

    /// The batch above a range of tile rows, in pixels.
    fn pixels(&self, tile_rows: &Range<usize>) -> Range<usize> {
        let start = |tile_row| {
            let [rows, _] = self.tiles();
            let (image, row) = (tile_row / rows, tile_row % rows);
            (image * self.height + 2 * row) * self.width
        };
        start(tile_rows.start)..start(tile_rows.end)
    }

    /// Cuts tile rows into blocks of about [`BLOCK`] tiles.
    fn blocks(&self, tile_rows: Range<usize>) -> impl Iterator<Item = Block> {
        let [_, columns] = self.tiles();
        let rows = (BLOCK / columns).max(1);
        tile_rows.clone().step_by(rows).flat_map(move |start| {
            let rows = start..tile_rows.end.min(start + rows);
            (0..columns).step_by(BLOCK).map(move |start| Block {
                rows: rows.clone(),
                columns: start..columns.min(start + BLOCK),
            })
        })
    }
}

/// A rectangle of tiles; rows run through the batch.
#[derive(Clone, Debug)]
struct Block {
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Block {
    fn tiles(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}

/// Convolution, bias and activation.
///
/// # Shapes
/// - `sources`: their channels, in this order, are the input's
/// - `weight`: `[channels_out, channels_in, 3, 3]`
/// - output: `[batch_size, height, width, channels_out]`
///
/// # Panics
/// If a length does not fit the others.
pub fn forward(images: Images, sources: &[Source], weight: &[f32], epilogue: Epilogue) -> Vec<f32> {
    let channels_out = epilogue.bias.len();
    check(images, sources, weight, epilogue);
    let transformed = Arch::new().dispatch(TransformWeight {
        weight,
        sources,
        channels_out,
        transposed: false,
    });
    let mut output = vec![0.0; images.batch_size * images.height * images.width * channels_out];
    let parts: Vec<_> = parts(images.tile_rows()).collect();
    let pieces = split(
        &mut output,
        parts
            .iter()
            .map(|part| images.pixels(part).len() * channels_out),
    );
    let work: Vec<_> = parts.into_iter().zip(pieces).collect();
    work.into_par_iter().for_each(|(tile_rows, output)| {
        Arch::new().dispatch(Forward {
            images,
            sources,
            transformed: &transformed,
            epilogue,
            tile_rows,
            output,
        });
    });
    output
}

/// Gradients of [`forward`].
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Of each source, where wanted.
    pub sources: Vec<Option<Vec<f32>>>,
    /// `[channels_out, channels_in, 3, 3]`
    pub weight: Vec<f32>,
    /// One value for each output channel.
    pub bias: Vec<f32>,
    /// One value for each output channel.
    pub slope: Vec<f32>,
}

/// What a backward pass knows of the output.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a> {
    /// Has the sign of `z`; `inverse * output` is `z` where that is not positive.
    pub output: &'a [f32],
    /// One value for each output channel: 1 if `output` is `z`, `1 / slope` if it is `y`.
    pub inverse: &'a [f32],
    /// One value for each output channel.
    pub slope: &'a [f32],
    /// Gradient of the loss by the output.
    pub grad: &'a [f32],
}

/// Gradients by every source that is `wanted`, by weight, bias and slope.
///
/// # Panics
/// If a length does not fit the others.
pub fn backward(
    images: Images,
    sources: &[Source],
    wanted: &[bool],
    weight: &[f32],
    saved: Saved,
) -> Gradients {
    let channels_out = saved.slope.len();
    let bias = saved.inverse;
    let epilogue = Epilogue {
        bias,
        slope: saved.slope,
    };
    check(images, sources, weight, epilogue);
    assert_eq!(
        sources.len(),
        wanted.len(),
        "expected a wish for each source"
    );
    let pixels = images.batch_size * images.height * images.width;
    assert_eq!(
        saved.output.len(),
        pixels * channels_out,
        "output of another shape"
    );
    assert_eq!(
        saved.grad.len(),
        pixels * channels_out,
        "gradient of another shape"
    );

    let transformed = Arch::new().dispatch(TransformWeight {
        weight,
        sources,
        channels_out,
        transposed: true,
    });
    let mut source_grads: Vec<Option<Vec<f32>>> = sources
        .iter()
        .zip(wanted)
        .map(|(source, wanted)| wanted.then(|| vec![0.0; source.values.len()]))
        .collect();
    let parts: Vec<_> = parts(images.batch_size).collect();
    let mut pieces: Vec<Vec<Option<&mut [f32]>>> = vec![vec![]; parts.len()]
        .into_iter()
        .map(|_: Vec<()>| vec![])
        .collect();
    for (source, grad) in sources.iter().zip(&mut source_grads) {
        match grad {
            Some(grad) => {
                let image = source.values.len() / images.batch_size;
                let lengths = parts.iter().map(|part| part.len() * image);
                for (pieces, piece) in pieces.iter_mut().zip(split(grad, lengths)) {
                    pieces.push(Some(piece));
                }
            }
            None => pieces.iter_mut().for_each(|pieces| pieces.push(None)),
        }
    }
    let work: Vec<_> = parts.into_iter().zip(pieces).collect();
    let partial: Vec<Partial> = work
        .into_par_iter()
        .map(|(batch, source_grads)| {
            Arch::new().dispatch(Backward {
                images,
                sources,
                transformed: &transformed,
                saved,
                batch,
                source_grads,
            })
        })
        .collect();
    let channels_in = sources.iter().map(|source| source.channels).sum::<usize>();
    let mut gradients = Gradients {
        sources: source_grads,
        weight: vec![0.0; channels_out * channels_in * 9],
        bias: vec![0.0; channels_out],
        slope: vec![0.0; channels_out],
    };
    for partial in &partial {
        for (total, sums) in [
            (&mut gradients.bias, &partial.bias),
            (&mut gradients.slope, &partial.slope),
        ] {
            for (total, sum) in total.iter_mut().zip(sums.iter()) {
                *total += sum;
            }
        }
    }
    Arch::new().dispatch(GatherWeight {
        partial: &partial,
        sources,
        weight: &mut gradients.weight,
        channels_out,
    });
    gradients
}

fn check(images: Images, sources: &[Source], weight: &[f32], epilogue: Epilogue) {
    let (channels_out, slopes) = (epilogue.bias.len(), epilogue.slope.len());
    assert_eq!(slopes, channels_out, "expected as many slopes as biases");
    let pixels = images.batch_size * images.height * images.width;
    for source in sources {
        let shrink = if source.upsampled { 4 } else { 1 };
        let even = images.height.is_multiple_of(2) && images.width.is_multiple_of(2);
        assert!(
            even || !source.upsampled,
            "an upsampled source has even sides"
        );
        let expected = pixels / shrink * source.channels;
        assert_eq!(source.values.len(), expected, "source of another shape");
    }
    let channels_in = sources.iter().map(|source| source.channels).sum::<usize>();
    let expected = channels_out * channels_in * 9;
    assert_eq!(weight.len(), expected, "weight of another shape");
}

/// `U = G g G^T` for each pair of channels.
struct TransformWeight<'a> {
    weight: &'a [f32],
    sources: &'a [Source<'a>],
    channels_out: usize,
    /// Whether a row holds the input channels of an output channel, or the reverse.
    transposed: bool,
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
            let sizes = match self.transposed {
                true => [self.channels_out, source.channels],
                false => [source.channels, self.channels_out],
            };
            let strides = match self.transposed {
                true => [channels_in * 9, 9],
                false => [9, channels_in * 9],
            };
            let weight = &self.weight[first * 9..];
            transformed.push(match source.upsampled {
                true => transform_weight::<S, 3>(simd, weight, sizes, strides),
                false => transform_weight::<S, 4>(simd, weight, sizes, strides),
            });
            first += source.channels;
        }
        transformed
    }
}

#[inline(always)]
fn transform_weight<S: Simd, const N: usize>(
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
                let full = spread_kernel(simd, self::column(&half, column));
                for (i, &line) in kept(N).iter().enumerate() {
                    let at = ((i * N + j) * rows + row) * stride;
                    store(simd, &mut transformed[at..at + stride], start, full[line]);
                }
            }
        }
    }
    transformed
}

// Whatever computes with vectors is written as loops: a closure is compiled without the instructions
// that the function around it may use.

/// A column of a matrix.
#[inline(always)]
fn column<T: Copy, const ROWS: usize, const COLUMNS: usize>(
    matrix: &[[T; COLUMNS]; ROWS],
    index: usize,
) -> [T; ROWS] {
    let mut column = [matrix[0][index]; ROWS];
    for (value, row) in column.iter_mut().zip(matrix) {
        *value = row[index];
    }
    column
}

/// `G g`
#[inline(always)]
fn spread_kernel<S: Simd>(simd: S, [a, b, c]: [S::f32s; 3]) -> [S::f32s; 4] {
    let half = simd.splat_f32s(0.5);
    let outer = simd.mul_f32s(half, simd.add_f32s(a, c));
    let inner = simd.mul_f32s(half, b);
    [
        a,
        simd.add_f32s(outer, inner),
        simd.sub_f32s(outer, inner),
        c,
    ]
}

/// `G^T u`
#[inline(always)]
fn gather_kernel<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 3] {
    let half = simd.splat_f32s(0.5);
    let sum = simd.mul_f32s(half, simd.add_f32s(b, c));
    let difference = simd.mul_f32s(half, simd.sub_f32s(b, c));
    [simd.add_f32s(a, sum), difference, simd.add_f32s(sum, d)]
}

/// `B^T d`, or its rows that do not vanish for an upsampled source.
#[inline(always)]
fn spread_patch<S: Simd, const N: usize>(simd: S, d: [S::f32s; N]) -> [S::f32s; N] {
    let mut rows = d;
    if N == 4 {
        rows[0] = simd.sub_f32s(d[0], d[2]);
        rows[1] = simd.add_f32s(d[1], d[2]);
        rows[2] = simd.sub_f32s(d[2], d[1]);
        rows[N - 1] = simd.sub_f32s(d[1], d[N - 1]);
    } else {
        rows[0] = simd.sub_f32s(d[0], d[1]);
        rows[1] = simd.add_f32s(d[1], d[1]);
        rows[2] = simd.sub_f32s(d[1], d[2]);
    }
    rows
}

/// `B v`, the adjoint of [`spread_patch`].
#[inline(always)]
fn gather_patch<S: Simd, const N: usize>(simd: S, v: [S::f32s; N]) -> [S::f32s; N] {
    let mut rows = v;
    if N == 4 {
        rows[1] = simd.add_f32s(simd.sub_f32s(v[1], v[2]), v[N - 1]);
        rows[2] = simd.sub_f32s(simd.add_f32s(v[1], v[2]), v[0]);
        rows[N - 1] = simd.neg_f32s(v[N - 1]);
    } else {
        rows[1] = simd.add_f32s(simd.sub_f32s(simd.add_f32s(v[1], v[1]), v[0]), v[2]);
        rows[2] = simd.neg_f32s(v[2]);
    }
    rows
}

/// `A^T m`
#[inline(always)]
fn gather_tile<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
    let sum = simd.add_f32s(simd.add_f32s(a, b), c);
    let difference = simd.sub_f32s(simd.sub_f32s(b, c), d);
    [sum, difference]
}

/// `A y`, the adjoint of [`gather_tile`].
#[inline(always)]
fn spread_tile<S: Simd>(simd: S, [a, b]: [S::f32s; 2]) -> [S::f32s; 4] {
    [
        a,
        simd.add_f32s(a, b),
        simd.sub_f32s(a, b),
        simd.neg_f32s(b),
    ]
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

    /// Where the rows of pixels under a row of tiles start; nothing for those outside the image.
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
                        let line = spread_patch(simd, column(&columns, row));
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
                        *values = gather_patch(simd, column(&lines, j));
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

/// The frequencies of a source among all.
fn frequencies(taps: usize) -> impl Iterator<Item = usize> {
    let kept = kept(taps);
    kept.iter()
        .flat_map(move |row| kept.iter().map(move |column| 4 * row + column))
}

/// One part of [`forward`].
struct Forward<'a> {
    images: Images,
    sources: &'a [Source<'a>],
    transformed: &'a [Workspace],
    epilogue: Epilogue<'a>,
    tile_rows: Range<usize>,
    output: &'a mut [f32],
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
                match source.upsampled {
                    true => {
                        Patches::<3>::new(self.images, source).spread(simd, &block, &mut spread)
                    }
                    false => {
                        Patches::<4>::new(self.images, source).spread(simd, &block, &mut spread)
                    }
                }
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
    output: &mut [f32],
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
                    let values = gather_tile(simd, self::column(&halves, column));
                    for (line, value) in values.into_iter().enumerate().take(lines) {
                        let z = simd.add_f32s(value, bias);
                        let positive = simd.less_than_f32s(zero, z);
                        let y = simd.select_f32s(positive, z, simd.mul_f32s(slope, z));
                        let pixel = start.start - first + line * images.width + 2 * x + column;
                        let pixel = &mut output[pixel * channels..(pixel + 1) * channels];
                        store(simd, pixel, channel, y);
                    }
                }
            }
        }
        tile += block.columns.len();
    }
}

/// Sums over a part of the batch.
struct Partial {
    /// `dU` of each source: `[frequencies, channels, padded channels_out]`.
    transformed: Vec<Workspace>,
    bias: Workspace,
    slope: Workspace,
}

/// One part of [`backward`].
struct Backward<'a> {
    images: Images,
    sources: &'a [Source<'a>],
    transformed: &'a [Workspace],
    saved: Saved<'a>,
    batch: Range<usize>,
    source_grads: Vec<Option<&'a mut [f32]>>,
}

impl WithSimd for Backward<'_> {
    type Output = Partial;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Partial {
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
            bias: Workspace::zeros(columns),
            slope: Workspace::zeros(columns),
        };
        let [rows, _] = self.images.tiles();
        let tile_rows = self.batch.start * rows..self.batch.end * rows;
        for block in self.images.blocks(tile_rows) {
            let saved = self.saved;
            start(simd, self.images, saved, &block, &mut grads, &mut partial);
            for (i, source) in self.sources.iter().enumerate() {
                match source.upsampled {
                    true => {
                        Patches::<3>::new(self.images, source).spread(simd, &block, &mut spread)
                    }
                    false => {
                        Patches::<4>::new(self.images, source).spread(simd, &block, &mut spread)
                    }
                }
                let stride = padded::<S>(source.channels);
                let sums = &mut partial.transformed[i];
                let wanted = self.source_grads[i].is_some();
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
                if let Some(grad) = &mut self.source_grads[i] {
                    let first = self.batch.start;
                    match source.upsampled {
                        true => Patches::<3>::new(self.images, source)
                            .gather(simd, &block, &spread, first, grad),
                        false => Patches::<4>::new(self.images, source)
                            .gather(simd, &block, &spread, first, grad),
                    }
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
            let slope = load(simd, saved.slope, channel);
            let inverse = load(simd, saved.inverse, channel);
            let mut bias_sum = zero;
            let mut slope_sum = zero;
            for (i, x) in block.columns.clone().enumerate() {
                let mut tile_grads = [[zero; 2]; 2];
                for (line, grads) in tile_grads.iter_mut().enumerate().take(lines) {
                    for (column, grad) in grads.iter_mut().enumerate().take(images.width - 2 * x) {
                        let pixel = pixels.start + line * images.width + 2 * x + column;
                        let at = pixel * channels + channel;
                        let output = load(simd, saved.output, at);
                        let output_grad = load(simd, saved.grad, at);
                        let positive = simd.less_than_f32s(zero, output);
                        let scaled = simd.mul_f32s(slope, output_grad);
                        *grad = simd.select_f32s(positive, output_grad, scaled);
                        bias_sum = simd.add_f32s(bias_sum, *grad);
                        let product = simd.mul_f32s(output, output_grad);
                        let negative = simd.select_f32s(positive, zero, product);
                        slope_sum = simd.add_f32s(slope_sum, negative);
                    }
                }
                let halves = [
                    spread_tile(simd, tile_grads[0]),
                    spread_tile(simd, tile_grads[1]),
                ];
                for column in 0..4 {
                    let values = spread_tile(simd, self::column(&halves, column));
                    for (row, value) in values.into_iter().enumerate() {
                        let at = ((4 * row + column) * BLOCK + tile + i) * stride + channel;
                        store(simd, grads, at, value);
                    }
                }
            }
            accumulate(simd, &mut partial.bias, channel, bias_sum);
            let slope_sum = simd.mul_f32s(slope_sum, inverse);
            accumulate(simd, &mut partial.slope, channel, slope_sum);
        }
        tile += block.columns.len();
    }
}

/// `dg = G^T dU G`, summed over the parts in their order.
struct GatherWeight<'a> {
    partial: &'a [Partial],
    sources: &'a [Source<'a>],
    weight: &'a mut [f32],
    channels_out: usize,
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
                        let lines = gather_kernel(simd, self::column(&half, column));
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
