//! Activations: each with its function of tensors, value, vector-Jacobian product and gradient check. At 0 the
//! gradients are PyTorch's.

use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::backend::{Backend, Dispatch, TensorMetadata, get_or_init_device_settings};
use burn::tensor::{DType, Device, Shape, Tensor, activation};

use crate::gradcheck::case::{Case, Ours, POINTWISE_SHAPE, Random, flatten, image};
use crate::gradcheck::reference;
use crate::ops::ScratchOps;

/// Rectified linear unit: `max(x, 0)`; its gradient at 0 is 0.
pub fn relu(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as ScratchOps>::relu(x.into_dispatch()))
}

/// `y = max(x, 0)`; NaN stays NaN.
pub(crate) fn relu_forward<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_mask_fill(x.clone(), not_positive::<B>(&x), 0.0.into())
}

/// `dx = dy` where `x > 0`, else 0.
pub(crate) fn relu_backward<B: Backend>(
    x: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_mask_fill(output_grad, not_positive::<B>(&x), 0.0.into())
}

pub(crate) fn relu_case(random: &mut Random) -> Case {
    let slope = |x: f64| if x > 0.0 { 1.0 } else { 0.0 };
    Case::pointwise(
        random,
        "relu",
        relu,
        activation::relu,
        |x| x.max(0.0),
        slope,
    )
}

/// Parametric rectified linear unit: `x` where positive, else `alpha * x`; at 0 its gradient is
/// that of the negative side, as in PyTorch.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height, width]`
/// - `alpha`: `[1]` or `[channels]`
///
/// # Panics
/// If there is neither one slope nor one for each channel.
pub fn prelu(x: Tensor<4>, alpha: Tensor<1>) -> Tensor<4> {
    let [_, channels, _, _] = x.dims();
    let [slopes] = alpha.dims();
    assert!(
        slopes == 1 || slopes == channels,
        "expected 1 or {channels} slopes, got {slopes}"
    );
    Tensor::from_dispatch(<Dispatch as ScratchOps>::prelu(
        x.into_dispatch(),
        alpha.into_dispatch(),
    ))
}

/// `y = x` where `x > 0`, else `alpha * x`; one slope, or one for each channel.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height, width]`
/// - `alpha`: `[1]` or `[channels]`
pub(crate) fn prelu_forward<B: Backend>(
    x: FloatTensor<B>,
    alpha: FloatTensor<B>,
) -> FloatTensor<B> {
    let scaled = B::float_mul(x.clone(), per_channel::<B>(alpha));
    B::float_mask_where(x.clone(), not_positive::<B>(&x), scaled)
}

/// Gradient of [`prelu_forward`] with respect to `x`: `dy` where `x > 0`, else `alpha * dy`.
pub(crate) fn prelu_x_backward<B: Backend>(
    x: FloatTensor<B>,
    alpha: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let scaled = B::float_mul(output_grad.clone(), per_channel::<B>(alpha));
    B::float_mask_where(output_grad, not_positive::<B>(&x), scaled)
}

/// Gradient of [`prelu_forward`] with respect to `alpha`: the sum of `x * dy` where `x <= 0`, over
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

pub(crate) fn prelu_case(random: &mut Random, slopes: usize) -> Case {
    // One slope serves every channel.
    let slope = move |index: usize| reference::channel(POINTWISE_SHAPE, index).min(slopes - 1);
    Case {
        op: "prelu",
        geometry: format!("2x3x5x4, {slopes} slopes"),
        names: &["x", "alpha"],
        inputs: vec![
            random.values(POINTWISE_SHAPE.iter().product()),
            random.values(slopes),
        ],
        ours: Ours::ByAutodiff(Box::new(|inputs| {
            flatten(prelu(image(inputs, 0, POINTWISE_SHAPE), inputs[1].clone()))
        })),
        burns: Box::new(|inputs| {
            let x = image(inputs, 0, POINTWISE_SHAPE);
            flatten(activation::prelu(x, inputs[1].clone()))
        }),
        forward: Box::new(move |inputs| {
            let values = inputs[0].iter().enumerate();
            let value = |(index, x): (usize, &f64)| {
                if *x > 0.0 {
                    *x
                } else {
                    inputs[1][slope(index)] * x
                }
            };
            values.map(value).collect()
        }),
        backward: Box::new(move |inputs, grad| {
            let (mut dx, mut dalpha) = (grad.to_vec(), vec![0.0; slopes]);
            for (index, x) in inputs[0].iter().enumerate() {
                if *x <= 0.0 {
                    dx[index] *= inputs[1][slope(index)];
                    dalpha[slope(index)] += x * grad[index];
                }
            }
            vec![dx, dalpha]
        }),
        linear: &[],
        bias: None,
    }
}

/// Logistic function: `1 / (1 + exp(-x))`.
pub fn sigmoid(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as ScratchOps>::sigmoid(x.into_dispatch()))
}

/// `y = 1 / (1 + exp(-x))`.
pub(crate) fn sigmoid_forward<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
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

pub(crate) fn sigmoid_case(random: &mut Random) -> Case {
    let value = |x: f64| 1.0 / (1.0 + (-x).exp());
    Case::pointwise(
        random,
        "sigmoid",
        sigmoid,
        activation::sigmoid,
        value,
        move |x| value(x) * (1.0 - value(x)),
    )
}

/// The gradient checks of the activations.
pub(crate) fn cases(random: &mut Random) -> Vec<Case> {
    let [_, channels, _, _] = POINTWISE_SHAPE;
    vec![
        relu_case(random),
        prelu_case(random, 1),
        prelu_case(random, channels),
        sigmoid_case(random),
    ]
}

fn not_positive<B: Backend>(x: &FloatTensor<B>) -> BoolTensor<B> {
    let dtype = get_or_init_device_settings::<B>(&x.device()).bool_dtype;
    B::float_lower_equal_elem(x.clone(), 0.0.into(), dtype)
}

fn per_channel<B: Backend>(alpha: FloatTensor<B>) -> FloatTensor<B> {
    let slopes = alpha.shape()[0];
    B::float_reshape(alpha, Shape::new([1, slopes, 1, 1]))
}

/// Activation after a convolution.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // It lives as long as a call.
pub enum Activation {
    /// The identity.
    Linear,
    /// See [`relu`].
    ReLU,
    /// See [`prelu`], with these slopes: `[1]` or `[channels]`.
    PReLU(Tensor<1>),
}

impl Activation {
    pub(crate) fn apply(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Linear => x,
            Self::ReLU => relu(x),
            Self::PReLU(alpha) => prelu(x, alpha),
        }
    }

    /// Factor of values that are not positive, in a fused op.
    pub(crate) fn slope(self, options: (&Device, DType)) -> Tensor<1> {
        match self {
            Self::Linear => Tensor::ones([1], options),
            Self::ReLU => Tensor::zeros([1], options),
            Self::PReLU(alpha) => alpha,
        }
    }
}
