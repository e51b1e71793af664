//! The normalization of inputs, as part of a graph.

use n2n_data::{MIN_STD, Normalization};

use super::graph::{Graph, int, ints};

/// Appends the normalization of `x` and gives the name of its output.
pub(super) fn normalize(graph: &mut Graph<'_>, normalization: &Normalization, x: &str) -> String {
    match normalization {
        Normalization::None => x.to_owned(),
        Normalization::PerImage => per_image(graph, x),
        Normalization::PerChannel { mean, std } => {
            scaled(graph, x, &[1, mean.len(), 1, 1], mean, std)
        }
        Normalization::PerPixel { shape, mean, std } => {
            let [channels, height, width] = *shape;
            scaled(graph, x, &[1, channels, height, width], mean, std)
        }
    }
}

/// `(x - mean) / std` with statistics of the training.
fn scaled(graph: &mut Graph<'_>, x: &str, shape: &[usize], mean: &[f32], std: &[f32]) -> String {
    let mean = graph.constant("normalization.mean", shape, mean);
    let std = graph.constant("normalization.std", shape, std);
    let centred = graph.node("Sub", "normalization.centred", &[x, &mean], vec![]);
    graph.node("Div", "normalized", &[&centred, &std], vec![])
}

/// `(x - mean) / max(std, 1/255)` with those of each channel of each image, the deviation that of the
/// population.
fn per_image(graph: &mut Graph<'_>, x: &str) -> String {
    let mean = over_pixels(graph, x, "normalization.mean");
    let centred = graph.node("Sub", "normalization.centred", &[x, &mean], vec![]);
    let squares = graph.node(
        "Mul",
        "normalization.squares",
        &[&centred, &centred],
        vec![],
    );
    let variance = over_pixels(graph, &squares, "normalization.variance");
    let std = graph.node("Sqrt", "normalization.std", &[&variance], vec![]);
    let least = graph.constant("normalization.least_std", &[], &[MIN_STD as f32]);
    let std = graph.node("Max", "normalization.divisor", &[&std, &least], vec![]);
    graph.node("Div", "normalized", &[&centred, &std], vec![])
}

/// Mean over height and width, which stay as axes of one.
fn over_pixels(graph: &mut Graph<'_>, x: &str, name: &str) -> String {
    let attributes = vec![ints("axes", &[2, 3]), int("keepdims", 1)];
    graph.node("ReduceMean", name, &[x], attributes)
}
