//! The convolutions of the networks: Burn's own, or the hand-written ones.

use burn::module::{Module, Param};
use burn::nn;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Whose convolutions compute a network; parameters are the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Convolution {
    /// Burn's own.
    #[default]
    Burn,
    /// Matrix products over unfolded patches, from `n2n_scratch`.
    Scratch,
}

impl Convolution {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Burn, Self::Scratch];

    /// Its name in a config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Burn => "burn",
            Self::Scratch => "scratch",
        }
    }
}

/// A convolution.
#[derive(Module, Debug)]
pub enum Conv2d {
    /// Burn's own.
    Burn(nn::conv::Conv2d),
    /// Matrix products over unfolded patches.
    Scratch(n2n_scratch::Conv2d),
}

impl Conv2d {
    /// The convolved batch, `[batch_size, channels_out, height_out, width_out]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Burn(conv) => conv.forward(x),
            Self::Scratch(conv) => conv.forward(x),
        }
    }
}

/// A transposed convolution.
#[derive(Module, Debug)]
pub enum ConvTranspose2d {
    /// Burn's own.
    Burn(nn::conv::ConvTranspose2d),
    /// Matrix products over unfolded patches.
    Scratch(n2n_scratch::ConvTranspose2d),
}

impl ConvTranspose2d {
    /// The batch, convolved the other way round.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Burn(conv) => conv.forward(x),
            Self::Scratch(conv) => conv.forward(x),
        }
    }
}

/// A kernel and its bias, to be read or replaced.
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
