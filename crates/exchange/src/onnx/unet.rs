//! The U-Net, layer by layer as its `forward` computes it.

use n2n_model::{Activation, UNetConfig};

use super::graph::{Graph, Layer};
use super::layers::{concat, max_pool2x2, prelu, relu, same_conv2d, sigmoid, upsample2x2};

/// Appends the network and names its output `output`.
pub(super) fn unet(graph: &mut Graph<'_>, config: &UNetConfig, x: &str, output: &str) {
    let scales = graph.constant("upsample.scales", &[4], &[1.0, 1.0, 2.0, 2.0]);
    let mut skips = vec![x.to_owned()];
    let mut y = same_conv2d(graph, x, &Layer::own("conv0"));
    y = scalar_activation(graph, config, &y, "relu.0");
    for level in 0..config.depth {
        y = encoder_block(
            graph,
            &y,
            &block("eblocks", level, stored_encoder(config, level)),
        );
        skips.push(y.clone());
    }
    skips.pop(); // the deepest image goes on through the bottom
    y = same_conv2d(graph, &y, &Layer::own("conv1"));
    y = scalar_activation(graph, config, &y, "relu.1");
    for (level, skip) in skips.iter().rev().enumerate() {
        let block = block("dblocks", level, stored_decoder(config, level));
        y = decoder_block(graph, &y, skip, &block, &scales);
    }
    y = same_conv2d(graph, &y, &Layer::own("conv2"));
    sigmoid(graph, &y, output);
}

fn encoder_block(graph: &mut Graph<'_>, x: &str, block: &Layer) -> String {
    let y = same_conv2d(graph, x, &block.inner("conv"));
    let y = prelu(graph, &y, &block.inner("relu"));
    max_pool2x2(graph, &y, &format!("{}.pool", block.name))
}

fn decoder_block(
    graph: &mut Graph<'_>,
    x: &str,
    skip: &str,
    block: &Layer,
    scales: &str,
) -> String {
    let y = upsample2x2(graph, x, &format!("{}.upsample", block.name), scales);
    let y = concat(graph, &y, skip, &format!("{}.concat", block.name));
    let y = same_conv2d(graph, &y, &block.inner("conv0"));
    let y = prelu(graph, &y, &block.inner("relu0"));
    let y = same_conv2d(graph, &y, &block.inner("conv1"));
    prelu(graph, &y, &block.inner("relu1"))
}

fn scalar_activation(graph: &mut Graph<'_>, config: &UNetConfig, x: &str, name: &str) -> String {
    let layer = Layer {
        name: name.to_owned(),
        stored: "relu".to_owned(),
    };
    match config.activation {
        Activation::PRelu => prelu(graph, x, &layer),
        Activation::Relu => relu(graph, x, name),
    }
}

fn block(list: &str, level: usize, stored: usize) -> Layer {
    Layer {
        name: format!("{list}.{level}"),
        stored: format!("{list}.{stored}"),
    }
}

/// The level under which the encoder block of a level is stored: a shared one under the first it serves.
fn stored_encoder(config: &UNetConfig, level: usize) -> usize {
    if config.share_weights { 0 } else { level }
}

/// The same of decoder blocks: those of the first and the last level are their own.
fn stored_decoder(config: &UNetConfig, level: usize) -> usize {
    match config.share_weights {
        true if level > 0 && level + 1 < config.depth => 1,
        _ => level,
    }
}
