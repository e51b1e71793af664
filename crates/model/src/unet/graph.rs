//! The U-Net as a graph of blocks, which computes its gradients without a tape.

use burn::module::{Param, ParamId};
use burn::nn::PRelu;
use burn::tensor::Tensor;
use n2n_scratch::{Block, Graph, Head, Kernel, Slope, Source};

use super::config::Output;
use super::{DecoderBlock, EncoderBlock, UNet};
use crate::Layout;
use crate::conv::Conv2d;

/// Blocks so far, and where their parameters lie.
struct Builder<'a> {
    layout: &'a Layout,
    blocks: Vec<Block>,
}

impl UNet {
    /// The graph, if its layers are those of `n2n_scratch`, without normalization and dropout.
    pub(super) fn block_graph(&self, layout: &Layout) -> Option<Graph> {
        let mut builder = Builder {
            layout,
            blocks: Vec::new(),
        };
        let scalar = match &self.relu {
            Some(relu) => builder.learned(relu)?,
            None => Slope::Constant(0.0),
        };
        let mut skips = vec![Source::Input];
        let mut y = builder.block(&self.conv0, Source::Input, None, scalar)?;
        for level in 0..self.sharing.depth {
            let EncoderBlock {
                conv,
                norm: None,
                relu,
                dropout: None,
            } = &self.eblocks[self.sharing.encoder_block(level)]
            else {
                return None;
            };
            let slope = builder.learned(relu)?;
            y = builder.block(conv, y, None, slope)?;
            builder.pool();
            skips.push(y);
        }
        skips.pop(); // the deepest image goes on through the bottom
        y = builder.block(&self.conv1, y, None, scalar)?;
        for (level, skip) in skips.into_iter().rev().enumerate() {
            let DecoderBlock {
                conv0,
                norm0: None,
                relu0,
                conv1,
                norm1: None,
                relu1,
                dropout: None,
            } = &self.dblocks[self.sharing.decoder_block(level)]
            else {
                return None;
            };
            let slopes = [builder.learned(relu0)?, builder.learned(relu1)?];
            y = builder.block(conv0, y, Some(skip), slopes[0])?;
            y = builder.block(conv1, y, None, slopes[1])?;
        }
        builder.block(&self.conv2, y, None, Slope::Constant(1.0))?;
        let head = match self.output {
            Output::Sigmoid => Head::Sigmoid,
            Output::Residual => Head::Residual,
            Output::Linear => Head::Linear,
        };
        Some(Graph::new(builder.blocks, head))
    }
}

impl Builder<'_> {
    fn learned(&self, relu: &PRelu) -> Option<Slope> {
        self.layout.place(relu.alpha.id).map(Slope::Learned)
    }

    /// Adds a block; returns what it puts out.
    fn block(
        &mut self,
        conv: &Conv2d,
        x: Source,
        skip: Option<Source>,
        slope: Slope,
    ) -> Option<Source> {
        let Conv2d::Scratch(conv) = conv else {
            return None;
        };
        let bias: ParamId = conv.bias.as_ref().map(|bias: &Param<Tensor<1>>| bias.id)?;
        self.blocks.push(Block {
            kernel: Kernel::Same3x3,
            x,
            skip,
            pooled: false,
            weight: self.layout.place(conv.weight.id)?,
            bias: self.layout.place(bias)?,
            slope,
        });
        Some(Source::Block(self.blocks.len() - 1))
    }

    /// Lets pooling follow the last block.
    fn pool(&mut self) {
        if let Some(block) = self.blocks.last_mut() {
            block.pooled = true;
        }
    }
}
