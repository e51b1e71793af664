//! What is done to samples before the network and to its output after, as parts of a graph.

use n2n_data::{MIN_STD, Normalization, Range};

use super::graph::{Graph, int, ints};

/// Names of statistics that the training gave, and of what they normalize.
const STATISTICS: [&str; 3] = ["normalization.mean", "normalization.std", "normalized"];

/// Values that are subtracted, and those that the result is divided by; and the names of both in a graph.
pub(super) struct Affine {
    offset: String,
    scale: String,
}

impl Affine {
    /// Appends `scale y + offset`, named `output`.
    pub fn restore(&self, graph: &mut Graph<'_>, y: &str, output: &str) {
        let scaled = graph.node(
            "Mul",
            &format!("{output}.scaled"),
            &[y, &self.scale],
            vec![],
        );
        graph.node("Add", output, &[&scaled, &self.offset], vec![]);
    }
}

/// Appends the map of the samples of a range to 0 and 1; gives the name of its output.
pub(super) fn scale(graph: &mut Graph<'_>, range: &Range, x: &str) -> (String, Affine) {
    let channels = range.channels().unwrap_or(1);
    let ends = (0..channels).map(|channel| range.of_channel(channel));
    let (low, extent): (Vec<_>, Vec<_>) = ends
        .map(|[low, high]| (low as f32, (high - low) as f32))
        .unzip();
    let names = ["range.low", "range.extent", "ranged"];
    affine(graph, names, x, &[1, channels, 1, 1], [&low, &extent])
}

/// Appends the normalization of `x`; gives the name of its output, and what brings one back.
pub(super) fn normalize(
    graph: &mut Graph<'_>,
    normalization: &Normalization,
    x: &str,
) -> (String, Option<Affine>) {
    let (normalized, statistics) = match normalization {
        Normalization::None => return (x.to_owned(), None),
        Normalization::PerImage => per_image(graph, x),
        Normalization::PerChannel { mean, std } => {
            let shape = [1, mean.len(), 1, 1];
            affine(graph, STATISTICS, x, &shape, [mean, std])
        }
        Normalization::PerPixel { shape, mean, std } => {
            let [channels, height, width] = *shape;
            let shape = [1, channels, height, width];
            affine(graph, STATISTICS, x, &shape, [mean, std])
        }
    };
    (normalized, Some(statistics))
}

/// `(x - offset) / scale`; the names are those of both and of the result.
fn affine(
    graph: &mut Graph<'_>,
    names: [&str; 3],
    x: &str,
    shape: &[usize],
    values: [&[f32]; 2],
) -> (String, Affine) {
    let [offset, scale, y] = names;
    let offset = graph.constant(offset, shape, values[0]);
    let scale = graph.constant(scale, shape, values[1]);
    let centred = graph.node("Sub", &format!("{y}.centred"), &[x, &offset], vec![]);
    let y = graph.node("Div", y, &[&centred, &scale], vec![]);
    (y, Affine { offset, scale })
}

/// `(x - mean) / max(std, 1/255)` with those of each channel of each image, the deviation that of the
/// population.
fn per_image(graph: &mut Graph<'_>, x: &str) -> (String, Affine) {
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
    let y = graph.node("Div", "normalized", &[&centred, &std], vec![]);
    let statistics = Affine {
        offset: mean,
        scale: std,
    };
    (y, statistics)
}

/// Mean over height and width, which stay as axes of one.
fn over_pixels(graph: &mut Graph<'_>, x: &str, name: &str) -> String {
    let attributes = vec![ints("axes", &[2, 3]), int("keepdims", 1)];
    graph.node("ReduceMean", name, &[x], attributes)
}
