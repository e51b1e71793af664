//! The convolutions of the networks, by Burn or by `n2n_scratch`.

use burn::module::{Module, Param};
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{self, PRelu};
use burn::tensor::activation::relu;
use burn::tensor::module::{interpolate, max_pool2d};
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};
use n2n_scratch::Activation;
use serde::{Deserialize, Serialize};

use crate::norm::BatchNorm;

/// Implementation of a network's convolutions; parameters are the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Convolution {
    /// `Scratch` where it has kernels, on the CPU and on graphics devices; `Burn` elsewhere.
    #[default]
    Auto,
    /// Burn's own.
    Burn,
    /// Those of `n2n_scratch`.
    Scratch,
}

impl Convolution {
    /// Every implementation but `Auto`.
    pub const ALL: [Self; 2] = [Self::Burn, Self::Scratch];

    /// The implementation of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|conv| conv.name() == name)
    }

    /// Its name in a config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Burn => "burn",
            Self::Scratch => "scratch",
        }
    }

    /// The implementation that `Auto` selects on this device.
    pub(crate) fn resolve(self, device: &Device) -> Self {
        match self {
            Self::Auto if n2n_scratch::has_fused_kernels(device) => Self::Scratch,
            Self::Auto => Self::Burn,
            chosen => chosen,
        }
    }
}

/// The logistic function.
pub(crate) fn sigmoid(x: Tensor<4>, scratch: bool) -> Tensor<4> {
    if scratch {
        n2n_scratch::sigmoid(x)
    } else {
        burn::tensor::activation::sigmoid(x)
    }
}

/// Mean squared error.
pub(crate) fn mse(x: Tensor<4>, y: Tensor<4>, scratch: bool) -> Tensor<1> {
    if scratch {
        n2n_scratch::mse(x, y)
    } else {
        MseLoss::new().forward(x, y, Reduction::Mean)
    }
}

/// A convolution.
#[derive(Module, Debug)]
pub enum Conv2d {
    /// Burn's own.
    Burn(nn::conv::Conv2d),
    /// Those of `n2n_scratch`.
    Scratch(n2n_scratch::Conv2d),
}

impl Conv2d {
    /// Convolves a batch; the output is `[batch_size, channels_out, height_out, width_out]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Burn(conv) => conv.forward(x),
            Self::Scratch(conv) => conv.forward(x),
        }
    }

    /// The convolution and a PReLU, or a ReLU if there is no PReLU.
    pub(crate) fn forward_activated(&self, x: Tensor<4>, prelu: Option<&PRelu>) -> Tensor<4> {
        match self {
            Self::Burn(conv) => activated(conv.forward(x), prelu),
            Self::Scratch(conv) => conv.forward_activated(x, activation(prelu)),
        }
    }

    /// The convolution, an optional normalization and a PReLU.
    pub(crate) fn forward_normalized(
        &self,
        x: Tensor<4>,
        norm: Option<&BatchNorm>,
        prelu: &PRelu,
    ) -> Tensor<4> {
        match norm {
            None => self.forward_activated(x, Some(prelu)),
            Some(norm) => prelu.forward(norm.forward(self.forward(x))),
        }
    }

    /// The convolution of `x`, upsampled by 2 (nearest neighbour) and concatenated with `skip`, an optional
    /// normalization and a PReLU.
    pub(crate) fn forward_upsampled(
        &self,
        x: Tensor<4>,
        skip: Tensor<4>,
        norm: Option<&BatchNorm>,
        prelu: &PRelu,
    ) -> Tensor<4> {
        match (self, norm) {
            (Self::Burn(_), _) => {
                let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
                let x = interpolate(x, nearest.with_scale_factor([2.0, 2.0]));
                self.forward_normalized(Tensor::cat(vec![x, skip], 1), norm, prelu)
            }
            (Self::Scratch(conv), None) => conv.forward_upsampled(x, skip, activation(Some(prelu))),
            (Self::Scratch(conv), Some(norm)) => {
                let y = conv.forward_upsampled(x, skip, Activation::Linear);
                prelu.forward(norm.forward(y))
            }
        }
    }

    /// The convolution, an optional normalization, a PReLU and 2x2 max-pooling.
    pub(crate) fn forward_pooled(
        &self,
        x: Tensor<4>,
        norm: Option<&BatchNorm>,
        prelu: &PRelu,
    ) -> Tensor<4> {
        match (self, norm) {
            (Self::Burn(_), _) => {
                let y = self.forward_normalized(x, norm, prelu);
                max_pool2d(y, MaxPoolOptions::new([2, 2]))
            }
            (Self::Scratch(conv), None) => conv.forward_pooled(x, activation(Some(prelu))),
            (Self::Scratch(_), Some(_)) => {
                n2n_scratch::max_pool2x2(self.forward_normalized(x, norm, prelu))
            }
        }
    }
}

fn activated(x: Tensor<4>, prelu: Option<&PRelu>) -> Tensor<4> {
    match prelu {
        Some(prelu) => prelu.forward(x),
        None => relu(x),
    }
}

fn activation(prelu: Option<&PRelu>) -> Activation {
    match prelu {
        Some(prelu) => Activation::PReLU(prelu.alpha.val()),
        None => Activation::ReLU,
    }
}

/// A transposed convolution.
#[derive(Module, Debug)]
pub enum ConvTranspose2d {
    /// Burn's own.
    Burn(nn::conv::ConvTranspose2d),
    /// Those of `n2n_scratch`.
    Scratch(n2n_scratch::ConvTranspose2d),
}

impl ConvTranspose2d {
    /// Applies the transposed convolution to a batch.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Burn(conv) => conv.forward(x),
            Self::Scratch(conv) => conv.forward(x),
        }
    }

    /// The transposed convolution and a ReLU.
    pub(crate) fn forward_activated(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Burn(conv) => activated(conv.forward(x), None),
            Self::Scratch(conv) => conv.forward_activated(x, activation(None)),
        }
    }
}

/// A kernel and its bias.
pub(crate) type Kernel<'a> = (&'a mut Param<Tensor<4>>, &'a mut Option<Param<Tensor<1>>>);

impl Conv2d {
    pub(crate) fn kernel(&mut self) -> Kernel<'_> {
        match self {
            Self::Burn(conv) => (&mut conv.weight, &mut conv.bias),
            Self::Scratch(conv) => (&mut conv.weight, &mut conv.bias),
        }
    }
}

impl ConvTranspose2d {
    pub(crate) fn kernel(&mut self) -> Kernel<'_> {
        match self {
            Self::Burn(conv) => (&mut conv.weight, &mut conv.bias),
            Self::Scratch(conv) => (&mut conv.weight, &mut conv.bias),
        }
    }
}
