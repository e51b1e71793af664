//! Networks as ONNX models, with the range of the samples and the normalization in the graph.

pub(crate) mod graph;
pub(crate) mod layers;
mod messages;
mod normalization;
#[cfg(test)]
mod tests;

use n2n_data::{Normalization, Range};
use n2n_model::{NetworkConfig, StateDict};
use prost::Message;

use self::graph::Graph;
use self::messages::{
    Dimension, GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, kinds,
};
use crate::networks::append;

/// Version of ONNX's operators that models use.
pub const OPSET: i64 = 17;

/// Version of the file format, the one that came with those operators.
const IR_VERSION: i64 = 8;

/// Names of input and output.
const INPUT: &str = "noisy";
const OUTPUT: &str = "denoised";

/// The bytes of an ONNX model that denoises as the network does with its range and its normalization.
///
/// # Shapes
/// - input `noisy`: `[N, channels, H, W]`, samples in the units of the range, or values around `[0, 1]`
///   without one; `N`, `H` and `W` are free, except that statistics `per_pixel` fix `H` and `W`
/// - output `denoised`: the same
///
/// The sides must be multiples of the network's divisor, an entry of the model's metadata.
///
/// # Panics
/// If the parameters are not those of the network.
pub fn onnx(
    network: &NetworkConfig,
    normalization: &Normalization,
    range: Option<&Range>,
    state: &StateDict,
) -> Vec<u8> {
    model(network, normalization, range, state).encode_to_vec()
}

fn model(
    network: &NetworkConfig,
    normalization: &Normalization,
    range: Option<&Range>,
    state: &StateDict,
) -> ModelProto {
    let mut graph = Graph::new(state);
    let mut x = INPUT.to_owned();
    // What is undone to the output, the last first.
    let mut done = vec![];
    if let Some(range) = range {
        let (scaled, range) = normalization::scale(&mut graph, range, &x);
        x = scaled;
        done.push((range, OUTPUT));
    }
    let (normalized, statistics) = normalization::normalize(&mut graph, normalization, &x);
    if let Some(statistics) = statistics.filter(|_| network.has_input_units()) {
        let output = if done.is_empty() { OUTPUT } else { "restored" };
        done.push((statistics, output));
    }
    let mut y = if done.is_empty() { OUTPUT } else { "network" };
    append(&mut graph, network, &normalized, y);
    for (affine, output) in done.into_iter().rev() {
        affine.restore(&mut graph, y, output);
        y = output;
    }
    let channels = network.channels_or_default();
    let size = match normalization {
        Normalization::PerPixel { shape, .. } => [fixed(shape[1]), fixed(shape[2])],
        _ => [free("H"), free("W")],
    };
    let divisor = network.divisor();
    let value = |name: &str| image(name, channels, &size);
    ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("n2n".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(format!(
            "Removes noise. Images have {channels} channels, {}, and sides that are multiples of {divisor}.",
            match range {
                Some(range) => format!("samples as in training ({range} and beyond)"),
                None => "values in [0, 1]".to_owned(),
            }
        )),
        graph: Some(GraphProto {
            node: graph.nodes,
            name: Some("denoiser".to_owned()),
            initializer: graph.initializers,
            input: vec![value(INPUT)],
            output: vec![value(OUTPUT)],
        }),
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
        metadata_props: vec![StringStringEntryProto {
            key: Some("divisor".to_owned()),
            value: Some(divisor.to_string()),
        }],
    }
}

/// An input or output of images.
fn image(name: &str, channels: usize, size: &[Dimension; 2]) -> ValueInfoProto {
    let [height, width] = size.clone();
    let shape = TensorShapeProto {
        dim: vec![free("N"), fixed(channels), height, width],
    };
    let tensor_type = TensorTypeProto {
        elem_type: Some(kinds::FLOAT),
        shape: Some(shape),
    };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor_type),
        }),
    }
}

fn fixed(size: usize) -> Dimension {
    Dimension {
        dim_value: Some(size as i64),
        dim_param: None,
    }
}

fn free(name: &str) -> Dimension {
    Dimension {
        dim_value: None,
        dim_param: Some(name.to_owned()),
    }
}
