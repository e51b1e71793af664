//! The simple net of the reference: two strided convolutions and their way back.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use n2n_scratch::ConvGeometry;
use n2n_scratch::layers::{self, Layer, Mse, ReLU, Sequential, Sgd, Sigmoid};
use serde::{Deserialize, Serialize};

use crate::conv::{Conv2d, ConvTranspose2d, Convolution, Kernel, sigmoid};
use crate::parameters::{Builder, Shape, named_parameters};
use crate::unet::CHANNELS;
use crate::{Init, ParameterError, ParameterSource, StateDict};

/// Kernel and stride of each layer: an image is halved twice, and doubled twice.
const SIZE: [usize; 2] = [2, 2];

/// Who computes a [`SimpleNet`]; parameters are the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Implementation {
    /// The fastest on the device: `Scratch` on the CPU, `Burn` elsewhere.
    #[default]
    Auto,
    /// Burn's own modules.
    Burn,
    /// Burn modules over the ops of `n2n_scratch`, differentiated by Burn's autodiff.
    Scratch,
    /// Hand-written layers with their own backward pass and SGD, without Burn's autodiff.
    Layers,
}

impl Implementation {
    /// Every one that can be chosen by name to compute a network.
    pub const ALL: [Self; 3] = [Self::Burn, Self::Scratch, Self::Layers];

    /// Its name in a config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Burn => "burn",
            Self::Scratch => "scratch",
            Self::Layers => "layers",
        }
    }

    /// What `Auto` stands for on this device.
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
/// use n2n_model::SimpleNetConfig;
///
/// let device = Device::flex();
/// let network = SimpleNetConfig { features: 5, ..SimpleNetConfig::default() }.init(7, &device);
/// let denoised = network.forward(Tensor::zeros([1, 3, 8, 12], &device));
/// assert_eq!(denoised.dims(), [1, 3, 8, 12]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimpleNetConfig {
    /// Colour channels of the images; 3 where unset.
    pub channels: Option<usize>,
    /// Channels between the layers.
    pub features: usize,
    /// What kernels start from.
    pub init: Init,
    /// Gain of a Xavier or Kaiming [`Init`]; `sqrt(2)` where unset.
    pub init_gain: Option<f64>,
    /// Who computes it.
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
    /// Times that an image is halved.
    pub const DEPTH: usize = 2;

    /// A network with initial parameters, drawn from `seed` on the host: the same on every device.
    pub fn init(&self, seed: u64, device: &Device) -> SimpleNet {
        self.build(&mut crate::RandomInit::new(seed), device)
            .unwrap_or_else(|error| unreachable!("random parameters always fit: {error}"))
    }

    /// A network with the parameters of `state`, under the names `conv0`, `conv1`, `tconv0`,
    /// `tconv1`.
    ///
    /// # Errors
    /// When a parameter is missing, superfluous or of another shape.
    pub fn load(&self, mut state: StateDict, device: &Device) -> Result<SimpleNet, ParameterError> {
        let network = self.build(&mut state, device)?;
        match state.into_keys().next() {
            Some(name) => Err(ParameterError::Unexpected { name }),
            None => Ok(network),
        }
    }

    fn build(
        &self,
        source: &mut impl ParameterSource,
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
        let shape = |channels| Shape {
            channels,
            kernel_size: SIZE,
            stride: SIZE,
            padding: [[0, 0], [0, 0]],
        };
        let channels = self.channels.unwrap_or(CHANNELS);
        let (outer, inner) = ([channels, self.features], [self.features, self.features]);
        let back = [self.features, channels];
        Ok(SimpleNet {
            conv0: builder.convolution(&["conv0".into()], &shape(outer))?,
            conv1: builder.convolution(&["conv1".into()], &shape(inner))?,
            tconv0: builder.transposed(&["tconv0".into()], &shape(inner))?,
            tconv1: builder.transposed(&["tconv1".into()], &shape(back))?,
            implementation: self.implementation,
        })
    }

    /// Every parameter of `network` under its name.
    pub fn state_dict(&self, network: &SimpleNet) -> StateDict {
        named_parameters(network).into_iter().collect()
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

impl SimpleNet {
    /// The denoised images.
    ///
    /// # Shapes
    /// - `x`: `[batch_size, channels, height, width]`, sides divisible by 4
    /// - output: the same, values in `(0, 1)`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        if self.implementation == Implementation::Layers {
            return self.layers().forward(x);
        }
        let y = self.conv0.forward_activated(x, None); // [N, C, H / 2, W / 2]
        let y = self.conv1.forward_activated(y, None); // [N, C, H / 4, W / 4]
        let y = self.tconv0.forward_activated(y); // [N, C, H / 2, W / 2]
        sigmoid(self.tconv1.forward(y), self.is_scratch()) // [N, channels, H, W]
    }

    /// Whether the ops of `n2n_scratch` compute it.
    pub(crate) fn is_scratch(&self) -> bool {
        matches!(self.conv0, Conv2d::Scratch(_))
    }

    /// Whether the network brings its own backward pass and update rule.
    pub fn is_by_hand(&self) -> bool {
        self.implementation == Implementation::Layers
    }

    /// Mean squared error and its gradients, by the layers' own backward passes.
    pub fn loss_and_gradients(
        &self,
        x: Tensor<4>,
        target: Tensor<4>,
    ) -> (Tensor<1>, GradientsParams) {
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
        (loss, gradients)
    }

    /// One step of the hand-written SGD.
    #[must_use]
    pub fn descend(mut self, lr: f64, mut gradients: GradientsParams) -> Self {
        let mut layers = self.layers();
        for ((weight, bias), learned) in self.kernels().into_iter().zip(layers.parameters()) {
            learned.d_weight = gradients.remove(weight.id);
            learned.d_bias = bias.as_ref().and_then(|bias| gradients.remove(bias.id));
        }
        Sgd { lr }.step(&mut layers);
        for ((weight, bias), learned) in self.kernels().into_iter().zip(layers.parameters()) {
            *weight = weight.clone().map(|_| learned.weight.clone());
            if let (Some(bias), Some(learned)) = (bias, &learned.bias) {
                *bias = bias.clone().map(|_| learned.clone());
            }
        }
        self
    }

    /// The network as hand-written layers.
    fn layers(&self) -> Sequential {
        let geometry = ConvGeometry::new(SIZE).and_then(|geometry| geometry.with_stride(SIZE));
        let geometry = geometry.unwrap_or_else(|error| unreachable!("no axis is zero: {error}"));
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
