//! Activations: value, then vector-Jacobian product. At 0 the gradients are PyTorch's.

use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::backend::{Backend, TensorMetadata, get_or_init_device_settings};
use burn::tensor::Shape;

/// `y = max(x, 0)`; NaN stays NaN.
pub(crate) fn relu<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_mask_fill(x.clone(), not_positive::<B>(&x), 0.0.into())
}

/// `dx = dy` where `x > 0`, else 0.
pub(crate) fn relu_backward<B: Backend>(
    x: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_mask_fill(output_grad, not_positive::<B>(&x), 0.0.into())
}

/// `y = x` where `x > 0`, else `alpha * x`; one slope, or one for each channel.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height, width]`
/// - `alpha`: `[1]` or `[channels]`
pub(crate) fn prelu<B: Backend>(x: FloatTensor<B>, alpha: FloatTensor<B>) -> FloatTensor<B> {
    let scaled = B::float_mul(x.clone(), per_channel::<B>(alpha));
    B::float_mask_where(x.clone(), not_positive::<B>(&x), scaled)
}

/// Gradient of [`prelu`] with respect to `x`: `dy` where `x > 0`, else `alpha * dy`.
pub(crate) fn prelu_x_backward<B: Backend>(
    x: FloatTensor<B>,
    alpha: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let scaled = B::float_mul(output_grad.clone(), per_channel::<B>(alpha));
    B::float_mask_where(output_grad, not_positive::<B>(&x), scaled)
}

/// Gradient of [`prelu`] with respect to `alpha`: the sum of `x * dy` where `x <= 0`, over
/// everything that shares a slope.
pub(crate) fn prelu_alpha_backward<B: Backend>(
    x: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    slopes: usize,
) -> FloatTensor<B> {
    let [batch_size, channels, height, width] = x.shape().dims();
    let negative = not_positive::<B>(&x);
    let products = B::float_mul(x, output_grad);
    let zeros = B::float_zeros(
        products.shape(),
        &products.device(),
        products.dtype().into(),
    );
    let products = B::float_mask_where(zeros, negative, products);
    let products = B::float_reshape(products, Shape::new([batch_size, channels, height * width]));
    let per_channel = B::float_sum_dim(B::float_sum_dim(products, 2), 0); // [1, C, 1]
    match slopes {
        1 => B::float_reshape(B::float_sum(per_channel), Shape::new([1])),
        _ => B::float_reshape(per_channel, Shape::new([channels])),
    }
}

/// `y = 1 / (1 + exp(-x))`.
pub(crate) fn sigmoid<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let exp = B::float_exp(B::float_neg(x));
    B::float_recip(B::float_add_scalar(exp, 1.0.into()))
}

/// `dx = dy * y * (1 - y)`, from the output.
pub(crate) fn sigmoid_backward<B: Backend>(
    output: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let complement = B::float_add_scalar(B::float_neg(output.clone()), 1.0.into());
    B::float_mul(output_grad, B::float_mul(output, complement))
}

fn not_positive<B: Backend>(x: &FloatTensor<B>) -> BoolTensor<B> {
    let dtype = get_or_init_device_settings::<B>(&x.device()).bool_dtype;
    B::float_lower_equal_elem(x.clone(), 0.0.into(), dtype)
}

fn per_channel<B: Backend>(alpha: FloatTensor<B>) -> FloatTensor<B> {
    let slopes = alpha.shape()[0];
    B::float_reshape(alpha, Shape::new([1, slopes, 1, 1]))
}
