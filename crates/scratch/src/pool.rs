//! Max-pooling by 2: its function of tensors, value and vector-Jacobian product.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata, get_or_init_device_settings};
use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use crate::fused::in_host_memory;
use crate::ops::ScratchOps;

const SIZE: [usize; 2] = [2, 2];

/// Largest of each 2x2 pixels; a last odd row or column is left out. The first of equal ones takes the
/// gradient.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height, width]`
/// - output: `[batch_size, channels, height / 2, width / 2]`
pub fn max_pool2x2(x: Tensor<4>) -> Tensor<4> {
    if in_host_memory(&x.device()) {
        Tensor::from_dispatch(<Dispatch as ScratchOps>::max_pool2x2(x.into_dispatch()))
    } else {
        // Burn's keeps the places of the largest, so that the backward pass need not find them again.
        max_pool2d(x, MaxPoolOptions::new(SIZE))
    }
}

/// The largest of each 2x2 pixels.
pub(crate) fn max_pool2x2_forward<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::max_pool2d(x, SIZE, SIZE, [0, 0], [1, 1], false)
}

/// Gradient of [`max_pool2x2`]: the largest of each 2x2 pixels takes all of it.
pub(crate) fn max_pool2x2_backward<B: Backend>(
    x: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let dtype = get_or_init_device_settings::<B>(&x.device()).int_dtype;
    let pooled = B::max_pool2d_with_indices(x.clone(), SIZE, SIZE, [0, 0], [1, 1], false, dtype);
    let indices = pooled.indices;
    B::max_pool2d_with_indices_backward(x, SIZE, SIZE, [0, 0], [1, 1], false, output_grad, indices)
        .x_grad
}
