//! The mean squared error: value, then vector-Jacobian product.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::Shape;

/// `L = mean((x - y)^2)`, as a vector of one element.
///
/// # Shapes
/// - `x`, `y`: `[batch_size, channels, height, width]`
pub(crate) fn mse<B: Backend>(x: FloatTensor<B>, y: FloatTensor<B>) -> FloatTensor<B> {
    let difference = B::float_sub(x, y);
    let squares = B::float_mul(difference.clone(), difference);
    B::float_reshape(B::float_mean(squares), Shape::new([1]))
}

/// Gradient of [`mse`] with respect to `x`: `2 * (x - y) / numel * dL`. For `y` it is the negative.
pub(crate) fn mse_backward<B: Backend>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let count = x.shape().num_elements() as f64;
    let scale = B::float_mul_scalar(output_grad, (2.0 / count).into());
    let scale = B::float_reshape(scale, Shape::new([1, 1, 1, 1]));
    B::float_mul(B::float_sub(x, y), scale)
}
