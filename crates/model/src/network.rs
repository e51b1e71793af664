//! Any of the networks, chosen by a config.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::conv::{Convolution, mse};
use crate::{
    Implementation, ParameterError, SimpleNet, SimpleNetConfig, SizeError, StateDict, UNet,
    UNetConfig,
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
            Self::Simple(_) => Ok(()),
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
    /// The denoised images, of the shape of `x`: `[batch_size, 3, height, width]`.
    ///
    /// # Panics
    /// If a side cannot be halved often enough.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::UNet(network) => network.forward(x),
            Self::Simple(network) => network.forward(x),
        }
    }

    /// Mean squared error of an output, by those who compute the network.
    ///
    /// # Shapes
    /// - `output`, `target`: `[batch_size, 3, height, width]`
    /// - the error: `[1]`
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn mse(&self, output: Tensor<4>, target: Tensor<4>) -> Tensor<1> {
        let scratch = match self {
            Self::UNet(network) => network.is_scratch(),
            Self::Simple(network) => network.is_scratch(),
        };
        mse(output, target, scratch)
    }

    /// The network, if it brings its own backward pass and update rule.
    pub fn by_hand(&self) -> Option<&SimpleNet> {
        match self {
            Self::Simple(network) if network.is_by_hand() => Some(network),
            _ => None,
        }
    }
}
