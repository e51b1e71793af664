//! The cases of the hand-written layers.

use burn::tensor::Tensor;

use super::case::Random;
use super::case::{Case, Ours, POINTWISE_SHAPE, flatten, image};
use super::convolutions::{BATCH_SIZE, conv_transpose2d, conv2d};
use super::geometries::Options;
use crate::activation::{relu_case, sigmoid_case};
use crate::layers::{Conv2d, ConvTranspose2d, Layer, ReLU, Sigmoid};

/// The hand-written layers, whose closures return the gradients.
pub fn layers(random: &mut Random) -> Vec<Case> {
    let options = || Options {
        stride: [2, 1],
        padding: [[1, 0], [0, 2]],
        dilation: [1, 2],
        groups: 2,
        ..Options::plain([4, 6], [6, 5], [3, 2])
    };
    let geometry = options().geometry();
    let convolution = conv2d(random, options(), true);
    let transposed = conv_transpose2d(random, options(), [1, 0], true);
    let fits = "the case is written so";
    let layers = [
        Case {
            op: "Conv2d",
            ours: by_closure([BATCH_SIZE, 4, 6, 5], move |inputs| {
                let weight = image(inputs, 1, [6, 2, 3, 2]);
                Box::new(Conv2d::new(weight, Some(inputs[2].clone()), geometry).expect(fits))
            }),
            ..convolution
        },
        Case {
            op: "ConvTranspose2d",
            ours: by_closure([BATCH_SIZE, 4, 6, 5], move |inputs| {
                let weight = image(inputs, 1, [4, 3, 3, 2]);
                let bias = Some(inputs[2].clone());
                Box::new(ConvTranspose2d::new(weight, bias, geometry, [1, 0]).expect(fits))
            }),
            ..transposed
        },
    ];
    let pointwise = [
        Case {
            op: "ReLU",
            ours: by_closure(POINTWISE_SHAPE, |_| Box::new(ReLU)),
            ..relu_case(random)
        },
        Case {
            op: "Sigmoid",
            ours: by_closure(POINTWISE_SHAPE, |_| Box::new(Sigmoid)),
            ..sigmoid_case(random)
        },
    ];
    layers.into_iter().chain(pointwise).collect()
}

/// A layer on an image of this shape, made from the case's inputs.
fn by_closure(
    x_shape: [usize; 4],
    layer: impl Fn(&[Tensor<1>]) -> Box<dyn Layer> + 'static,
) -> Ours {
    Ours::ByClosure(Box::new(move |inputs, grad| {
        let (y, vjp) = layer(inputs).forward_and_vjp(image(inputs, 0, x_shape));
        let gradients = vjp(grad.reshape(y.dims()));
        let weight = gradients.weight.map(flatten);
        let gradients = std::iter::once(flatten(gradients.x))
            .chain(weight)
            .chain(gradients.bias);
        (flatten(y), gradients.collect())
    }))
}
