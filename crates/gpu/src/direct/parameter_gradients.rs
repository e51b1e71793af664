//! The gradients by weight, bias and slope.

use burn_cubecl::cubecl::{self, prelude::*};

use super::Window;
use super::gather::reached;
use crate::sources::gradient;
use crate::tensors::{Pixel, offset};

/// Units of a cube.
pub(super) const UNITS: usize = 64;

/// Sums over every `S`-th line of the images, `S` being the number of rows of `parts`: `[S, P]`, in a row those of
/// weight, bias and slopes. A unit sums for one element of the weight, or for one channel of the output.
#[cube(launch_unchecked)]
pub(super) fn parameter_gradients<F: Float, X: Float, Y: Float>(
    x: &Tensor<X>,
    grad: &Tensor<F>,
    kept: &Tensor<Y>,
    slope: &Tensor<F>,
    parts: &mut Tensor<F>,
    window: Window,
    kernel_height: u32,
    kernel_width: u32,
    #[comptime] transposed: bool,
    #[define(F, X, Y)] _dtypes: [ElemType; 3],
) {
    let (kernel_height, kernel_width) = (kernel_height as usize, kernel_width as usize);
    let (images, channels, channels_out) = (x.shape(0), x.shape(1), grad.shape(1));
    let weights = channels_out * channels * kernel_height * kernel_width;
    let unit = CUBE_POS_X as usize * UNITS + UNIT_POS as usize;
    let part = CUBE_POS_Y as usize;
    let (splits, row) = (parts.shape(0), part * parts.stride(0));
    if unit < weights {
        let (tap, pair) = (
            unit % (kernel_height * kernel_width),
            unit / (kernel_height * kernel_width),
        );
        let (i, j) = (tap / kernel_width, tap % kernel_width);
        let (mut k, mut c) = (pair / channels, pair % channels);
        if comptime!(transposed) {
            c = pair / channels_out;
            k = pair % channels_out;
        }
        // The side with a window for each of its pixels, and the other.
        let (mut height, mut width) = (grad.shape(2), grad.shape(3));
        let (mut rows, mut columns) = (x.shape(2), x.shape(3));
        if comptime!(transposed) {
            height = x.shape(2);
            width = x.shape(3);
            rows = grad.shape(2);
            columns = grad.shape(3);
        }
        let mut sum = F::new(0.0);
        for line in range_stepped(part, images * height, splits) {
            let (image, v) = (line / height, line % height);
            for u in 0..width {
                let other = reached(&window, image, v, u, i, j, rows, columns, false);
                if other.inside {
                    let own = Pixel {
                        image,
                        row: v,
                        column: u,
                        inside: true.runtime(),
                    };
                    if comptime!(transposed) {
                        let value = F::cast_from(x[offset(x, image, c, v, u)]);
                        sum += value * gradient(grad, kept, slope, other, k, false).delta;
                    } else {
                        let value = F::cast_from(x[offset(x, image, c, other.row, other.column)]);
                        sum += value * gradient(grad, kept, slope, own, k, false).delta;
                    }
                }
            }
        }
        parts[row + unit] = sum;
    } else if unit < weights + channels_out {
        let k = unit - weights;
        let (height, width) = (grad.shape(2), grad.shape(3));
        let mut bias_sum = F::new(0.0);
        let mut slope_sum = F::new(0.0);
        for line in range_stepped(part, images * height, splits) {
            for u in 0..width {
                let own = Pixel {
                    image: line / height,
                    row: line % height,
                    column: u,
                    inside: true.runtime(),
                };
                let value = gradient(grad, kept, slope, own, k, false);
                bias_sum += value.delta;
                slope_sum += value.by_slope;
            }
        }
        parts[row + unit] = bias_sum;
        parts[row + unit + channels_out] = slope_sum;
    }
}
