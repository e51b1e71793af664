//! Each convolution of the reference U-Net with what stands around it, timed apart.

use std::time::Instant;

use burn::tensor::activation::prelu;
use burn::tensor::module::{conv2d, interpolate};
use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Distribution, Tensor};
use n2n_data::quality::median;
use n2n_scratch::{Activation, ConvGeometry, conv2d_activated, upsampled_conv2d_activated};
use serde::{Deserialize, Serialize};

/// A convolution, 3x3, and PReLU; of some channels that are doubled first, and of others.
#[derive(Clone, Copy, Serialize)]
pub struct Layer {
    /// Its name in the network.
    pub name: &'static str,
    /// Height and width of the output in pixels.
    pub side: usize,
    upsampled: usize,
    channels_in: usize,
    channels_out: usize,
}

impl Layer {
    const fn new(name: &'static str, side: usize, channels: [usize; 3]) -> Self {
        let [upsampled, channels_in, channels_out] = channels;
        Self {
            name,
            side,
            upsampled,
            channels_in,
            channels_out,
        }
    }

    /// Channels of the input, and of the output.
    pub fn channels(&self) -> String {
        let Self {
            upsampled,
            channels_in,
            channels_out,
            ..
        } = self;
        match upsampled {
            0 => format!("{channels_in} -> {channels_out}"),
            _ => format!("{upsampled} doubled + {channels_in} -> {channels_out}"),
        }
    }

    /// Multiplications of the convolution by its definition, for one image.
    pub fn products(&self) -> usize {
        9 * (self.upsampled + self.channels_in) * self.channels_out * self.side * self.side
    }
}

/// For 32 features and 32x32 pixels; shared blocks stand once for each time they are used.
pub const LAYERS: [Layer; 15] = [
    Layer::new("conv0", 32, [0, 3, 32]),
    Layer::new("eblocks.0.conv", 32, [0, 32, 32]),
    Layer::new("eblocks.1.conv", 16, [0, 32, 32]),
    Layer::new("eblocks.2.conv", 8, [0, 32, 32]),
    Layer::new("eblocks.3.conv", 4, [0, 32, 32]),
    Layer::new("conv1", 2, [0, 32, 32]),
    Layer::new("dblocks.0.conv0", 4, [32, 32, 64]),
    Layer::new("dblocks.0.conv1", 4, [0, 64, 64]),
    Layer::new("dblocks.1.conv0", 8, [64, 32, 64]),
    Layer::new("dblocks.1.conv1", 8, [0, 64, 64]),
    Layer::new("dblocks.2.conv0", 16, [64, 32, 64]),
    Layer::new("dblocks.2.conv1", 16, [0, 64, 64]),
    Layer::new("dblocks.3.conv0", 32, [64, 3, 32]),
    Layer::new("dblocks.3.conv1", 32, [0, 32, 21]),
    Layer::new("conv2", 32, [0, 21, 3]),
];

/// Milliseconds.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Passes {
    /// The output.
    pub forward: f64,
    /// The gradients by the parameters.
    pub parameters: f64,
    /// The gradients by parameters and inputs.
    pub all: f64,
}

impl Passes {
    /// The median of each.
    pub fn median(rounds: &[Self]) -> Self {
        let middle =
            |pass: fn(&Self) -> f64| median(&mut rounds.iter().map(pass).collect::<Vec<_>>());
        Self {
            forward: middle(|passes| passes.forward),
            parameters: middle(|passes| passes.parameters),
            all: middle(|passes| passes.all),
        }
    }

    /// Forward and backward.
    pub fn total(&self) -> f64 {
        self.forward + self.all
    }
}

/// Who computes a layer.
#[derive(Clone, Copy)]
pub enum Ops {
    /// Burn's own, one after the other.
    Burn,
    /// The fused ones of `n2n_scratch`.
    Scratch,
}

/// A layer's operands.
struct Operands {
    inputs: Vec<Tensor<4>>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    slope: Tensor<1>,
}

impl Operands {
    /// Images lie in memory as they come from the layer before: the fused ops keep channels last.
    fn new(layer: &Layer, batch_size: usize, ops: Ops, device: &Device) -> Self {
        let uniform = Distribution::Uniform(-1.0, 1.0);
        let image = |channels, side| match ops {
            Ops::Burn => Tensor::<4>::random([batch_size, channels, side, side], uniform, device),
            Ops::Scratch => {
                let last = [batch_size, side, side, channels];
                Tensor::<4>::random(last, uniform, device).permute([0, 3, 1, 2])
            }
        };
        let mut inputs = vec![];
        if layer.upsampled > 0 {
            inputs.push(image(layer.upsampled, layer.side / 2));
        }
        inputs.push(image(layer.channels_in, layer.side));
        let channels_in = layer.upsampled + layer.channels_in;
        let vector = |value: f64| Tensor::full([layer.channels_out], value, device);
        Self {
            inputs,
            weight: Tensor::random([layer.channels_out, channels_in, 3, 3], uniform, device),
            bias: vector(0.1),
            slope: vector(0.25),
        }
    }

    fn tracked(self, inputs: bool) -> Self {
        Self {
            inputs: if inputs {
                self.inputs.into_iter().map(Tensor::require_grad).collect()
            } else {
                self.inputs
            },
            weight: self.weight.require_grad(),
            bias: self.bias.require_grad(),
            slope: self.slope.require_grad(),
        }
    }

    fn forward(&self, ops: Ops) -> Tensor<4> {
        let (weight, bias) = (self.weight.clone(), Some(self.bias.clone()));
        let slope = self.slope.clone();
        match (ops, self.inputs.as_slice()) {
            (Ops::Scratch, [x, skip]) => {
                let activation = Activation::PReLU(slope);
                upsampled_conv2d_activated(x.clone(), skip.clone(), weight, bias, activation)
            }
            (Ops::Scratch, inputs) => {
                let geometry = ConvGeometry::new([3, 3])
                    .unwrap_or_else(|error| unreachable!("no axis is zero: {error}"))
                    .with_padding([[1, 1], [1, 1]]);
                let activation = Activation::PReLU(slope);
                conv2d_activated(inputs[0].clone(), weight, bias, activation, &geometry)
            }
            (Ops::Burn, inputs) => {
                let x = match inputs {
                    [x, skip] => {
                        let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
                        let x = interpolate(x.clone(), nearest.with_scale_factor([2.0, 2.0]));
                        Tensor::cat(vec![x, skip.clone()], 1)
                    }
                    inputs => inputs[0].clone(),
                };
                let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
                prelu(conv2d(x, weight, bias, options), slope)
            }
        }
    }
}

/// Times a layer, each pass for about `seconds` seconds.
pub fn measure(
    layer: &Layer,
    batch_size: usize,
    ops: Ops,
    device: &Device,
    seconds: f64,
) -> anyhow::Result<Passes> {
    let plain = Operands::new(layer, batch_size, ops, device);
    let forward = repeat(seconds, || {
        let start = Instant::now();
        let y = plain.forward(ops);
        y.device().sync()?;
        Ok(start.elapsed().as_secs_f64())
    })?;
    let backward = |inputs: bool| {
        let device = device.clone().autodiff();
        let operands = Operands::new(layer, batch_size, ops, &device).tracked(inputs);
        repeat(seconds, || {
            let y = operands.forward(ops);
            device.sync()?;
            let start = Instant::now();
            let gradients = y.backward();
            device.sync()?;
            let elapsed = start.elapsed().as_secs_f64();
            drop(gradients);
            Ok(elapsed)
        })
    };
    Ok(Passes {
        forward,
        parameters: backward(false)?,
        all: backward(true)?,
    })
}

/// The median in milliseconds.
fn repeat(duration: f64, mut run: impl FnMut() -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    let begin = Instant::now();
    let mut seconds = vec![];
    while seconds.len() < super::ours::LEAST || begin.elapsed().as_secs_f64() < duration {
        seconds.push(run()?);
    }
    Ok(1e3 * median(&mut seconds))
}
