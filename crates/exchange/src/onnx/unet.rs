//! The U-Net, layer by layer as its `forward` computes it.

use n2n_model::{Activation, Output, UNetConfig};

use super::graph::{Graph, Layer};
use super::layers::{
    add, batch_norm, concat, max_pool2x2, prelu, relu, same_conv2d, sigmoid, upsample2x2,
};

/// Appends the network and names its output `output`.
pub(super) fn unet(graph: &mut Graph<'_>, config: &UNetConfig, x: &str, output: &str) {
    let scales = graph.constant("upsample.scales", &[4], &[1.0, 1.0, 2.0, 2.0]);
    let mut skips = vec![x.to_owned()];
    let mut y = same_conv2d(graph, x, &Layer::own("conv0"));
    y = scalar_activation(graph, config, &y, "relu.0");
    for level in 0..config.depth {
        y = encoder_block(
            graph,
            config,
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
        y = decoder_block(graph, config, &y, skip, &block, &scales);
    }
    y = same_conv2d(graph, &y, &Layer::own("conv2"));
    match config.output {
        Output::Sigmoid => sigmoid(graph, &y, output),
        Output::Residual => add(graph, x, &y, output),
    };
}

fn encoder_block(graph: &mut Graph<'_>, config: &UNetConfig, x: &str, block: &Layer) -> String {
    let y = activated_conv2d(graph, config, x, block, "");
    max_pool2x2(graph, &y, &format!("{}.pool", block.name))
}

fn decoder_block(
    graph: &mut Graph<'_>,
    config: &UNetConfig,
    x: &str,
    skip: &str,
    block: &Layer,
    scales: &str,
) -> String {
    let y = upsample2x2(graph, x, &format!("{}.upsample", block.name), scales);
    let y = concat(graph, &y, skip, &format!("{}.concat", block.name));
    let y = activated_conv2d(graph, config, &y, block, "0");
    activated_conv2d(graph, config, &y, block, "1")
}

/// A convolution of a block, normalized where the network has that, and its PReLU; `which` ends their names.
fn activated_conv2d(
    graph: &mut Graph<'_>,
    config: &UNetConfig,
    x: &str,
    block: &Layer,
    which: &str,
) -> String {
    let layer = |name: &str| block.inner(&format!("{name}{which}"));
    let mut y = same_conv2d(graph, x, &layer("conv"));
    if config.batch_norm {
        y = batch_norm(graph, &y, &layer("norm"));
    }
    prelu(graph, &y, &layer("relu"))
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
