//! The convolutions of the networks: Burn's own, or the hand-written ones.

use burn::module::{Module, Param};
use burn::nn::{self, PRelu};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{interpolate, max_pool2d};
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, MaxPoolOptions};
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

impl Conv2d {
    /// The convolved batch through a PReLU, or through a ReLU if there is none.
    pub(crate) fn forward_activated(&self, x: Tensor<4>, prelu: Option<&PRelu>) -> Tensor<4> {
        match self {
            Self::Burn(conv) => {
                let y = conv.forward(x);
                match prelu {
                    Some(prelu) => prelu.forward(y),
                    None => relu(y),
                }
            }
            Self::Scratch(conv) => {
                let alpha = match prelu {
                    Some(prelu) => prelu.alpha.val(),
                    None => Tensor::zeros([1], &x.device().inner()),
                };
                conv.forward_prelu(x, alpha)
            }
        }
    }

    /// The convolution of `x`, doubled (nearest neighbour) and joined with `skip`, through a PReLU.
    pub(crate) fn forward_upsampled(
        &self,
        x: Tensor<4>,
        skip: Tensor<4>,
        prelu: &PRelu,
    ) -> Tensor<4> {
        match self {
            Self::Burn(conv) => {
                let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
                let x = interpolate(x, nearest.with_scale_factor([2.0, 2.0]));
                prelu.forward(conv.forward(Tensor::cat(vec![x, skip], 1)))
            }
            Self::Scratch(conv) => conv.forward_upsampled_prelu(x, skip, prelu.alpha.val()),
        }
    }

    /// The convolution through a PReLU, and the largest of each 2x2 pixels.
    pub(crate) fn forward_pooled(&self, x: Tensor<4>, prelu: &PRelu) -> Tensor<4> {
        let y = self.forward_activated(x, Some(prelu));
        match self {
            Self::Burn(_) => max_pool2d(y, MaxPoolOptions::new([2, 2])),
            Self::Scratch(_) => n2n_scratch::max_pool2x2(y),
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
