//! Layers in ONNX: each function appends one layer and returns the name of its output.

use n2n_model::BatchNorm;

use super::graph::{Graph, Layer, float, int, ints, text};

/// A convolution of stride 1 that keeps the size.
///
/// Of an even kernel, the larger half of the padding comes after the image.
pub(crate) fn same_conv2d(graph: &mut Graph<'_>, x: &str, layer: &Layer) -> String {
    let [height, width] = kernel_size(graph, layer);
    let before = [(height - 1) / 2, (width - 1) / 2];
    let pads = [before[0], before[1], height / 2, width / 2];
    convolution(graph, "Conv", x, layer, [1, 1], pads)
}

/// A convolution without padding whose stride is its kernel's size.
pub(crate) fn strided_conv2d(graph: &mut Graph<'_>, x: &str, layer: &Layer) -> String {
    let stride = kernel_size(graph, layer);
    convolution(graph, "Conv", x, layer, stride, [0; 4])
}

/// A transposed convolution whose stride is its kernel's size.
pub(crate) fn strided_conv_transpose2d(graph: &mut Graph<'_>, x: &str, layer: &Layer) -> String {
    let stride = kernel_size(graph, layer);
    convolution(graph, "ConvTranspose", x, layer, stride, [0; 4])
}

fn kernel_size(graph: &Graph<'_>, layer: &Layer) -> [usize; 2] {
    match graph.shape(layer, "weight") {
        [_, _, height, width] => [*height, *width],
        shape => panic!("expected a kernel of four axes, got {shape:?}"),
    }
}

fn convolution(
    graph: &mut Graph<'_>,
    op_type: &str,
    x: &str,
    layer: &Layer,
    stride: [usize; 2],
    pads: [usize; 4],
) -> String {
    let kernel_size = kernel_size(graph, layer);
    let weight = graph.parameter(layer, "weight");
    let bias = graph.parameter(layer, "bias");
    let attributes = vec![
        ints("kernel_shape", &kernel_size),
        ints("strides", &stride),
        ints("pads", &pads),
    ];
    graph.node(op_type, &layer.name, &[x, &weight, &bias], attributes)
}

/// Batch normalization by the running statistics.
pub(crate) fn batch_norm(graph: &mut Graph<'_>, x: &str, layer: &Layer) -> String {
    let parameters = ["weight", "bias", "running_mean", "running_var"];
    let [weight, bias, mean, var] = parameters.map(|name| graph.parameter(layer, name));
    let inputs = [x, &weight, &bias, &mean, &var];
    let epsilon = float("epsilon", BatchNorm::EPSILON as f32);
    graph.node("BatchNormalization", &layer.name, &inputs, vec![epsilon])
}

/// A PReLU with one slope, or one for each channel.
pub(crate) fn prelu(graph: &mut Graph<'_>, x: &str, layer: &Layer) -> String {
    // Slopes are broadcast from the last axis on.
    let slopes = graph.shape(layer, "weight").iter().product();
    let weight = graph.parameter_as(layer, "weight", &[slopes, 1, 1]);
    graph.node("PRelu", &layer.name, &[x, &weight], vec![])
}

/// `max(x, 0)`
pub(crate) fn relu(graph: &mut Graph<'_>, x: &str, name: &str) -> String {
    graph.node("Relu", name, &[x], vec![])
}

/// The logistic function.
pub(crate) fn sigmoid(graph: &mut Graph<'_>, x: &str, name: &str) -> String {
    graph.node("Sigmoid", name, &[x], vec![])
}

/// The same under another name.
pub(crate) fn identity(graph: &mut Graph<'_>, x: &str, name: &str) -> String {
    graph.node("Identity", name, &[x], vec![])
}

/// The sum of two images.
pub(crate) fn add(graph: &mut Graph<'_>, x: &str, y: &str, name: &str) -> String {
    graph.node("Add", name, &[x, y], vec![])
}

/// 2x2 max-pooling.
pub(crate) fn max_pool2x2(graph: &mut Graph<'_>, x: &str, name: &str) -> String {
    let attributes = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
    graph.node("MaxPool", name, &[x], attributes)
}

/// Nearest-neighbour upsampling by 2.
pub(crate) fn upsample2x2(graph: &mut Graph<'_>, x: &str, name: &str, scales: &str) -> String {
    let attributes = vec![
        text("mode", "nearest"),
        text("coordinate_transformation_mode", "asymmetric"),
        text("nearest_mode", "floor"),
    ];
    // The empty input is the region of interest, unused by this mode.
    graph.node("Resize", name, &[x, "", scales], attributes)
}

/// Concatenates the channels of `x` and `y`.
pub(crate) fn concat(graph: &mut Graph<'_>, x: &str, y: &str, name: &str) -> String {
    graph.node("Concat", name, &[x, y], vec![int("axis", 1)])
}
