//! The convolution of the networks: Burn's own, or the hand-written one.

use burn::module::Module;
use burn::nn;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Whose convolution computes a network; parameters are the same for both.
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

/// A convolution that keeps the size.
#[derive(Module, Debug)]
pub enum Conv2d {
    /// Burn's own.
    Burn(nn::conv::Conv2d),
    /// Matrix products over unfolded patches.
    Scratch(n2n_scratch::Conv2d),
}

impl Conv2d {
    /// # Shapes
    /// - `x`: `[batch_size, channels_in, height, width]`
    /// - output: `[batch_size, channels_out, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Burn(conv) => conv.forward(x),
            Self::Scratch(conv) => conv.forward(x),
        }
    }
}
