//! The case of a network of hand-written layers: `conv, ReLU, conv, ReLU, tconv, ReLU, tconv, Sigmoid`.

use std::cell::RefCell;

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Tensor, activation, module};

use super::case::{Case, Ours, Random, flatten, image};
use super::reference::{self, Convolution};
use crate::ConvGeometry;
use crate::layers::{Conv2d, ConvTranspose2d, Layer, ReLU, Sequential, Sigmoid};

const BATCH_SIZE: usize = 2;
const FEATURES: usize = 4;

/// Kernel and stride of every layer.
const SIZE: [usize; 2] = [2, 2];

/// The convolutions; the last two are transposed.
fn convolutions() -> [Convolution; 4] {
    let convolution = |channels, size: [usize; 2]| Convolution {
        geometry: geometry(),
        batch_size: BATCH_SIZE,
        channels,
        size,
        positions: size.map(|side| side / 2),
    };
    [
        convolution([3, FEATURES], [8, 12]),
        convolution([FEATURES, FEATURES], [4, 6]),
        convolution([FEATURES, FEATURES], [4, 6]),
        convolution([3, FEATURES], [8, 12]),
    ]
}

fn geometry() -> ConvGeometry {
    ConvGeometry::new(SIZE)
        .and_then(|geometry| geometry.with_stride(SIZE))
        .unwrap_or_else(|error| unreachable!("no axis is zero: {error}"))
}

/// Input, then kernel and bias of each layer.
const NAMES: [&str; 9] = [
    "x", "weight 0", "bias 0", "weight 1", "bias 1", "weight 2", "bias 2", "weight 3", "bias 3",
];

/// The case.
pub fn net(random: &mut Random) -> Case {
    let mut inputs = vec![random.values(count(convolutions()[0].x_shape()))];
    for (index, convolution) in convolutions().iter().enumerate() {
        inputs.push(random.values(count(convolution.weight_shape())));
        inputs.push(random.values(output_shape(index, convolution)[1]));
    }
    Case {
        op: "Sequential",
        geometry: format!("3>{FEATURES}>{FEATURES}>{FEATURES}>3 8x12 k2x2 s2x2"),
        names: &NAMES,
        inputs,
        ours: Ours::ByClosure(Box::new(ours)),
        burns: Box::new(burns),
        forward: Box::new(|inputs| forward(inputs).pop().unwrap_or_default()),
        backward: Box::new(backward),
        linear: &[],
        bias: None,
    }
}

fn output_shape(index: usize, convolution: &Convolution) -> [usize; 4] {
    match index {
        0 | 1 => convolution.y_shape(),
        _ => convolution.x_shape(),
    }
}

fn count(shape: [usize; 4]) -> usize {
    shape.iter().product()
}

/// Output and gradients by the layers' closures.
fn ours(inputs: &[Tensor<1>], grad: Tensor<1>) -> (Tensor<1>, Vec<Tensor<1>>) {
    let convolutions = convolutions();
    let weight = |index: usize| image(inputs, 2 * index + 1, convolutions[index].weight_shape());
    let bias = |index: usize| Some(inputs[2 * index + 2].clone());
    let fits = "the case is written so";
    let conv = |index| -> Box<dyn Layer> {
        Box::new(Conv2d::new(weight(index), bias(index), geometry()).expect(fits))
    };
    let tconv = |index| -> Box<dyn Layer> {
        let layer = ConvTranspose2d::new(weight(index), bias(index), geometry(), [0, 0]);
        Box::new(layer.expect(fits))
    };
    let mut network = Sequential::new(vec![
        conv(0),
        Box::new(ReLU),
        conv(1),
        Box::new(ReLU),
        tconv(2),
        Box::new(ReLU),
        tconv(3),
        Box::new(Sigmoid),
    ]);
    let output = RefCell::new(None);
    let x = image(inputs, 0, convolutions[0].x_shape());
    let (_, dx) = network.forward_and_vjp(x, |y| {
        let shape = y.dims();
        *output.borrow_mut() = Some(flatten(y));
        (grad.clone().sum(), grad.reshape(shape))
    });
    let mut gradients = vec![flatten(dx)];
    for learned in network.parameters() {
        gradients.extend(learned.d_weight.take().map(flatten));
        gradients.extend(learned.d_bias.take());
    }
    (
        output.into_inner().expect("the loss saw the output"),
        gradients,
    )
}

/// The network of Burn's own ops.
fn burns(inputs: &[Tensor<1>]) -> Tensor<1> {
    let convolutions = convolutions();
    let mut y = image(inputs, 0, convolutions[0].x_shape());
    for (index, convolution) in convolutions.iter().enumerate() {
        let weight = image(inputs, 2 * index + 1, convolution.weight_shape());
        let bias = Some(inputs[2 * index + 2].clone());
        y = match index {
            0 | 1 => module::conv2d(y, weight, bias, ConvOptions::new(SIZE, [0, 0], [1, 1], 1)),
            _ => {
                let options = ConvTransposeOptions::new(SIZE, [0, 0], [0, 0], [1, 1], 1);
                module::conv_transpose2d(y, weight, bias, options)
            }
        };
        y = match index {
            3 => activation::sigmoid(y),
            _ => activation::relu(y),
        };
    }
    flatten(y)
}

fn activate(index: usize, x: f64) -> f64 {
    match index {
        3 => 1.0 / (1.0 + (-x).exp()),
        _ => x.max(0.0),
    }
}

/// The input and every layer's activated output, by the definitions.
fn forward(inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut values = vec![inputs[0].clone()];
    for (index, convolution) in convolutions().iter().enumerate() {
        let (weight, bias) = (&inputs[2 * index + 1], &inputs[2 * index + 2]);
        let y = match index {
            0 | 1 => convolution.y(&values[index], weight),
            _ => convolution.x(weight, &values[index]),
        };
        let y = reference::add_bias(y, output_shape(index, convolution), bias);
        values.push(y.into_iter().map(|x| activate(index, x)).collect());
    }
    values
}

/// The chain rule, by the definitions.
fn backward(inputs: &[Vec<f64>], grad: &[f64]) -> Vec<Vec<f64>> {
    let values = forward(inputs);
    let mut gradients = vec![Vec::new(); NAMES.len()];
    let mut grad = grad.to_vec();
    for (index, convolution) in convolutions().iter().enumerate().rev() {
        let (x, weight) = (&values[index], &inputs[2 * index + 1]);
        for (grad, y) in grad.iter_mut().zip(&values[index + 1]) {
            *grad *= match index {
                3 => y * (1.0 - y),
                _ if *y > 0.0 => 1.0,
                _ => 0.0,
            };
        }
        let shape = output_shape(index, convolution);
        gradients[2 * index + 2] = reference::bias_backward(&grad, shape);
        (gradients[2 * index + 1], grad) = match index {
            0 | 1 => (convolution.weight(x, &grad), convolution.x(weight, &grad)),
            _ => (convolution.weight(&grad, x), convolution.y(&grad, weight)),
        };
    }
    gradients[0] = grad;
    gradients
}
