//! What is checked: each op and layer with its oracles, on random inputs.

use burn::nn::loss::{MseLoss, Reduction};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, UnfoldOptions};
use burn::tensor::{Tensor, activation, module};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::geometries::{Options, convolutions, transposed_convolutions, unfoldings};
use super::net::net;
use super::reference::{self, Convolution};
use crate::functions;
use crate::layers::{Conv2d, ConvTranspose2d, Layer, ReLU, Sigmoid};

/// An op on flat tensors: each shape is the case's business.
type DeviceOp = Box<dyn Fn(&[Tensor<1>]) -> Tensor<1>>;
/// Output and gradients of an op on flat tensors, from the gradient of the output.
type DeviceVjp = Box<dyn Fn(&[Tensor<1>], Tensor<1>) -> (Tensor<1>, Vec<Tensor<1>>)>;
/// An op's value, naive and in f64.
type Forward = Box<dyn Fn(&[Vec<f64>]) -> Vec<f64>>;
/// An op's vector-Jacobian product, naive and in f64: one gradient for each input.
type Backward = Box<dyn Fn(&[Vec<f64>], &[f64]) -> Vec<Vec<f64>>>;

/// The op under test.
pub enum Ours {
    /// Its backward pass is on the tape of Burn's autodiff.
    ByAutodiff(DeviceOp),
    /// It returns its gradients itself.
    ByHand(DeviceVjp),
}

/// One op at one geometry, with its oracles.
pub struct Case {
    /// Name of the op.
    pub op: &'static str,
    /// Sizes and options, in short.
    pub geometry: String,
    /// Names of the inputs.
    pub names: &'static [&'static str],
    /// Values of the inputs.
    pub inputs: Vec<Vec<f32>>,
    /// The op under test.
    pub ours: Ours,
    /// Burn's own.
    pub burns: DeviceOp,
    /// The definition.
    pub forward: Forward,
    /// Its gradients, written out.
    pub backward: Backward,
    /// Inputs that the op is linear in, where it is an affine map of each.
    pub linear: &'static [usize],
    /// The input that is added to a linear map of the others.
    pub bias: Option<usize>,
}

/// Every case.
pub fn cases() -> Vec<Case> {
    let mut random = Random(ChaCha8Rng::seed_from_u64(0));
    let mut cases = Vec::new();
    for (options, bias) in convolutions() {
        cases.push(conv2d(&mut random, options, bias));
    }
    for (options, output_padding, bias) in transposed_convolutions() {
        cases.push(conv_transpose2d(&mut random, options, output_padding, bias));
    }
    for options in unfoldings() {
        cases.push(unfold(&mut random, &options));
        cases.push(fold(&mut random, &options));
    }
    cases.extend(activations(&mut random));
    cases.push(mse(&mut random));
    cases.extend(layers(&mut random));
    cases.push(net(&mut random));
    cases
}

const BATCH_SIZE: usize = 2;

fn conv2d(random: &mut Random, options: Options, bias: bool) -> Case {
    let geometry = options.geometry();
    let positions = geometry
        .output_size(options.size)
        .unwrap_or_else(|error| unreachable!("the case is written so: {error}"));
    let convolution = Convolution {
        geometry,
        batch_size: BATCH_SIZE,
        channels: options.channels,
        size: options.size,
        positions,
    };
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

fn conv_transpose2d(
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

/// The convolution whose patches are unfolded, and Burn's options for it.
fn unfolding(options: &Options) -> (Convolution, UnfoldOptions) {
    let geometry = options.geometry();
    let positions = geometry
        .output_size(options.size)
        .unwrap_or_else(|error| unreachable!("the case is written so: {error}"));
    let convolution = Convolution {
        geometry,
        batch_size: BATCH_SIZE,
        channels: options.channels,
        size: options.size,
        positions,
    };
    let padding = options.padding.map(|[before, _]| before);
    let burns = UnfoldOptions::new(options.stride, padding, options.dilation);
    (convolution, burns)
}

fn unfold(random: &mut Random, options: &Options) -> Case {
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

fn fold(random: &mut Random, options: &Options) -> Case {
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

/// Shape of the images of the pointwise ops.
const SHAPE: [usize; 4] = [2, 3, 5, 4];

fn activations(random: &mut Random) -> Vec<Case> {
    let text = || "2x3x5x4".to_owned();
    let relu = Case {
        op: "relu",
        geometry: text(),
        names: &["x"],
        inputs: vec![random.values(elements())],
        ours: Ours::ByAutodiff(Box::new(|inputs| {
            flatten(functions::relu(image(inputs, 0, SHAPE)))
        })),
        burns: Box::new(|inputs| flatten(activation::relu(image(inputs, 0, SHAPE)))),
        forward: Box::new(|inputs| inputs[0].iter().map(|x| x.max(0.0)).collect()),
        backward: Box::new(|inputs, grad| {
            let pairs = inputs[0].iter().zip(grad);
            vec![
                pairs
                    .map(|(x, dy)| if *x > 0.0 { *dy } else { 0.0 })
                    .collect(),
            ]
        }),
        linear: &[],
        bias: None,
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let logistic = Case {
        op: "sigmoid",
        geometry: text(),
        names: &["x"],
        inputs: vec![random.values(elements())],
        ours: Ours::ByAutodiff(Box::new(|inputs| {
            flatten(functions::sigmoid(image(inputs, 0, SHAPE)))
        })),
        burns: Box::new(|inputs| flatten(activation::sigmoid(image(inputs, 0, SHAPE)))),
        forward: Box::new(move |inputs| inputs[0].iter().map(|x| sigmoid(*x)).collect()),
        backward: Box::new(move |inputs, grad| {
            let pairs = inputs[0].iter().zip(grad);
            let product = |(x, dy): (&f64, &f64)| dy * sigmoid(*x) * (1.0 - sigmoid(*x));
            vec![pairs.map(product).collect()]
        }),
        linear: &[],
        bias: None,
    };
    let [_, channels, _, _] = SHAPE;
    vec![relu, prelu(random, 1), prelu(random, channels), logistic]
}

fn prelu(random: &mut Random, slopes: usize) -> Case {
    // One slope serves every channel.
    let slope = move |index: usize| reference::channel(SHAPE, index).min(slopes - 1);
    Case {
        op: "prelu",
        geometry: format!("2x3x5x4, {slopes} slopes"),
        names: &["x", "alpha"],
        inputs: vec![random.values(elements()), random.values(slopes)],
        ours: Ours::ByAutodiff(Box::new(|inputs| {
            flatten(functions::prelu(image(inputs, 0, SHAPE), inputs[1].clone()))
        })),
        burns: Box::new(|inputs| {
            let x = image(inputs, 0, SHAPE);
            flatten(activation::prelu(x, inputs[1].clone()))
        }),
        forward: Box::new(move |inputs| {
            let values = inputs[0].iter().enumerate();
            let value = |(index, x): (usize, &f64)| match *x > 0.0 {
                true => *x,
                false => inputs[1][slope(index)] * x,
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

fn mse(random: &mut Random) -> Case {
    let scale = 1.0 / elements() as f64;
    Case {
        op: "mse",
        geometry: "2x3x5x4".to_owned(),
        names: &["x", "y"],
        inputs: vec![random.values(elements()), random.values(elements())],
        ours: Ours::ByAutodiff(Box::new(|inputs| {
            functions::mse(image(inputs, 0, SHAPE), image(inputs, 1, SHAPE))
        })),
        burns: Box::new(|inputs| {
            let (x, y) = (image(inputs, 0, SHAPE), image(inputs, 1, SHAPE));
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

/// The hand-written layers, whose closures return the gradients.
fn layers(random: &mut Random) -> Vec<Case> {
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
    let mut pointwise = activations(random).into_iter();
    let (relu, sigmoid) = (pointwise.next(), pointwise.next_back());
    let pointwise = [(relu, "ReLU"), (sigmoid, "Sigmoid")];
    let layers = [
        Case {
            op: "Conv2d",
            ours: by_hand([BATCH_SIZE, 4, 6, 5], move |inputs| {
                let weight = image(inputs, 1, [6, 2, 3, 2]);
                Box::new(Conv2d::new(weight, Some(inputs[2].clone()), geometry).expect(fits))
            }),
            ..convolution
        },
        Case {
            op: "ConvTranspose2d",
            ours: by_hand([BATCH_SIZE, 4, 6, 5], move |inputs| {
                let weight = image(inputs, 1, [4, 3, 3, 2]);
                let bias = Some(inputs[2].clone());
                Box::new(ConvTranspose2d::new(weight, bias, geometry, [1, 0]).expect(fits))
            }),
            ..transposed
        },
    ];
    let pointwise = pointwise.into_iter().filter_map(|(case, op)| {
        Some(Case {
            op,
            ours: by_hand(SHAPE, move |_| match op {
                "ReLU" => Box::new(ReLU),
                _ => Box::new(Sigmoid),
            }),
            ..case?
        })
    });
    layers.into_iter().chain(pointwise).collect()
}

/// A layer on an image of this shape, made from the case's inputs.
fn by_hand(x_shape: [usize; 4], layer: impl Fn(&[Tensor<1>]) -> Box<dyn Layer> + 'static) -> Ours {
    Ours::ByHand(Box::new(move |inputs, grad| {
        let (y, vjp) = layer(inputs).forward_and_vjp(image(inputs, 0, x_shape));
        let gradients = vjp(grad.reshape(y.dims()));
        let weight = gradients.weight.map(flatten);
        let gradients = std::iter::once(flatten(gradients.x))
            .chain(weight)
            .chain(gradients.bias);
        (flatten(y), gradients.collect())
    }))
}

fn elements() -> usize {
    SHAPE.iter().product()
}

fn names(bias: bool) -> &'static [&'static str] {
    match bias {
        true => &["x", "weight", "bias"],
        false => &["x", "weight"],
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

/// One input as an image batch.
pub fn image(inputs: &[Tensor<1>], index: usize, shape: [usize; 4]) -> Tensor<4> {
    inputs[index].clone().reshape(shape)
}

/// All values of a tensor.
pub fn flatten<const D: usize>(y: Tensor<D>) -> Tensor<1> {
    y.flatten(0, D - 1)
}

/// Values that every run repeats.
pub struct Random(pub ChaCha8Rng);

impl Random {
    /// Values between 0.05 and 1 of either sign: no kink is nearer than any step of a difference.
    pub fn values(&mut self, count: usize) -> Vec<f32> {
        let value = |_| {
            let magnitude = self.0.random_range(0.05_f32..1.0);
            if self.0.random() {
                magnitude
            } else {
                -magnitude
            }
        };
        (0..count).map(value).collect()
    }
}
