//! Transposed convolution and its gradients: the convolution's own, read the other way round.
//!
//! Derivations: the crate's README.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use crate::ConvGeometry;
use crate::conv2d::{conv2d, conv2d_weight_backward, conv2d_x_backward};
use crate::ops::ScratchOps;

/// Transposed convolution without bias, for an output of `size`.
///
/// `Y[n, a, u, v] = sum over b, i, j and all y, x with s*y + d*i - p = u, s*x + d*j - p = v of
/// X[n, b, y, x] * W[b, a, i, j]`: the input gradient of a convolution, as a forward pass.
///
/// # Shapes
/// - `x`: `[batch_size, channels_in, height, width]`
/// - `weight`: `[channels_in, channels_out / groups, kernel_height, kernel_width]`
/// - output: `[batch_size, channels_out, height_out, width_out]`
pub(crate) fn conv_transpose2d<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    geometry: ConvGeometry,
    size: [usize; 2],
) -> FloatTensor<B> {
    conv2d_x_backward::<B>(weight, x, geometry, size)
}

/// Gradient of [`conv_transpose2d`] with respect to its input: a convolution of `output_grad`.
///
/// # Shapes
/// - `weight`: `[channels_in, channels_out / groups, kernel_height, kernel_width]`
/// - `output_grad`: `[batch_size, channels_out, height_out, width_out]`
/// - output: `[batch_size, channels_in, height, width]`, where `size = [height, width]`
pub(crate) fn conv_transpose2d_x_backward<B: ScratchOps>(
    weight: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    geometry: ConvGeometry,
    size: [usize; 2],
) -> FloatTensor<B> {
    conv2d::<B>(output_grad, weight, geometry, size)
}

/// Gradient of [`conv_transpose2d`] with respect to its weight: the convolution's, with input and
/// output gradient exchanged.
///
/// # Shapes
/// - `x`: `[batch_size, channels_in, height, width]`
/// - `output_grad`: `[batch_size, channels_out, height_out, width_out]`
/// - output: `[channels_in, channels_out / groups, kernel_height, kernel_width]`
pub(crate) fn conv_transpose2d_weight_backward<B: ScratchOps>(
    x: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    geometry: ConvGeometry,
) -> FloatTensor<B> {
    debug_assert_eq!(x.shape()[0], output_grad.shape()[0]);
    conv2d_weight_backward::<B>(output_grad, x, geometry)
}
