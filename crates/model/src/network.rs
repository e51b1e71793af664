//! Any of the networks, chosen by a config.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::conv::{Convolution, mse};
use crate::{
    Implementation, Loss, Output, ParameterError, SimpleNet, SimpleNetConfig, SizeError, StateDict,
    UNet, UNetConfig,
};

/// Configuration of a [`Network`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum NetworkConfig {
    /// The reference U-Net.
    UNet(UNetConfig),
    /// The reference's simple net.
    Simple(SimpleNetConfig),
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self::UNet(UNetConfig::default())
    }
}

impl NetworkConfig {
    /// Checks that a network of this configuration exists.
    ///
    /// # Errors
    /// When an option is out of range.
    pub fn validate(&self) -> Result<(), SizeError> {
        match self {
            Self::UNet(config) => config.validate(),
            Self::Simple(config) if config.features == 0 => Err(SizeError::Features {
                features: 0,
                least: 1,
            }),
            Self::Simple(config) => {
                SizeError::check_gain(config.init_gain)?;
                SizeError::check_channels(config.channels)
            }
        }
    }

    /// Checks that images of this size pass through the network.
    ///
    /// # Errors
    /// When a side cannot be halved often enough.
    pub fn check_image(&self, height: usize, width: usize) -> Result<(), SizeError> {
        self.validate()?;
        SizeError::check(height, width, self.depth())
    }

    /// What the sides of images must be multiples of.
    pub fn divisor(&self) -> usize {
        1 << self.depth()
    }

    /// Colour channels of the images, where they are said.
    pub fn channels(&self) -> Option<usize> {
        match self {
            Self::UNet(config) => config.channels,
            Self::Simple(config) => config.channels,
        }
    }

    /// The same network for images with so many channels.
    pub fn with_channels(mut self, channels: usize) -> Self {
        match &mut self {
            Self::UNet(config) => config.channels = Some(channels),
            Self::Simple(config) => config.channels = Some(channels),
        }
        self
    }

    /// Times that the network halves an image.
    fn depth(&self) -> usize {
        match self {
            Self::UNet(config) => config.depth,
            Self::Simple(_) => SimpleNetConfig::DEPTH,
        }
    }

    /// Whether the network brings its own backward pass and update rule.
    pub fn is_by_hand(&self) -> bool {
        matches!(self, Self::Simple(config) if config.implementation == Implementation::Layers)
    }

    /// Whether the output is the input plus what the layers say.
    pub fn is_residual(&self) -> bool {
        matches!(self, Self::UNet(config) if config.output == Output::Residual)
    }

    /// Whether training leaves values out at random.
    pub fn has_dropout(&self) -> bool {
        matches!(self, Self::UNet(config) if config.dropout > 0.0)
    }

    /// Who computes the network on a device: `burn`, `scratch` or `layers`.
    pub fn implementation(&self, device: &Device) -> &'static str {
        match self {
            Self::UNet(config) => config.conv.resolve(device).name(),
            Self::Simple(config) => config.implementation.resolve(device).name(),
        }
    }

    /// The same network, computed by the one of this name; the U-Net has no layers.
    pub fn with_implementation(&self, name: &str) -> Option<Self> {
        match self {
            Self::UNet(config) => {
                let mut all = Convolution::ALL.into_iter();
                let conv = all.find(|conv| conv.name() == name)?;
                Some(Self::UNet(UNetConfig {
                    conv,
                    ..config.clone()
                }))
            }
            Self::Simple(config) => {
                let mut all = Implementation::ALL.into_iter();
                let implementation = all.find(|implementation| implementation.name() == name)?;
                Some(Self::Simple(SimpleNetConfig {
                    implementation,
                    ..config.clone()
                }))
            }
        }
    }

    /// A network with initial parameters, drawn from `seed` on the host.
    pub fn init(&self, seed: u64, device: &Device) -> Network {
        match self {
            Self::UNet(config) => Network::UNet(config.init(seed, device)),
            Self::Simple(config) => Network::Simple(config.init(seed, device)),
        }
    }

    /// A network with the parameters of `state`.
    ///
    /// # Errors
    /// When they are not those of such a network.
    pub fn load(&self, state: StateDict, device: &Device) -> Result<Network, ParameterError> {
        Ok(match self {
            Self::UNet(config) => Network::UNet(config.load(state, device)?),
            Self::Simple(config) => Network::Simple(config.load(state, device)?),
        })
    }

    /// Every parameter of `network` under its name.
    ///
    /// # Panics
    /// If the network is of another kind.
    pub fn state_dict(&self, network: &Network) -> StateDict {
        match (self, network) {
            (Self::UNet(config), Network::UNet(network)) => config.state_dict(network),
            (Self::Simple(config), Network::Simple(network)) => config.state_dict(network),
            _ => panic!("expected a network of {self:?}"),
        }
    }
}

/// Any of the networks.
#[derive(Module, Debug)]
pub enum Network {
    /// The reference U-Net.
    UNet(UNet),
    /// The reference's simple net.
    Simple(SimpleNet),
}

impl Network {
    /// The denoised images, of the shape of `x`: `[batch_size, channels, height, width]`.
    ///
    /// # Panics
    /// If a side cannot be halved often enough.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::UNet(network) => network.forward(x),
            Self::Simple(network) => network.forward(x),
        }
    }

    /// The loss of an output at `progress` from 0 to 1 through the run, where the target says
    /// anything.
    ///
    /// `sum(mask loss(output, target)) / (channels sum(mask))`, the mask all ones where there is none
    ///
    /// # Shapes
    /// - `output`, `target`: `[batch_size, channels, height, width]`
    /// - `mask`: `[batch_size, 1, height, width]`, of ones and zeros
    /// - the loss: `[1]`
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn loss(
        &self,
        loss: Loss,
        progress: f64,
        output: Tensor<4>,
        target: Tensor<4>,
        mask: Option<Tensor<4>>,
    ) -> Tensor<1> {
        match mask {
            None if loss == Loss::L2 => mse(output, target, self.is_scratch()),
            None => loss.of_values(output, target, progress).mean(),
            Some(mask) => {
                // Where no pixel counts there is no error.
                let count = mask.clone().sum().clamp_min(1.0) * output.dims()[1] as f32;
                (loss.of_values(output, target, progress) * mask).sum() / count
            }
        }
    }

    /// Whether the ops of `n2n_scratch` compute it.
    fn is_scratch(&self) -> bool {
        match self {
            Self::UNet(network) => network.is_scratch(),
            Self::Simple(network) => network.is_scratch(),
        }
    }

    /// The network, if it brings its own backward pass and update rule.
    pub fn by_hand(&self) -> Option<&SimpleNet> {
        match self {
            Self::Simple(network) if network.is_by_hand() => Some(network),
            _ => None,
        }
    }
}
