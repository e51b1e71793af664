//! The cases of convolutions together with what surrounds them.

use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions};
use burn::tensor::{Tensor, activation, module};

use super::case::{Case, Ours, Random, flatten, image};
use super::convolutions::BATCH_SIZE;
use super::reference::{self, Convolution, channel};
use crate::activation::Activation;
use crate::conv_block;
use crate::functions::{conv2d_activated, pooled_conv2d_activated, upsampled_conv2d_activated};

/// What surrounds the convolution besides bias and PReLU.
#[derive(Clone, Copy)]
enum Around {
    Nothing,
    /// 2x2 max-pooling after it.
    Pooling,
    /// Upsampling by 2 before it, and this many channels of other images beside.
    Skip(usize),
}

/// A block, whose convolution has `size` pixels and `channels` in and out.
#[derive(Clone, Copy)]
struct Block {
    around: Around,
    channels: [usize; 2],
    size: [usize; 2],
    slopes: usize,
}

/// Every case: sizes that fill no tile, more and fewer channels than a cube takes at a time.
pub fn blocks(random: &mut Random) -> Vec<Case> {
    use Around::{Nothing, Pooling, Skip};
    let block = |around, channels, size, slopes| Block {
        around,
        channels,
        size,
        slopes,
    };
    let blocks = [
        block(Nothing, [4, 6], [8, 5], 1),
        block(Nothing, [1, 1], [3, 7], 1),
        block(Nothing, [96, 3], [2, 3], 3),
        block(Nothing, [3, 96], [3, 2], 96),
        block(Nothing, [3, 34], [9, 11], 34),
        block(Nothing, [33, 4], [4, 6], 1),
        block(Nothing, [2, 5], [1, 19], 5),
        block(Nothing, [6, 2], [19, 3], 2),
        block(Pooling, [3, 5], [6, 8], 5),
        block(Pooling, [4, 35], [7, 9], 1),
        block(Pooling, [35, 2], [4, 2], 2),
        block(Pooling, [2, 3], [5, 18], 3),
        block(Skip(3), [7, 5], [6, 4], 5),
        block(Skip(1), [4, 33], [2, 10], 33),
        block(Skip(5), [69, 3], [4, 2], 1),
        block(Skip(2), [3, 4], [18, 8], 4),
    ];
    blocks.map(|block| block.case(random)).into()
}

impl Block {
    fn convolution(&self) -> Convolution {
        Convolution {
            geometry: conv_block::Convolution::same3x3(self.size).geometry,
            batch_size: BATCH_SIZE,
            channels: self.channels,
            size: self.size,
            positions: self.size,
        }
    }

    /// Channels that are concatenated.
    fn skipped(&self) -> Option<usize> {
        match self.around {
            Around::Skip(channels) => Some(channels),
            _ => None,
        }
    }

    /// Shapes of `x` and `skip`.
    fn input_shapes(&self) -> Vec<[usize; 4]> {
        let ([height, width], [channels, _]) = (self.size, self.channels);
        match self.skipped() {
            Some(skipped) => vec![
                [BATCH_SIZE, channels - skipped, height / 2, width / 2],
                [BATCH_SIZE, skipped, height, width],
            ],
            None => vec![[BATCH_SIZE, channels, height, width]],
        }
    }

    /// `cat(upsample(x), skip)`, in f64.
    fn joined(&self, inputs: &[Vec<f64>]) -> Vec<f64> {
        let mut joined = Vec::new();
        self.places(|input, at| joined.push(inputs[input][at]));
        joined
    }

    /// Gradients of the inputs, from that of what they are joined to.
    fn parted(&self, joined: &[f64]) -> Vec<Vec<f64>> {
        let shapes = self.input_shapes();
        let zeros = shapes.iter().map(|shape| vec![0.0; shape.iter().product()]);
        let (mut gradients, mut joined) = (zeros.collect::<Vec<_>>(), joined.iter());
        self.places(|input, at| gradients[input][at] += joined.next().unwrap_or(&f64::NAN));
        gradients
    }

    /// For each value of the joined images in their order, the input that it comes from, and where it stands
    /// there.
    fn places(&self, mut place: impl FnMut(usize, usize)) {
        let ([height, width], [channels, _]) = (self.size, self.channels);
        let own = channels - self.skipped().unwrap_or(0);
        for n in 0..BATCH_SIZE {
            for c in 0..channels {
                for v in 0..height {
                    for u in 0..width {
                        match self.skipped() {
                            None => place(0, ((n * channels + c) * height + v) * width + u),
                            Some(_) if c < own => {
                                let (height, width) = (height / 2, width / 2);
                                place(0, ((n * own + c) * height + v / 2) * width + u / 2);
                            }
                            Some(skipped) => {
                                place(1, ((n * skipped + c - own) * height + v) * width + u);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Where the values of the output stand in the images before the pooling.
    fn largest(&self, y: &[f64]) -> Vec<usize> {
        let Around::Pooling = self.around else {
            return (0..y.len()).collect();
        };
        let [height, width] = self.size;
        let planes = y.len() / (height * width);
        let mut largest = Vec::new();
        for plane in 0..planes {
            for v in 0..height / 2 {
                for u in 0..width / 2 {
                    let at = (plane * height + 2 * v) * width + 2 * u;
                    let pixels = [at, at + 1, at + width, at + width + 1];
                    let first = |a: usize, b: usize| if y[b] > y[a] { b } else { a };
                    largest.push(pixels.into_iter().fold(at, first));
                }
            }
        }
        largest
    }

    /// Before the activation, in f64.
    fn z(&self, inputs: &[Vec<f64>]) -> Vec<f64> {
        let convolution = self.convolution();
        let [weight, bias] = [inputs.len() - 3, inputs.len() - 2].map(|input| &inputs[input]);
        let z = convolution.y(&self.joined(inputs), weight);
        reference::add_bias(z, convolution.y_shape(), bias)
    }

    /// After the activation, in f64.
    fn y(&self, z: &[f64], slope: &[f64]) -> Vec<f64> {
        let shape = self.convolution().y_shape();
        let values = z.iter().enumerate();
        values
            .map(|(at, z)| {
                if *z > 0.0 {
                    *z
                } else {
                    z * slope[channel(shape, at) % slope.len()]
                }
            })
            .collect()
    }

    fn forward(&self, inputs: &[Vec<f64>]) -> Vec<f64> {
        let y = self.y(&self.z(inputs), &inputs[inputs.len() - 1]);
        self.largest(&y).into_iter().map(|at| y[at]).collect()
    }

    fn backward(&self, inputs: &[Vec<f64>], grad: &[f64]) -> Vec<Vec<f64>> {
        let (convolution, shape) = (self.convolution(), self.convolution().y_shape());
        let (weight, slope) = (&inputs[inputs.len() - 3], &inputs[inputs.len() - 1]);
        let z = self.z(inputs);
        let mut dz = vec![0.0; z.len()];
        let mut d_slope = vec![0.0; slope.len()];
        for (at, dy) in self.largest(&self.y(&z, slope)).into_iter().zip(grad) {
            let own = channel(shape, at) % slope.len();
            if z[at] > 0.0 {
                dz[at] = *dy;
            } else {
                dz[at] = dy * slope[own];
                d_slope[own] += dy * z[at];
            }
        }
        let mut gradients = self.parted(&convolution.x(weight, &dz));
        gradients.push(convolution.weight(&self.joined(inputs), &dz));
        gradients.push(reference::bias_backward(&dz, shape));
        gradients.push(d_slope);
        gradients
    }

    fn case(self, random: &mut Random) -> Case {
        let (shapes, weight_shape) = (self.input_shapes(), self.convolution().weight_shape());
        let count = |shape: &[usize; 4]| shape.iter().product();
        let mut inputs: Vec<_> = shapes.iter().map(|x| random.values(count(x))).collect();
        inputs.push(random.values(count(&weight_shape)));
        inputs.push(random.values(self.channels[1]));
        inputs.push(random.values(self.slopes));
        let (op, names): (_, &[_]) = match self.around {
            Around::Nothing => ("conv_block", &["x", "weight", "bias", "slope"]),
            Around::Pooling => ("pooled_conv_block", &["x", "weight", "bias", "slope"]),
            Around::Skip(_) => (
                "upsampled_conv_block",
                &["x", "skip", "weight", "bias", "slope"],
            ),
        };
        let [[channels_in, channels_out], [height, width]] = [self.channels, self.size];
        let slopes = self.slopes;
        let tensors = move |inputs: &[Tensor<1>]| {
            let x = image(inputs, 0, shapes[0]);
            let skip = shapes.get(1).map(|shape| image(inputs, 1, *shape));
            let parameters = &inputs[shapes.len()..];
            let weight = parameters[0].clone().reshape(weight_shape);
            (
                x,
                skip,
                weight,
                parameters[1].clone(),
                parameters[2].clone(),
            )
        };
        let geometry = self.convolution().geometry;
        let ours = {
            let tensors = tensors.clone();
            move |inputs: &[Tensor<1>]| {
                let (x, skip, weight, bias, slope) = tensors(inputs);
                let (bias, activation) = (Some(bias), Activation::PReLU(slope));
                flatten(match (self.around, skip) {
                    (Around::Pooling, _) => pooled_conv2d_activated(x, weight, bias, activation),
                    (_, Some(skip)) => {
                        upsampled_conv2d_activated(x, skip, weight, bias, activation)
                    }
                    (_, None) => conv2d_activated(x, weight, bias, activation, &geometry),
                })
            }
        };
        let burns = move |inputs: &[Tensor<1>]| {
            let (x, skip, weight, bias, slope) = tensors(inputs);
            let x = match skip {
                Some(skip) => {
                    let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
                    let x = module::interpolate(x, nearest.with_scale_factor([2.0, 2.0]));
                    Tensor::cat(vec![x, skip], 1)
                }
                None => x,
            };
            let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
            let y = activation::prelu(module::conv2d(x, weight, Some(bias), options), slope);
            flatten(match self.around {
                Around::Pooling => module::max_pool2d(y, MaxPoolOptions::new([2, 2])),
                _ => y,
            })
        };
        Case {
            op,
            geometry: format!("{channels_in}>{channels_out} {height}x{width}, {slopes} slopes"),
            names,
            inputs,
            ours: Ours::ByAutodiff(Box::new(ours)),
            burns: Box::new(burns),
            forward: Box::new(move |inputs| self.forward(inputs)),
            backward: Box::new(move |inputs, grad| self.backward(inputs, grad)),
            linear: &[],
            bias: None,
        }
    }
}
