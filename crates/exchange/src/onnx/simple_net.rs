//! The simple net, layer by layer as its `forward` computes it.

use super::graph::{Graph, Layer};
use super::layers::{relu, sigmoid, strided_conv_transpose2d, strided_conv2d};

/// Appends the network and names its output `output`.
pub(super) fn simple_net(graph: &mut Graph<'_>, x: &str, output: &str) {
    let y = strided_conv2d(graph, x, &Layer::own("conv0"));
    let y = relu(graph, &y, "relu0");
    let y = strided_conv2d(graph, &y, &Layer::own("conv1"));
    let y = relu(graph, &y, "relu1");
    let y = strided_conv_transpose2d(graph, &y, &Layer::own("tconv0"));
    let y = relu(graph, &y, "relu2");
    let y = strided_conv_transpose2d(graph, &y, &Layer::own("tconv1"));
    sigmoid(graph, &y, output);
}
