//! What the kernels read, the input of a convolution and the gradient at its linear part; and the activation.

use burn_cubecl::cubecl::{self, prelude::*};

use crate::tensors::{Pixel, offset};

/// The value of a tensor `[batch_size, channels, height, width]`.
#[cube]
pub(crate) fn at<F: Float>(
    tensor: &Tensor<F>,
    image: usize,
    channel: usize,
    row: usize,
    column: usize,
) -> F {
    tensor[offset(tensor, image, channel, row, column)]
}

/// `x`, or `cat(upsample(x), skip)`, at a pixel; zero outside of the images.
#[cube]
pub(crate) fn input<F: Float, X: Float, K: Float>(
    x: &Tensor<X>,
    skip: ComptimeOption<&Tensor<K>>,
    pixel: Pixel,
    channel: usize,
    channels: usize,
) -> F {
    let mut value = F::new(0.0);
    if pixel.inside && channel < channels {
        #[comptime]
        match skip {
            ComptimeOption::Some(skip) => {
                let own = x.shape(1);
                if channel < own {
                    let x = at(x, pixel.image, channel, pixel.row / 2, pixel.column / 2);
                    value = F::cast_from(x);
                } else {
                    let skip = at(skip, pixel.image, channel - own, pixel.row, pixel.column);
                    value = F::cast_from(skip);
                }
            }
            ComptimeOption::None => {
                value = F::cast_from(at(x, pixel.image, channel, pixel.row, pixel.column));
            }
        }
    }
    value
}

/// Gradient of the output, and what it was made of, at a pixel and channel.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Gradient<F: Float> {
    /// By the input of the activation.
    pub delta: F,
    /// Share of the gradient by the slope.
    pub by_slope: F,
}

/// The gradient at the linear part of `prelu(z, slope)`, or of its 2x2 max-pooling if `pooled`; zero outside
/// of the images.
///
/// `kept` is `z`. For pooled images it has twice the channels: first `z` of the largest of each 2x2 pixels, then
/// which of the four that is, from 0 to 3.
#[cube]
pub(crate) fn gradient<F: Float, Y: Float>(
    grad: &Tensor<F>,
    kept: &Tensor<Y>,
    slope: &Tensor<F>,
    pixel: Pixel,
    channel: usize,
    #[comptime] pooled: bool,
) -> Gradient<F> {
    let channels = grad.shape(1);
    let mut delta = F::new(0.0);
    let mut by_slope = F::new(0.0);
    if pixel.inside && channel < channels {
        let (mut row, mut column) = (pixel.row, pixel.column);
        let mut largest = true.runtime();
        if comptime!(pooled) {
            row = pixel.row / 2;
            column = pixel.column / 2;
            largest = row < grad.shape(2) && column < grad.shape(3);
            if largest {
                let place = at(kept, pixel.image, channels + channel, row, column);
                largest = place == Y::cast_from(pixel.row % 2 * 2 + pixel.column % 2);
            }
        }
        if largest {
            let z = F::cast_from(at(kept, pixel.image, channel, row, column));
            delta = at(grad, pixel.image, channel, row, column);
            if z <= F::new(0.0) {
                by_slope = delta * z;
                delta *= slope[channel % slope.shape(0)];
            }
        }
    }
    Gradient::<F> { delta, by_slope }
}

/// `prelu(z, slope)`
#[cube]
pub(crate) fn activated<F: Float>(z: F, slope: F) -> F {
    select(z > F::new(0.0), z, z * slope)
}
