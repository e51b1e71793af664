//! The cases of convolutions, unfold and fold.

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, UnfoldOptions};
use burn::tensor::{Tensor, module};

use super::case::{Case, Ours, Random, flatten, image};
use super::geometries::Options;
use super::reference::{self, Convolution};
use crate::functions;

/// Images of a case.
pub const BATCH_SIZE: usize = 2;

/// A convolution.
pub fn conv2d(random: &mut Random, options: Options, bias: bool) -> Case {
    let convolution = forward(&options);
    let geometry = convolution.geometry;
    let (x_shape, weight_shape) = (convolution.x_shape(), convolution.weight_shape());
    let y_shape = convolution.y_shape();
    let padding = options
        .padding
        .map(|[before, after]: [usize; 2]| (before, after));
    let burn_options =
        ConvOptions::new_with_padding(options.stride, padding, options.dilation, options.groups);
    Case {
        op: "conv2d",
        geometry: options.text(),
        names: names(bias),
        inputs: inputs(random, x_shape, weight_shape, bias.then_some(y_shape[1])),
        ours: Ours::ByAutodiff(Box::new(move |inputs| {
            let (x, weight) = (image(inputs, 0, x_shape), image(inputs, 1, weight_shape));
            flatten(functions::conv2d(
                x,
                weight,
                inputs.get(2).cloned(),
                &geometry,
            ))
        })),
        burns: Box::new(move |inputs| {
            let (x, weight) = (image(inputs, 0, x_shape), image(inputs, 1, weight_shape));
            let bias = inputs.get(2).cloned();
            flatten(module::conv2d(x, weight, bias, burn_options.clone()))
        }),
        forward: Box::new(move |inputs| {
            let y = convolution.y(&inputs[0], &inputs[1]);
            match inputs.get(2) {
                Some(bias) => reference::add_bias(y, y_shape, bias),
                None => y,
            }
        }),
        backward: Box::new(move |inputs, grad| {
            let mut gradients = vec![
                convolution.x(&inputs[1], grad),
                convolution.weight(&inputs[0], grad),
            ];
            if inputs.len() == 3 {
                gradients.push(reference::bias_backward(grad, y_shape));
            }
            gradients
        }),
        linear: &[0, 1],
        bias: bias.then_some(2),
    }
}

/// A transposed convolution.
pub fn conv_transpose2d(
    random: &mut Random,
    options: Options,
    output_padding: [usize; 2],
    bias: bool,
) -> Case {
    let geometry = options.geometry();
    let size = geometry
        .transposed_size(options.size, output_padding)
        .unwrap_or_else(|error| unreachable!("the case is written so: {error}"));
    let [channels_in, channels_out] = options.channels;
    // The convolution that this one is the input gradient of.
    let convolution = Convolution {
        geometry,
        batch_size: BATCH_SIZE,
        channels: [channels_out, channels_in],
        size,
        positions: options.size,
    };
    let (x_shape, weight_shape) = (convolution.y_shape(), convolution.weight_shape());
    let y_shape = convolution.x_shape();
    // Burn's own crops alike on both sides, so crop its whole output.
    let [[top, _], [left, _]] = options.padding;
    let burn_options = ConvTransposeOptions::new(
        options.stride,
        [0, 0],
        output_padding,
        options.dilation,
        options.groups,
    );
    let [height, width] = size;
    let mut text = options.text();
    if output_padding != [0, 0] {
        text += &format!(" op{}x{}", output_padding[0], output_padding[1]);
    }
    Case {
        op: "conv_transpose2d",
        geometry: text,
        names: names(bias),
        inputs: inputs(random, x_shape, weight_shape, bias.then_some(channels_out)),
        ours: Ours::ByAutodiff(Box::new(move |inputs| {
            let (x, weight) = (image(inputs, 0, x_shape), image(inputs, 1, weight_shape));
            let bias = inputs.get(2).cloned();
            let y = functions::conv_transpose2d(x, weight, bias, &geometry, output_padding);
            flatten(y)
        })),
        burns: Box::new(move |inputs| {
            let (x, weight) = (image(inputs, 0, x_shape), image(inputs, 1, weight_shape));
            let bias = inputs.get(2).cloned();
            let y = module::conv_transpose2d(x, weight, bias, burn_options.clone());
            let [batch_size, channels, _, _] = y.dims();
            flatten(y.slice([
                0..batch_size,
                0..channels,
                top..top + height,
                left..left + width,
            ]))
        }),
        forward: Box::new(move |inputs| {
            let y = convolution.x(&inputs[1], &inputs[0]);
            match inputs.get(2) {
                Some(bias) => reference::add_bias(y, y_shape, bias),
                None => y,
            }
        }),
        backward: Box::new(move |inputs, grad| {
            let mut gradients = vec![
                convolution.y(grad, &inputs[1]),
                convolution.weight(grad, &inputs[0]),
            ];
            if inputs.len() == 3 {
                gradients.push(reference::bias_backward(grad, y_shape));
            }
            gradients
        }),
        linear: &[0, 1],
        bias: bias.then_some(2),
    }
}

/// The convolution with these options.
fn forward(options: &Options) -> Convolution {
    let geometry = options.geometry();
    let positions = geometry
        .output_size(options.size)
        .unwrap_or_else(|error| unreachable!("the case is written so: {error}"));
    Convolution {
        geometry,
        batch_size: BATCH_SIZE,
        channels: options.channels,
        size: options.size,
        positions,
    }
}

/// The convolution whose patches are unfolded, and Burn's options for it.
fn unfolding(options: &Options) -> (Convolution, UnfoldOptions) {
    let convolution = forward(options);
    let padding = options.padding.map(|[before, _]| before);
    let burns = UnfoldOptions::new(options.stride, padding, options.dilation);
    (convolution, burns)
}

/// An unfolding.
pub fn unfold(random: &mut Random, options: &Options) -> Case {
    let (convolution, burn_options) = unfolding(options);
    let (geometry, shape) = (convolution.geometry, convolution.x_shape());
    let kernel_size = options.kernel_size;
    Case {
        op: "unfold",
        geometry: options.text(),
        names: &["x"],
        inputs: vec![random.values(shape.iter().product())],
        ours: Ours::ByAutodiff(Box::new(move |inputs| {
            flatten(functions::unfold(image(inputs, 0, shape), &geometry))
        })),
        burns: Box::new(move |inputs| {
            let x = image(inputs, 0, shape);
            flatten(module::unfold4d(x, kernel_size, burn_options.clone()))
        }),
        forward: Box::new(move |inputs| convolution.unfold(&inputs[0])),
        backward: Box::new(move |_, grad| vec![convolution.fold(grad)]),
        linear: &[0],
        bias: None,
    }
}

/// A folding.
pub fn fold(random: &mut Random, options: &Options) -> Case {
    let (convolution, burn_options) = unfolding(options);
    let (geometry, size) = (convolution.geometry, convolution.size);
    let shape = convolution.columns_shape();
    let kernel_size = options.kernel_size;
    let columns = move |inputs: &[Tensor<1>]| inputs[0].clone().reshape(shape);
    Case {
        op: "fold",
        geometry: options.text(),
        names: &["x"],
        inputs: vec![random.values(shape.iter().product())],
        ours: Ours::ByAutodiff(Box::new(move |inputs| {
            flatten(functions::fold(columns(inputs), &geometry, size))
        })),
        burns: Box::new(move |inputs| {
            let x = columns(inputs);
            flatten(module::fold4d(x, size, kernel_size, burn_options.clone()))
        }),
        forward: Box::new(move |inputs| convolution.fold(&inputs[0])),
        backward: Box::new(move |_, grad| vec![convolution.unfold(grad)]),
        linear: &[0],
        bias: None,
    }
}

fn names(bias: bool) -> &'static [&'static str] {
    if bias {
        &["x", "weight", "bias"]
    } else {
        &["x", "weight"]
    }
}

fn inputs(
    random: &mut Random,
    x_shape: [usize; 4],
    weight_shape: [usize; 4],
    biases: Option<usize>,
) -> Vec<Vec<f32>> {
    let sizes = [x_shape, weight_shape].map(|shape| shape.iter().product());
    let sizes = sizes.into_iter().chain(biases);
    sizes.map(|size| random.values(size)).collect()
}
