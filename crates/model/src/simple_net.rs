//! The simple net of the reference: two strided convolutions, then two transposed ones.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use n2n_scratch::layers::{self, Layer, Mse, ReLU, Sequential, Sigmoid};
use n2n_scratch::{Block, ConvGeometry, Direction, Graph, Head, Slope, Source};
use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, DEFAULT_CHANNELS, Forward};
use crate::builder::{Builder, Shape};
use crate::conv::{Conv2d, ConvTranspose2d, Convolution, Kernel, sigmoid};
use crate::receptive_field::Span;
use crate::{ConfigError, Init, Layout, ParameterError, ParameterSource};

/// Kernel size and stride of each layer.
const SIZE: [usize; 2] = [2, 2];

/// Implementation of a [`SimpleNet`]; parameters are the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Implementation {
    /// `Scratch` where it has kernels, on the CPU and on graphics devices; `Burn` elsewhere.
    #[default]
    Auto,
    /// Burn's own modules.
    Burn,
    /// Burn modules over the ops of `n2n_scratch`, differentiated by Burn's autodiff.
    Scratch,
    /// Hand-written layers with their own backward pass, without Burn's autodiff: the reference's interface.
    Layers,
}

impl Implementation {
    /// Every implementation but `Auto`.
    pub const ALL: [Self; 3] = [Self::Burn, Self::Scratch, Self::Layers];

    /// Their names in a config.
    pub const NAMES: [&'static str; 3] =
        [Self::Burn.name(), Self::Scratch.name(), Self::Layers.name()];

    /// The implementation of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|implementation| implementation.name() == name)
    }

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Burn => "burn",
            Self::Scratch => "scratch",
            Self::Layers => "layers",
        }
    }

    /// The implementation that `Auto` selects on this device.
    pub(crate) fn resolve(self, device: &Device) -> Self {
        match self {
            Self::Auto => match Convolution::Auto.resolve(device) {
                Convolution::Scratch => Self::Scratch,
                _ => Self::Burn,
            },
            chosen => chosen,
        }
    }
}

/// Configuration of a [`SimpleNet`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use n2n_model::{Architecture, Forward, SimpleNetConfig};
///
/// let device = Device::flex();
/// let network = SimpleNetConfig { features: 5, ..SimpleNetConfig::default() }.init(7, &device);
/// let denoised = network.forward(Tensor::zeros([1, 3, 8, 12], &device));
/// assert_eq!(denoised.dims(), [1, 3, 8, 12]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimpleNetConfig {
    /// Colour channels of the images; 3 if unset.
    pub channels: Option<usize>,
    /// Channels between the layers.
    pub features: usize,
    /// Distribution of initial kernels.
    pub init: Init,
    /// Gain of a Xavier or Kaiming [`Init`]; `sqrt(2)` if unset.
    pub init_gain: Option<f64>,
    /// Implementation of the layers.
    pub implementation: Implementation,
}

impl Default for SimpleNetConfig {
    fn default() -> Self {
        Self {
            channels: None,
            features: 64,
            init: Init::Default,
            init_gain: None,
            implementation: Implementation::Auto,
        }
    }
}

impl SimpleNetConfig {
    /// Colour channels of the images.
    fn image_channels(&self) -> usize {
        self.channels.unwrap_or(DEFAULT_CHANNELS)
    }
}

impl Architecture for SimpleNetConfig {
    type Network = SimpleNet;

    fn validate(&self) -> Result<(), ConfigError> {
        ConfigError::check_features(self.features, 1)?;
        ConfigError::check_gain(self.init_gain)?;
        ConfigError::check_channels(self.channels)
    }

    fn channels(&self) -> Option<usize> {
        self.channels
    }

    fn set_channels(&mut self, channels: usize) {
        self.channels = Some(channels);
    }

    fn depth(&self) -> usize {
        2
    }

    /// The kernels of 2x2 at stride 2 make blocks that do not overlap.
    fn input_span(&self, output: Span) -> Span {
        let bottom = output.upsampling().upsampling();
        bottom.downsampling().downsampling()
    }

    /// `channels + C / 4`, of the first layer, whose output has half the sides.
    fn values_per_pixel(&self) -> usize {
        self.image_channels() + self.features.div_ceil(4)
    }

    fn summary(&self) -> String {
        let channels = self.image_channels();
        format!(
            "simple net with {} features and {channels} channels",
            self.features
        )
    }

    fn implementation(&self, device: &Device) -> &'static str {
        self.implementation.resolve(device).name()
    }

    fn set_implementation(&mut self, name: &str) -> bool {
        let implementation = Implementation::named(name);
        self.implementation = implementation.unwrap_or(self.implementation);
        implementation.is_some()
    }

    fn has_custom_backward(&self) -> bool {
        self.implementation == Implementation::Layers
    }

    fn build(
        &self,
        source: &mut dyn ParameterSource,
        device: &Device,
    ) -> Result<SimpleNet, ParameterError> {
        // The layers read their parameters from the modules.
        let scratch = self.implementation.resolve(device) != Implementation::Burn;
        let init = match self.init {
            Init::Default => (Init::XavierNormal, None),
            init => (init, self.init_gain),
        };
        let mut builder = Builder {
            source,
            device,
            scratch,
            init,
        };
        let shape = |channels| Shape::strided(channels, SIZE);
        let channels = self.image_channels();
        let (outer, inner) = ([channels, self.features], [self.features, self.features]);
        let back = [self.features, channels];
        Ok(SimpleNet {
            conv0: builder.conv2d(&["conv0".into()], &shape(outer))?,
            conv1: builder.conv2d(&["conv1".into()], &shape(inner))?,
            tconv0: builder.conv_transpose2d(&["tconv0".into()], &shape(inner))?,
            tconv1: builder.conv_transpose2d(&["tconv1".into()], &shape(back))?,
            implementation: self.implementation,
        })
    }
}

/// The simple net: `conv, ReLU, conv, ReLU, tconv, ReLU, tconv, Sigmoid`, each kernel 2x2 with
/// stride 2.
#[derive(Module, Debug)]
pub struct SimpleNet {
    conv0: Conv2d,
    conv1: Conv2d,
    tconv0: ConvTranspose2d,
    tconv1: ConvTranspose2d,
    #[module(skip)]
    implementation: Implementation,
}

impl Forward for SimpleNet {
    /// The denoised images.
    ///
    /// # Shapes
    /// - `x`: `[batch_size, channels, height, width]`, sides divisible by 4
    /// - output: the same, values in `(0, 1)`
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        if self.implementation == Implementation::Layers {
            return self.layers().forward(x.without_autodiff());
        }
        let y = self.conv0.forward_activated(x, None); // [N, C, H / 2, W / 2]
        let y = self.conv1.forward_activated(y, None); // [N, C, H / 4, W / 4]
        let y = self.tconv0.forward_activated(y); // [N, C, H / 2, W / 2]
        sigmoid(self.tconv1.forward(y), self.is_scratch()) // [N, channels, H, W]
    }

    fn is_scratch(&self) -> bool {
        matches!(self.conv0, Conv2d::Scratch(_))
    }

    fn graph(&self, layout: &Layout) -> Option<Graph> {
        if self.implementation == Implementation::Layers || !self.is_scratch() {
            return None;
        }
        let mut network = self.clone();
        let kernels = network.kernels().into_iter().enumerate();
        let blocks = kernels.map(|(index, (weight, bias))| {
            let direction = if index < 2 {
                Direction::Forward
            } else {
                Direction::Transposed
            };
            Some(Block {
                kernel: n2n_scratch::Kernel::Other(direction, geometry()),
                x: index.checked_sub(1).map_or(Source::Input, Source::Block),
                skip: None,
                pooled: false,
                weight: layout.place(weight.id)?,
                bias: layout.place(bias.as_ref()?.id)?,
                // A sigmoid follows the last one.
                slope: Slope::Constant(if index < 3 { 0.0 } else { 1.0 }),
            })
        });
        Some(Graph::new(blocks.collect::<Option<_>>()?, Head::Sigmoid))
    }

    /// Mean squared error and its gradients by the layers' own backward passes, if they compute the network.
    fn custom_backward(
        &self,
        x: &Tensor<4>,
        target: &Tensor<4>,
    ) -> Option<(Tensor<1>, GradientsParams)> {
        if self.implementation != Implementation::Layers {
            return None;
        }
        let (x, target) = (
            x.clone().without_autodiff(),
            target.clone().without_autodiff(),
        );
        let mut layers = self.layers();
        let (loss, _) = layers.forward_and_vjp(x, |y| Mse.forward_and_vjp(y, target));
        let mut gradients = GradientsParams::new();
        for ((weight, bias), learned) in self.clone().kernels().into_iter().zip(layers.parameters())
        {
            if let Some(gradient) = learned.d_weight.take() {
                gradients.register(weight.id, gradient);
            }
            if let (Some(bias), Some(gradient)) = (bias, learned.d_bias.take()) {
                gradients.register(bias.id, gradient);
            }
        }
        Some((loss, gradients))
    }
}

/// That of every layer.
fn geometry() -> ConvGeometry {
    let geometry = ConvGeometry::new(SIZE).and_then(|geometry| geometry.with_stride(SIZE));
    geometry.unwrap_or_else(|error| unreachable!("no axis is zero: {error}"))
}

impl SimpleNet {
    /// The network as hand-written layers.
    fn layers(&self) -> Sequential {
        let geometry = geometry();
        let fits = "the parameters were checked when the module was built";
        let mut network = self.clone();
        let [conv0, conv1, tconv0, tconv1] = network.kernels().map(|(weight, bias)| {
            // Plain tensors: Burn's autodiff has no part in this.
            let bias = bias.as_ref().map(|bias| bias.val().without_autodiff());
            (weight.val().without_autodiff(), bias)
        });
        let conv = |(weight, bias)| -> Box<dyn Layer> {
            Box::new(layers::Conv2d::new(weight, bias, geometry).expect(fits))
        };
        let tconv = |(weight, bias)| -> Box<dyn Layer> {
            Box::new(layers::ConvTranspose2d::new(weight, bias, geometry, [0, 0]).expect(fits))
        };
        Sequential::new(vec![
            conv(conv0),
            Box::new(ReLU),
            conv(conv1),
            Box::new(ReLU),
            tconv(tconv0),
            Box::new(ReLU),
            tconv(tconv1),
            Box::new(Sigmoid),
        ])
    }

    /// Kernels and biases, the first layer's first.
    fn kernels(&mut self) -> [Kernel<'_>; 4] {
        [
            self.conv0.kernel(),
            self.conv1.kernel(),
            self.tconv0.kernel(),
            self.tconv1.kernel(),
        ]
    }
}
