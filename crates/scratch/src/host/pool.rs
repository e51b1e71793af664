//! The pooling of `n2n_kernels` on tensors.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use n2n_kernels::pool;

use super::Host;
use super::values::{Values, batch, images};

/// Max-pooling by 2 of f32.
pub(crate) fn max_pool2x2<B: Host>(x: FloatTensor<B>) -> FloatTensor<B> {
    let (device, shape) = (x.device(), x.shape().dims());
    let [batch_size, channels, height, width] = shape;
    let values = pool::max_pool(batch(shape), channels, Values::<B>::images(x).get());
    images::<B>(
        values,
        [batch_size, channels, height / 2, width / 2],
        &device,
    )
}

/// Its gradient.
pub(crate) fn max_pool2x2_backward<B: Host>(
    x: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let (device, shape) = (x.device(), x.shape().dims());
    let (x, grad) = (Values::<B>::images(x), Values::<B>::images(output_grad));
    let values = pool::max_pool_backward(batch(shape), shape[1], x.get(), grad.get());
    images::<B>(values, shape, &device)
}
