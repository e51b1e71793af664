//! The reference U-Net of Noise2Noise: `mod.rs` computes it, `architecture.rs` describes it, `build.rs` gives
//! it its parameters.

mod architecture;
mod build;
mod config;
mod graph;
mod sharing;

use burn::module::Module;
use burn::nn::{Dropout, PRelu};
use burn::tensor::Tensor;
use n2n_scratch::Graph;

pub use self::config::{Activation, Output, UNetConfig};
pub use self::sharing::Sharing;
use crate::Layout;
use crate::architecture::Forward;
use crate::conv::{Conv2d, sigmoid};
use crate::norm::BatchNorm;

/// The reference U-Net: an encoder that halves the image `depth` times, and a decoder that
/// upsamples it, each level concatenated with the encoder's image of the same size.
#[derive(Module, Debug)]
pub struct UNet {
    conv0: Conv2d,
    eblocks: Vec<EncoderBlock>,
    conv1: Conv2d,
    dblocks: Vec<DecoderBlock>,
    conv2: Conv2d,
    relu: Option<PRelu>,
    #[module(skip)]
    sharing: Sharing,
    #[module(skip)]
    output: Output,
}

impl Forward for UNet {
    /// The denoised images.
    ///
    /// # Shapes
    /// - `x`: `[batch_size, channels, height, width]`
    /// - output: the same, with [`Output::Sigmoid`] values in `(0, 1)`
    ///
    /// # Panics
    /// If a side is not divisible by `2^depth`.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let depth = self.sharing.depth;
        let [_, _, height, width] = x.dims();
        let multiple = 1 << depth;
        assert!(
            height % multiple == 0 && width % multiple == 0,
            "expected sides divisible by {multiple}, got {height}x{width}"
        );
        let mut skips = vec![x.clone()]; // [N, channels, H, W]
        let mut y = self.conv0.forward_activated(x.clone(), self.relu.as_ref()); // [N, C_e, H, W]
        for level in 0..depth {
            let block = &self.eblocks[self.sharing.encoder_block(level)];
            y = block.forward(y); // [N, C_e, H / 2^(level + 1), W / 2^(level + 1)]
            skips.push(y.clone());
        }
        skips.pop(); // the deepest image goes on through the bottom
        y = self.conv1.forward_activated(y, self.relu.as_ref()); // [N, C_e, H / 2^depth, W / 2^depth]
        for (level, skip) in skips.into_iter().rev().enumerate() {
            let block = &self.dblocks[self.sharing.decoder_block(level)];
            y = block.forward(y, skip); // upsampled; C_d channels, C_d / 3 at the end
        }
        y = self.conv2.forward(y); // [N, channels, H, W]
        match self.output {
            Output::Sigmoid => sigmoid(y, self.is_scratch()),
            Output::Residual => x + y,
            Output::Linear => y,
        }
    }

    fn is_scratch(&self) -> bool {
        matches!(self.conv2, Conv2d::Scratch(_))
    }

    fn graph(&self, layout: &Layout) -> Option<Graph> {
        self.block_graph(layout)
    }
}

/// Convolution, PReLU for each channel, max-pooling by 2.
#[derive(Module, Debug)]
pub struct EncoderBlock {
    conv: Conv2d,
    norm: Option<BatchNorm>,
    relu: PRelu,
    dropout: Option<Dropout>,
}

impl EncoderBlock {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.conv.forward_pooled(x, self.norm.as_ref(), &self.relu);
        dropped(y, self.dropout.as_ref())
    }
}

/// Nearest-neighbour upsampling by 2, concatenation with the encoder's image, and two
/// convolutions with PReLU for each channel.
#[derive(Module, Debug)]
pub struct DecoderBlock {
    conv0: Conv2d,
    norm0: Option<BatchNorm>,
    relu0: PRelu,
    conv1: Conv2d,
    norm1: Option<BatchNorm>,
    relu1: PRelu,
    dropout: Option<Dropout>,
}

impl DecoderBlock {
    fn forward(&self, x: Tensor<4>, skip: Tensor<4>) -> Tensor<4> {
        let (norm0, norm1) = (self.norm0.as_ref(), self.norm1.as_ref());
        let y = self.conv0.forward_upsampled(x, skip, norm0, &self.relu0);
        let y = self.conv1.forward_normalized(y, norm1, &self.relu1);
        dropped(y, self.dropout.as_ref())
    }
}

fn dropped(x: Tensor<4>, dropout: Option<&Dropout>) -> Tensor<4> {
    match dropout {
        Some(dropout) => dropout.forward(x),
        None => x,
    }
}
