//! Configuration of the U-Net.

use serde::{Deserialize, Serialize};

use super::sharing::Sharing;
use crate::Init;
use crate::architecture::DEFAULT_CHANNELS;
use crate::conv::Convolution;

/// The scalar activation after the first and the bottom convolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// One PReLU slope, shared by both places.
    #[default]
    PRelu,
    /// A plain ReLU, as in the published checkpoint.
    Relu,
}

/// Output of the network, given its last convolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// The logistic function of the convolution, the reference's output.
    #[default]
    Sigmoid,
    /// The input plus the convolution: the network learns the negative noise (Zhang et al., "Beyond a
    /// Gaussian Denoiser", 2017).
    Residual,
    /// The convolution as it is.
    Linear,
}

/// Configuration of a [`UNet`](super::UNet).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use n2n_model::{Architecture, Forward, UNetConfig};
///
/// let device = Device::flex();
/// let config = UNetConfig { features: 4, depth: 2, ..UNetConfig::default() };
/// let network = config.init(7, &device);
/// let denoised = network.forward(Tensor::zeros([1, 3, 8, 12], &device));
/// assert_eq!(denoised.dims(), [1, 3, 8, 12]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UNetConfig {
    /// Colour channels of the images; 3 if unset.
    pub channels: Option<usize>,
    /// Channels of the encoder, C_e; the decoder has twice as many, C_d.
    pub features: usize,
    /// Number of downsampling steps, N_e; at least 2.
    pub depth: usize,
    /// One encoder block serves all levels, and one decoder block all middle levels.
    pub share_weights: bool,
    /// The scalar activation.
    pub activation: Activation,
    /// Output, given the last convolution.
    pub output: Output,
    /// Batch normalization between each convolution of a block and its activation; with shared
    /// weights, one serves all levels.
    pub batch_norm: bool,
    /// Share of the values that training drops after each block.
    pub dropout: f64,
    /// Distribution of initial kernels.
    pub init: Init,
    /// Gain of a Xavier or Kaiming [`Init`]; `sqrt(2)` if unset.
    pub init_gain: Option<f64>,
    /// Implementation of the convolutions; a state dict fits both.
    pub conv: Convolution,
}

impl Default for UNetConfig {
    fn default() -> Self {
        Self {
            channels: None,
            features: 32,
            depth: 4,
            share_weights: true,
            activation: Activation::PRelu,
            output: Output::Sigmoid,
            batch_norm: false,
            dropout: 0.0,
            init: Init::Default,
            init_gain: None,
            conv: Convolution::Auto,
        }
    }
}

impl UNetConfig {
    /// The blocks that levels share.
    pub fn sharing(&self) -> Sharing {
        Sharing {
            depth: self.depth,
            shared: self.share_weights,
        }
    }

    /// Colour channels of the images.
    pub(super) fn image_channels(&self) -> usize {
        self.channels.unwrap_or(DEFAULT_CHANNELS)
    }
}
