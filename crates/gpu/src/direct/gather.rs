//! Values gathered from the pixels that a window, or a transposed one, reaches.

use burn_cubecl::cubecl::{self, prelude::*};

use super::Window;
use crate::sources::{activated, gradient};
use crate::tensors::{Pixel, offset};

/// See [`super::convolution`].
#[cube(launch_unchecked)]
pub(super) fn convolution<F: Float, X: Float, Y: Float>(
    x: &Tensor<X>,
    weight: &Tensor<F>,
    bias: &Tensor<F>,
    slope: &Tensor<F>,
    y: &mut Tensor<Y>,
    mut kept: ComptimeOption<OwnedTensor<Y>>,
    window: Window,
    #[comptime] transposed: bool,
    #[define(F, X, Y)] _dtypes: [ElemType; 3],
) {
    let (channels_out, height, width) = (y.shape(1), y.shape(2), y.shape(3));
    if ABSOLUTE_POS >= y.shape(0) * channels_out * height * width {
        terminate!();
    }
    let (k, pixel) = (ABSOLUTE_POS % channels_out, ABSOLUTE_POS / channels_out);
    let (image, v, u) = (
        pixel / width / height,
        pixel / width % height,
        pixel % width,
    );
    let mut z = bias[k];
    for i in 0..weight.shape(2) {
        for j in 0..weight.shape(3) {
            let from = reached(
                &window,
                image,
                v,
                u,
                i,
                j,
                x.shape(2),
                x.shape(3),
                transposed,
            );
            if from.inside {
                for c in 0..x.shape(1) {
                    let value = F::cast_from(x[offset(x, image, c, from.row, from.column)]);
                    let tap = if comptime!(transposed) {
                        offset(weight, c, k, i, j)
                    } else {
                        offset(weight, k, c, i, j)
                    };
                    z += value * weight[tap];
                }
            }
        }
    }
    let at = offset(&*y, image, k, v, u);
    y[at] = Y::cast_from(activated::<F>(z, slope[k % slope.shape(0)]));
    #[comptime]
    match kept.as_mut() {
        ComptimeOption::Some(kept) => {
            let at = offset(&*kept, image, k, v, u);
            kept[at] = Y::cast_from(z);
        }
        ComptimeOption::None => {}
    }
}

/// See [`super::input_gradient`]; `transposed` is the way from the output's gradient to the input's.
#[cube(launch_unchecked)]
pub(super) fn input_gradient<F: Float, Y: Float>(
    grad: &Tensor<F>,
    kept: &Tensor<Y>,
    weight: &Tensor<F>,
    slope: &Tensor<F>,
    x_grad: &mut Tensor<F>,
    window: Window,
    #[comptime] transposed: bool,
    #[define(F, Y)] _dtypes: [ElemType; 2],
) {
    let (channels, height, width) = (x_grad.shape(1), x_grad.shape(2), x_grad.shape(3));
    if ABSOLUTE_POS >= x_grad.shape(0) * channels * height * width {
        terminate!();
    }
    let (c, pixel) = (ABSOLUTE_POS % channels, ABSOLUTE_POS / channels);
    let (image, v, u) = (
        pixel / width / height,
        pixel / width % height,
        pixel % width,
    );
    let mut sum = F::new(0.0);
    for i in 0..weight.shape(2) {
        for j in 0..weight.shape(3) {
            let (rows, columns) = (grad.shape(2), grad.shape(3));
            let from = reached(&window, image, v, u, i, j, rows, columns, transposed);
            if from.inside {
                for k in 0..grad.shape(1) {
                    let value = gradient(grad, kept, slope, from, k, false);
                    let tap = if comptime!(transposed) {
                        offset(weight, k, c, i, j)
                    } else {
                        offset(weight, c, k, i, j)
                    };
                    sum += value.delta * weight[tap];
                }
            }
        }
    }
    let at = offset(&*x_grad, image, c, v, u);
    x_grad[at] = sum;
}

/// The pixel that element `[i, j]` of the window at `[v, u]` reaches; `transposed`, the window that reaches the
/// pixel `[v, u]` by it.
#[cube]
pub(super) fn reached(
    window: &Window,
    image: usize,
    v: usize,
    u: usize,
    i: usize,
    j: usize,
    height: usize,
    width: usize,
    #[comptime] transposed: bool,
) -> Pixel {
    let (stride_y, stride_x) = (window.stride_y as usize, window.stride_x as usize);
    let (padding_y, padding_x) = (window.padding_y as usize, window.padding_x as usize);
    let (step_y, step_x) = (
        i * window.dilation_y as usize,
        j * window.dilation_x as usize,
    );
    if comptime!(transposed) {
        let (row, column) = (v + padding_y, u + padding_x);
        let (from_y, from_x) = (row - step_y, column - step_x);
        Pixel {
            image,
            row: from_y / stride_y,
            column: from_x / stride_x,
            inside: row >= step_y
                && column >= step_x
                && from_y % stride_y == 0
                && from_x % stride_x == 0
                && from_y / stride_y < height
                && from_x / stride_x < width,
        }
    } else {
        let (row, column) = (v * stride_y + step_y, u * stride_x + step_x);
        Pixel {
            image,
            row: row - padding_y,
            column: column - padding_x,
            inside: row >= padding_y
                && column >= padding_x
                && row < padding_y + height
                && column < padding_x + width,
        }
    }
}
