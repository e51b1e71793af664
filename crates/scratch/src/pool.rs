//! Max-pooling by 2 on any backend: value, then vector-Jacobian product.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, get_or_init_device_settings};

const SIZE: [usize; 2] = [2, 2];

/// The largest of each 2x2 pixels.
pub(crate) fn max_pool2x2<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::max_pool2d(x, SIZE, SIZE, [0, 0], [1, 1], false)
}

/// Gradient of [`max_pool2x2`]: the largest takes it all.
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
