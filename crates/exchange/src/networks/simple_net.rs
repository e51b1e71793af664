//! The simple net: recognized by its parameters, and exported layer by layer as its `forward` computes it.

use std::path::Path;

use n2n_model::{NetworkConfig, SimpleNetConfig};

use crate::Error;
use crate::import::candidate::{Candidate, Parameters};
use crate::onnx::graph::{Graph, Layer};
use crate::onnx::layers::{relu, sigmoid, strided_conv_transpose2d, strided_conv2d};

/// Its parameters, for error messages.
pub(super) const PARAMETERS: &str =
    "the simple net (two convolutions and two transposed ones, each 2x2)";

/// Its layers in order.
const LAYERS: [&str; 4] = ["conv0", "conv1", "tconv0", "tconv1"];

/// Height and width of each kernel.
const KERNEL: [usize; 2] = [2, 2];

/// What kernels are called, by PyTorch and by networks written by hand.
const WEIGHTS: [&str; 2] = ["weight", "weights"];

/// Words in names of transposed convolutions.
const TRANSPOSED: [&str; 5] = ["tconv", "deconv", "transpose", "up", "dec"];

/// Recognizes the simple net by its own names, or by four layers of 2x2 kernels in its order.
///
/// # Errors
/// When their names contradict this order.
pub(super) fn recognize(parameters: &Parameters, path: &Path) -> Result<Option<Candidate>, Error> {
    let layers = layers(parameters);
    let own = layers.contains(&"tconv0");
    let alike =
        layers.len() == LAYERS.len() && layers.iter().all(|layer| is_like(parameters, layer));
    let words = if own {
        "the simple net".to_owned()
    } else if alike {
        check_order(&layers, path)?;
        let (found, named) = (layers.join(", "), LAYERS.join(", "));
        format!("the simple net (layers {found} as {named})")
    } else {
        return Ok(None);
    };
    let renamed = |name: &str| {
        let (layer, parameter) = name.rsplit_once('.').unwrap_or((name, ""));
        let own_name = format!("{layer}.{}", WEIGHTS[0]);
        let parameter = if parameter == WEIGHTS[1] && parameters.shape(&own_name).is_none() {
            WEIGHTS[0]
        } else {
            parameter
        };
        let place = layers.iter().position(|known| *known == layer);
        match place {
            Some(place) if !own => format!("{}.{parameter}", LAYERS[place]),
            Some(_) if !parameter.is_empty() => format!("{layer}.{parameter}"),
            _ => name.to_owned(),
        }
    };
    let first = if own { LAYERS[0] } else { layers[0] };
    let stem = kernel(parameters, first).unwrap_or_default();
    let default = SimpleNetConfig::default();
    Ok(Some(Candidate {
        words,
        network: NetworkConfig::Simple(SimpleNetConfig {
            // Loading reports missing parameters and other shapes.
            features: stem.first().copied().unwrap_or(default.features),
            channels: stem.get(1).copied(),
            ..default
        }),
        unshared: None,
        names: parameters.names().map(renamed).collect(),
    }))
}

/// Names of layers, in the order of their first parameters.
fn layers(parameters: &Parameters) -> Vec<&str> {
    let mut layers = Vec::new();
    for name in parameters.names() {
        let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
        if layers.last() != Some(&layer) && !layers.contains(&layer) {
            layers.push(layer);
        }
    }
    layers
}

fn is_like(parameters: &Parameters, layer: &str) -> bool {
    let kernel = kernel(parameters, layer);
    matches!(kernel, Some([_, _, size @ ..]) if *size == KERNEL)
}

/// The shape of a layer's kernel.
fn kernel<'a>(parameters: &'a Parameters, layer: &str) -> Option<&'a [usize]> {
    let mut names = WEIGHTS.iter();
    names.find_map(|name| parameters.shape(&format!("{layer}.{name}")))
}

/// Checks that no name contradicts the order.
fn check_order(layers: &[&str], path: &Path) -> Result<(), Error> {
    let transposed = |layer: &&str| {
        let layer = layer.to_lowercase();
        TRANSPOSED.iter().any(|word| layer.contains(word))
    };
    let transposed: Vec<bool> = layers.iter().map(transposed).collect();
    match transposed.as_slice() {
        [false, false, false, false] | [false, false, true, true] => Ok(()),
        _ => Err(Error::Order {
            path: path.to_owned(),
            layers: layers.join(", "),
        }),
    }
}

/// Appends the network and names its output `output`.
pub(super) fn append(graph: &mut Graph<'_>, x: &str, output: &str) {
    let y = strided_conv2d(graph, x, &Layer::own("conv0"));
    let y = relu(graph, &y, "relu0");
    let y = strided_conv2d(graph, &y, &Layer::own("conv1"));
    let y = relu(graph, &y, "relu1");
    let y = strided_conv_transpose2d(graph, &y, &Layer::own("tconv0"));
    let y = relu(graph, &y, "relu2");
    let y = strided_conv_transpose2d(graph, &y, &Layer::own("tconv1"));
    sigmoid(graph, &y, output);
}
