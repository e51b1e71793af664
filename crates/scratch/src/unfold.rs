//! Unfold (im2col) and its adjoint, fold (col2im).
//!
//! Both come in two steps: *framing* an image to exactly the extent that the kernel's positions cover, and
//! moving windows of that frame to columns. Each step has its adjoint beside it.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::ops::PadMode;
use burn::tensor::{Shape, Slice};

use crate::ConvGeometry;
use crate::geometry::Overlap;

/// Columns of a frame: `columns[(c, i, j), (n, y, x)] = frame[n, c, s*y + d*i, s*x + d*j]`.
///
/// # Shapes
/// - `frame`: `[batch_size, channels, height, width]`, with exactly the extent of the geometry
/// - output: `[channels * kernel_height * kernel_width, batch_size * height_out * width_out]`
pub(crate) fn unfold<B: Backend>(frame: FloatTensor<B>, geometry: ConvGeometry) -> FloatTensor<B> {
    let [batch_size, channels, height, width] = frame.shape().dims();
    let [height_out, width_out] = geometry.positions([height, width]);
    let [kernel_height, kernel_width] = geometry.kernel_size();
    let windows = windows::<B>(frame, 2, 0, &geometry); // [N, C, H_out, W, h]
    let windows = self::windows::<B>(windows, 3, 1, &geometry); // [N, C, H_out, W_out, h, w]
    let columns = B::float_permute(windows, &[1, 4, 5, 0, 2, 3]); // [C, h, w, N, H_out, W_out]
    let rows = channels * kernel_height * kernel_width;
    B::float_reshape(
        columns,
        Shape::new([rows, batch_size * height_out * width_out]),
    )
}

/// Windows along `dim`, appended as the last dimension: taps `dilation` apart, windows `stride`.
fn windows<B: Backend>(
    x: FloatTensor<B>,
    dim: usize,
    axis: usize,
    geometry: &ConvGeometry,
) -> FloatTensor<B> {
    let dilation = geometry.dilation()[axis];
    let span = dilation * (geometry.kernel_size()[axis] - 1) + 1;
    let windows = B::float_unfold(x, dim, span, geometry.stride()[axis]);
    if dilation == 1 {
        return windows;
    }
    let shape = windows.shape();
    let mut slices = full(&shape);
    slices[shape.num_dims() - 1] = Slice::from_range_stepped(0..span, dilation as isize);
    B::float_slice(windows, &slices)
}

/// Adjoint of [`unfold`]: `frame[n, c, u, v] = sum of columns[(c, i, j), (n, y, x)]` over all taps
/// and positions with `s*y + d*i = u` and `s*x + d*j = v`. What none reaches is zero.
///
/// # Shapes
/// - `columns`: `[channels * kernel_height * kernel_width, batch_size * height_out * width_out]`
/// - output: `[batch_size, channels, height, width]`, where `size = [height, width]` is exactly
///   the extent of the geometry
pub(crate) fn fold<B: Backend>(
    columns: FloatTensor<B>,
    geometry: ConvGeometry,
    size: [usize; 2],
) -> FloatTensor<B> {
    let [height_out, width_out] = geometry.positions(size);
    let [kernel_height, kernel_width] = geometry.kernel_size();
    let [rows, columns_count] = columns.shape().dims();
    let channels = rows / (kernel_height * kernel_width);
    let batch_size = columns_count / (height_out * width_out);
    let taps = Shape::new([
        channels,
        kernel_height,
        kernel_width,
        batch_size,
        height_out,
        width_out,
    ]);
    let taps = B::float_reshape(columns, taps);
    let taps = B::float_permute(taps, &[1, 2, 3, 0, 4, 5]); // [h, w, N, C, H_out, W_out]
    let image = Shape::new([batch_size, channels, height_out, width_out]);

    let device = taps.device();
    let dtype = taps.dtype().into();
    let frame = Shape::new([batch_size, channels, size[0], size[1]]);
    let mut frame = B::float_zeros(frame, &device, dtype);
    for i in 0..kernel_height {
        for j in 0..kernel_width {
            let mut tap = full(&taps.shape());
            tap[0] = Slice::from(i..i + 1);
            tap[1] = Slice::from(j..j + 1);
            let tap = B::float_reshape(B::float_slice(taps.clone(), &tap), image.clone());
            let mut region = full(&frame.shape());
            region[2] = positions(&geometry, 0, i, height_out);
            region[3] = positions(&geometry, 1, j, width_out);
            let sum = B::float_add(B::float_slice(frame.clone(), &region), tap);
            frame = B::float_slice_assign(frame, &region, sum);
        }
    }
    frame
}

/// Where tap number `tap` of an axis lands for `count` positions of the kernel.
fn positions(geometry: &ConvGeometry, axis: usize, tap: usize, count: usize) -> Slice {
    let stride = geometry.stride()[axis];
    let start = geometry.dilation()[axis] * tap;
    let end = start + stride * (count - 1) + 1;
    Slice::from_range_stepped(start..end, stride as isize)
}

/// The part of the zero-padded image that `positions` of the kernel cover, from the first on.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height, width]`
/// - output: `[batch_size, channels, reach_height, reach_width]`
pub(crate) fn frame<B: Backend>(
    x: FloatTensor<B>,
    geometry: &ConvGeometry,
    positions: [usize; 2],
) -> FloatTensor<B> {
    let [batch_size, channels, height, width] = x.shape().dims();
    let overlaps = geometry.overlaps([height, width], positions);
    let Some([rows, columns]) = overlaps else {
        // Every position lies in the padding.
        let [height, width] = geometry.extent(positions);
        let shape = Shape::new([batch_size, channels, height, width]);
        let (device, dtype) = (x.device(), x.dtype().into());
        return B::float_zeros(shape, &device, dtype);
    };
    let x = crop::<B>(x, [0..rows.length, 0..columns.length]);
    pad::<B>(
        x,
        [rows, columns].map(|overlap| (overlap.before, overlap.after)),
    )
}

/// Adjoint of [`frame`], for an image of `size`: the padding is dropped, what lies beyond the
/// extent is zero.
pub(crate) fn unframe<B: Backend>(
    frame: FloatTensor<B>,
    geometry: &ConvGeometry,
    positions: [usize; 2],
    size: [usize; 2],
) -> FloatTensor<B> {
    let [batch_size, channels, _, _] = frame.shape().dims();
    let Some([rows, columns]) = geometry.overlaps(size, positions) else {
        let shape = Shape::new([batch_size, channels, size[0], size[1]]);
        let (device, dtype) = (frame.device(), frame.dtype().into());
        return B::float_zeros(shape, &device, dtype);
    };
    let inside = |overlap: Overlap| overlap.before..overlap.before + overlap.length;
    let x = crop::<B>(frame, [inside(rows), inside(columns)]);
    pad::<B>(
        x,
        [(0, size[0] - rows.length), (0, size[1] - columns.length)],
    )
}

fn crop<B: Backend>(
    x: FloatTensor<B>,
    [rows, columns]: [std::ops::Range<usize>; 2],
) -> FloatTensor<B> {
    let shape = x.shape();
    if rows.len() == shape[2] && columns.len() == shape[3] {
        return x;
    }
    let mut slices = full(&shape);
    slices[2] = Slice::from(rows);
    slices[3] = Slice::from(columns);
    B::float_slice(x, &slices)
}

fn pad<B: Backend>(x: FloatTensor<B>, [rows, columns]: [(usize, usize); 2]) -> FloatTensor<B> {
    if [rows, columns] == [(0, 0), (0, 0)] {
        return x;
    }
    B::float_pad(x, &[(0, 0), (0, 0), rows, columns], PadMode::Constant(0.0))
}

/// Slices that take everything.
pub(crate) fn full(shape: &Shape) -> Vec<Slice> {
    shape.iter().map(|&size| Slice::from(0..size)).collect()
}
