//! The mean squared error: its function of tensors, value, vector-Jacobian product and gradient check.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata};
use burn::nn::loss::{MseLoss, Reduction};
use burn::tensor::{Shape, Tensor};

use crate::gradcheck::case::{Case, Ours, POINTWISE_SHAPE, Random, image};
use crate::ops::ScratchOps;

/// Mean squared error: `mean((x - y)^2)` over all elements.
///
/// # Shapes
/// - `x`, `y`: `[batch_size, channels, height, width]`
/// - output: `[1]`
///
/// # Panics
/// If the shapes differ.
pub fn mse(x: Tensor<4>, y: Tensor<4>) -> Tensor<1> {
    check_shapes(&x, &y);
    Tensor::from_dispatch(<Dispatch as ScratchOps>::mse(
        x.into_dispatch(),
        y.into_dispatch(),
    ))
}

/// Mean squared error of each image. There is no hand-written gradient: Burn's autodiff derives it.
///
/// # Shapes
/// - `x`, `y`: `[batch_size, channels, height, width]`
/// - output: `[batch_size]`
///
/// # Panics
/// If the shapes differ.
pub fn mse_per_image(x: Tensor<4>, y: Tensor<4>) -> Tensor<1> {
    check_shapes(&x, &y);
    Tensor::from_dispatch(<Dispatch as ScratchOps>::mse_per_image(
        x.into_dispatch(),
        y.into_dispatch(),
    ))
}

fn check_shapes(x: &Tensor<4>, y: &Tensor<4>) {
    let (x, y) = (x.dims(), y.dims());
    assert_eq!(
        x, y,
        "expected two images of one shape, got {x:?} and {y:?}"
    );
}

/// `[mean((x - y)^2)]` of each image.
pub(crate) fn mse_per_image_forward<B: Backend>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
) -> FloatTensor<B> {
    let (images, elements) = (x.shape()[0], x.shape().num_elements());
    let difference = B::float_sub(x, y);
    let squares = B::float_mul(difference.clone(), difference);
    let rows = Shape::new([images, elements / images.max(1)]);
    let means = B::float_mean_dim(B::float_reshape(squares, rows), 1);
    B::float_reshape(means, Shape::new([images]))
}

/// `L = mean((x - y)^2)`, as a vector of one element.
///
/// # Shapes
/// - `x`, `y`: `[batch_size, channels, height, width]`
pub(crate) fn mse_forward<B: Backend>(x: FloatTensor<B>, y: FloatTensor<B>) -> FloatTensor<B> {
    let difference = B::float_sub(x, y);
    let squares = B::float_mul(difference.clone(), difference);
    B::float_reshape(B::float_mean(squares), Shape::new([1]))
}

/// Gradient of [`mse_forward`] with respect to `x`: `2 * (x - y) / numel * dL`. For `y` it is the negative.
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

/// The gradient check of [`mse`].
pub(crate) fn mse_case(random: &mut Random) -> Case {
    let elements = POINTWISE_SHAPE.iter().product();
    let scale = 1.0 / elements as f64;
    Case {
        op: "mse",
        geometry: "2x3x5x4".to_owned(),
        names: &["x", "y"],
        inputs: vec![random.values(elements), random.values(elements)],
        ours: Ours::ByAutodiff(Box::new(|inputs| {
            mse(
                image(inputs, 0, POINTWISE_SHAPE),
                image(inputs, 1, POINTWISE_SHAPE),
            )
        })),
        burns: Box::new(|inputs| {
            let (x, y) = (
                image(inputs, 0, POINTWISE_SHAPE),
                image(inputs, 1, POINTWISE_SHAPE),
            );
            MseLoss::new().forward(x, y, Reduction::Mean)
        }),
        forward: Box::new(move |inputs| {
            let pairs = inputs[0].iter().zip(&inputs[1]);
            vec![pairs.map(|(x, y)| (x - y).powi(2)).sum::<f64>() * scale]
        }),
        backward: Box::new(move |inputs, grad| {
            let pairs = || inputs[0].iter().zip(&inputs[1]);
            let scale = 2.0 * scale * grad[0];
            vec![
                pairs().map(|(x, y)| scale * (x - y)).collect(),
                pairs().map(|(x, y)| scale * (y - x)).collect(),
            ]
        }),
        linear: &[],
        bias: None,
    }
}
