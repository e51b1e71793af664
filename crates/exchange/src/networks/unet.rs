//! The U-Net: recognized by its parameters, and exported layer by layer as its `forward` computes it.

use std::path::Path;

use n2n_model::{Activation, NetworkConfig, Output, UNetConfig};

use crate::Error;
use crate::import::candidate::{Candidate, Parameters};
use crate::onnx::graph::{Graph, Layer};
use crate::onnx::layers::{
    add, batch_norm, concat, identity, max_pool2x2, prelu, relu, same_conv2d, sigmoid, upsample2x2,
};

/// Its parameters, for error messages.
pub(super) const PARAMETERS: &str = "the U-Net (conv0, eblocks.0.conv, dblocks.0.conv0, ...)";

/// The U-Net that parameters look like, with shared blocks.
pub(super) fn recognize(parameters: &Parameters, _: &Path) -> Result<Option<Candidate>, Error> {
    let levels = parameters.names().filter_map(level);
    let Some(deepest) = levels.max() else {
        return Ok(None);
    };
    let depth = deepest + 1;
    let stem = parameters.shape("conv0.weight").unwrap_or_default();
    let default = UNetConfig::default();
    // Loading reports missing parameters and other shapes.
    let features = stem.first().copied().unwrap_or(default.features);
    let channels = stem.get(1).copied();
    let activation = match parameters.shape("relu.weight") {
        Some(_) => Activation::PRelu,
        None => Activation::Relu,
    };
    let mut names = parameters.names();
    let batch_norm = names.any(|name| name.ends_with(".running_mean"));
    let shared = UNetConfig {
        channels,
        features,
        depth,
        activation,
        batch_norm,
        ..default
    };
    let unshared = UNetConfig {
        share_weights: false,
        ..shared.clone()
    };
    Ok(Some(Candidate {
        words: format!("a U-Net of depth {depth}"),
        network: NetworkConfig::UNet(shared),
        unshared: Some(NetworkConfig::UNet(unshared)),
        names: parameters.names().map(str::to_owned).collect(),
    }))
}

/// The level that a parameter of a block belongs to.
fn level(name: &str) -> Option<usize> {
    let (list, rest) = name.split_once('.')?;
    let (level, _) = rest.split_once('.')?;
    let level = level.parse().ok()?;
    (["eblocks", "dblocks"].contains(&list) && level < usize::MAX).then_some(level)
}

/// Appends the network and names its output `output`.
pub(super) fn append(graph: &mut Graph<'_>, config: &UNetConfig, x: &str, output: &str) {
    let scales = graph.constant("upsample.scales", &[4], &[1.0, 1.0, 2.0, 2.0]);
    let mut skips = vec![x.to_owned()];
    let mut y = same_conv2d(graph, x, &Layer::own("conv0"));
    y = scalar_activation(graph, config, &y, "relu.0");
    let sharing = config.sharing();
    let encoder_levels = sharing.encoder_levels();
    let decoder_levels = sharing.decoder_levels();
    for level in 0..config.depth {
        let served = &encoder_levels[sharing.encoder_block(level)];
        let block = block("eblocks", level, served[0]);
        y = encoder_block(graph, config, &y, &block);
        skips.push(y.clone());
    }
    skips.pop(); // the deepest image goes on through the bottom
    y = same_conv2d(graph, &y, &Layer::own("conv1"));
    y = scalar_activation(graph, config, &y, "relu.1");
    for (level, skip) in skips.iter().rev().enumerate() {
        let served = &decoder_levels[sharing.decoder_block(level)];
        let block = block("dblocks", level, served[0]);
        y = decoder_block(graph, config, &y, skip, &block, &scales);
    }
    y = same_conv2d(graph, &y, &Layer::own("conv2"));
    match config.output {
        Output::Sigmoid => sigmoid(graph, &y, output),
        Output::Residual => add(graph, x, &y, output),
        Output::Linear => identity(graph, &y, output),
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

/// A convolution of a block, an optional normalization and a PReLU; `which` ends their names.
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

/// The block of a level; a shared one has its parameters under the first level that it serves.
fn block(list: &str, level: usize, stored: usize) -> Layer {
    Layer {
        name: format!("{list}.{level}"),
        stored: format!("{list}.{stored}"),
    }
}
