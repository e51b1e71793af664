//! What is written: `tests/data/check_onnx.py` holds what it computes to PyTorch.

use std::collections::BTreeSet;

use burn::tensor::Device;
use n2n_model::{Activation, Output, SimpleNetConfig, UNetConfig};
use prost::Message;

use super::graph::{int, ints, text};
use super::messages::{AttributeProto, NodeProto, TensorProto};
use super::*;

fn unet(share_weights: bool, activation: Activation) -> NetworkConfig {
    NetworkConfig::UNet(UNetConfig {
        channels: Some(1),
        features: 3,
        depth: 4,
        share_weights,
        activation,
        ..UNetConfig::default()
    })
}

fn simple() -> NetworkConfig {
    NetworkConfig::Simple(SimpleNetConfig {
        channels: Some(3),
        features: 2,
        ..SimpleNetConfig::default()
    })
}

fn state(network: &NetworkConfig) -> StateDict {
    network.state_dict(&network.init(1, &Device::flex()))
}

/// The graph of an exported model, after a way through its bytes.
fn exported(network: &NetworkConfig, normalization: &Normalization) -> (ModelProto, GraphProto) {
    let bytes = onnx(network, normalization, None, &state(network));
    let mut model = ModelProto::decode(bytes.as_slice()).unwrap();
    let graph = model.graph.take().unwrap();
    check(&graph);
    (model, graph)
}

/// What holds for every graph: each name is made once, before it is used, and everything is used.
fn check(graph: &GraphProto) {
    let mut made: BTreeSet<&str> = graph
        .input
        .iter()
        .map(|input| input.name.as_deref().unwrap())
        .collect();
    for tensor in &graph.initializer {
        assert!(
            made.insert(tensor.name.as_deref().unwrap()),
            "{:?}",
            tensor.name
        );
        let count: i64 = tensor.dims.iter().product();
        assert_eq!(tensor.raw_data.as_ref().unwrap().len() as i64, 4 * count);
    }
    let mut used = BTreeSet::new();
    for node in &graph.node {
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            assert!(made.contains(input.as_str()), "{input} of {:?}", node.name);
            used.insert(input.as_str());
        }
        assert_eq!(node.output.len(), 1);
        assert!(made.insert(&node.output[0]), "{:?}", node.output);
    }
    for output in &graph.output {
        used.insert(output.name.as_deref().unwrap());
    }
    assert_eq!(made, used);
}

fn op_types(graph: &GraphProto) -> Vec<&str> {
    let op_types = graph
        .node
        .iter()
        .map(|node| node.op_type.as_deref().unwrap());
    op_types.collect()
}

fn initializer<'a>(graph: &'a GraphProto, name: &str) -> (&'a [i64], Vec<f32>) {
    let mut tensors = graph.initializer.iter();
    let tensor = tensors
        .find(|tensor| tensor.name.as_deref() == Some(name))
        .unwrap();
    let (values, _) = tensor.raw_data.as_ref().unwrap().as_chunks::<4>();
    (
        &tensor.dims,
        values
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect(),
    )
}

#[test]
fn messages_have_the_same_bytes_as_onnx() {
    // Every field that is written here, in a model made by ONNX's library (`tests/data/generate.py`).
    let bytes = include_bytes!("../../tests/data/fields.onnx");
    let node = |op_type: &str, name: &str, input: &[&str], output: &str, attribute| NodeProto {
        input: input.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        name: Some(name.to_owned()),
        op_type: Some(op_type.to_owned()),
        attribute,
    };
    let alpha = AttributeProto {
        name: Some("alpha".to_owned()),
        f: Some(-0.5),
        r#type: Some(kinds::ATTRIBUTE_FLOAT),
        ..AttributeProto::default()
    };
    let image = |name: &str, dim| ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: Some(kinds::FLOAT),
                shape: Some(TensorShapeProto { dim }),
            }),
        }),
    };
    let graph = GraphProto {
        node: vec![
            node(
                "Conv",
                "c",
                &["x", "w"],
                "y",
                vec![alpha, ints("kernel_shape", &[1, 300])],
            ),
            node(
                "Resize",
                "r",
                &["y", "", "s"],
                "z",
                vec![int("axis", -1), text("mode", "nearest")],
            ),
        ],
        name: Some("g".to_owned()),
        initializer: vec![TensorProto {
            dims: vec![1, 2],
            data_type: Some(kinds::FLOAT),
            name: Some("w".to_owned()),
            raw_data: Some(
                [1.5_f32, -2.25]
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect(),
            ),
        }],
        input: vec![image("x", vec![free("N"), fixed(3), free("H"), fixed(640)])],
        output: vec![image("z", vec![fixed(0), free("W")])],
    };
    let model = ModelProto {
        ir_version: Some(8),
        producer_name: Some("p".to_owned()),
        producer_version: Some("1".to_owned()),
        doc_string: Some("d".to_owned()),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(17),
        }],
        metadata_props: vec![StringStringEntryProto {
            key: Some("key".to_owned()),
            value: Some("value".to_owned()),
        }],
    };
    assert_eq!(ModelProto::decode(bytes.as_slice()).unwrap(), model);
    assert_eq!(model.encode_to_vec(), bytes);
}

#[test]
fn images_may_have_any_size() {
    for (network, channels, divisor) in
        [(unet(true, Activation::PRelu), 1, "16"), (simple(), 3, "4")]
    {
        let (model, graph) = exported(&network, &Normalization::None);
        assert_eq!(model.ir_version, Some(IR_VERSION));
        assert_eq!(model.opset_import.len(), 1);
        assert_eq!(model.opset_import[0].version, Some(OPSET));
        assert_eq!(model.metadata_props[0].value.as_deref(), Some(divisor));
        let size = [free("H"), free("W")];
        assert_eq!(graph.input, [image("noisy", channels, &size)]);
        assert_eq!(graph.output, [image("denoised", channels, &size)]);
        assert_eq!(size[0].dim_value, None);
    }
}

#[test]
fn shared_blocks_are_stored_once() {
    let network = unet(true, Activation::PRelu);
    let (_, graph) = exported(&network, &Normalization::None);
    let names = |prefix: &str| {
        let initializers = graph.initializer.iter();
        let names = initializers.filter(|tensor| tensor.name.as_ref().unwrap().starts_with(prefix));
        names.count()
    };
    assert_eq!(names("eblocks."), 3);
    assert_eq!(names("dblocks."), 3 * 6);
    let uses = |name: &str| {
        let inputs = graph.node.iter().flat_map(|node| &node.input);
        inputs.filter(|input| *input == name).count()
    };
    assert_eq!(uses("eblocks.0.conv.weight"), 4);
    assert_eq!(uses("dblocks.1.relu1.weight"), 2);
    assert_eq!(uses("relu.weight"), 2);
    let stored: usize = graph
        .initializer
        .iter()
        .map(|tensor| tensor.raw_data.as_ref().unwrap().len() / 4)
        .sum();
    let parameters = burn::module::Module::num_params(&network.init(1, &Device::flex()));
    let scales = 4;
    assert_eq!(stored, parameters + scales);

    let (_, graph) = exported(&unet(false, Activation::Relu), &Normalization::None);
    let eblocks = graph
        .initializer
        .iter()
        .filter(|tensor| tensor.name.as_ref().unwrap().starts_with("eblocks."));
    assert_eq!(eblocks.count(), 4 * 3);
}

#[test]
fn layers_follow_the_order_of_the_network() {
    let (_, graph) = exported(&simple(), &Normalization::None);
    assert_eq!(
        op_types(&graph),
        [
            "Conv",
            "Relu",
            "Conv",
            "Relu",
            "ConvTranspose",
            "Relu",
            "ConvTranspose",
            "Sigmoid"
        ]
    );
    let (_, graph) = exported(&unet(false, Activation::Relu), &Normalization::None);
    let encoder = ["Conv", "PRelu", "MaxPool"];
    let decoder = ["Resize", "Concat", "Conv", "PRelu", "Conv", "PRelu"];
    let expected = [
        &["Conv", "Relu"][..],
        &encoder.repeat(4),
        &["Conv", "Relu"],
        &decoder.repeat(4),
        &["Conv", "Sigmoid"],
    ];
    assert_eq!(op_types(&graph), expected.concat());
    let mut nodes = graph.node.iter();
    let last = nodes
        .rfind(|node| node.op_type.as_deref() == Some("Concat"))
        .unwrap();
    assert_eq!(
        last.input[1], "noisy",
        "the last level is concatenated with the image"
    );
}

#[test]
fn residual_network_ends_with_an_addition() {
    let network = NetworkConfig::UNet(UNetConfig {
        features: 2,
        depth: 2,
        output: Output::Residual,
        ..UNetConfig::default()
    });
    let (_, graph) = exported(&network, &Normalization::None);
    assert!(op_types(&graph).ends_with(&["Conv", "Add"]));
    assert_eq!(graph.node.last().unwrap().input, ["noisy", "conv2"]);
}

#[test]
fn batch_norm_precedes_the_activation() {
    let network = NetworkConfig::UNet(UNetConfig {
        features: 2,
        depth: 2,
        batch_norm: true,
        ..UNetConfig::default()
    });
    let (_, graph) = exported(&network, &Normalization::None);
    let encoder = ["Conv", "BatchNormalization", "PRelu", "MaxPool"];
    assert_eq!(op_types(&graph)[2..6], encoder);
    let mut nodes = graph.node.iter();
    let norm = nodes.find(|node| node.name.as_deref() == Some("eblocks.1.norm"));
    let norm = norm.unwrap();
    let parameters = ["weight", "bias", "running_mean", "running_var"];
    let parameters = parameters.map(|name| format!("eblocks.0.norm.{name}"));
    assert_eq!(norm.input[1..], parameters);
    assert_eq!(norm.attribute[0].f, Some(1e-5));
}

#[test]
fn parameters_keep_their_values() {
    let network = unet(true, Activation::PRelu);
    let state = state(&network);
    let (_, graph) = exported(&network, &Normalization::None);
    for name in ["conv0.weight", "conv2.bias", "dblocks.3.conv1.weight"] {
        let (dims, values) = initializer(&graph, name);
        let expected = &state[name];
        let shape: Vec<i64> = expected
            .shape()
            .as_slice()
            .iter()
            .map(|&size| size as i64)
            .collect();
        assert_eq!(dims, shape);
        assert_eq!(values, expected.iter::<f32>().collect::<Vec<_>>());
    }
    // Slopes stand before height and width.
    assert_eq!(initializer(&graph, "eblocks.0.relu.weight").0, [3, 1, 1]);
    assert_eq!(initializer(&graph, "relu.weight").0, [1, 1, 1]);
}

#[test]
fn normalization_is_part_of_the_graph() {
    let network = unet(true, Activation::PRelu);
    let first = |graph: &GraphProto| {
        let mut nodes = graph.node.iter();
        nodes
            .find(|node| node.op_type.as_deref() == Some("Conv"))
            .unwrap()
            .input[0]
            .clone()
    };
    let (_, graph) = exported(&network, &Normalization::None);
    assert_eq!(first(&graph), "noisy");

    let (_, graph) = exported(&network, &Normalization::PerImage);
    assert_eq!(first(&graph), "normalized");
    assert_eq!(
        op_types(&graph)[..7],
        [
            "ReduceMean",
            "Sub",
            "Mul",
            "ReduceMean",
            "Sqrt",
            "Max",
            "Div"
        ]
    );

    let statistics = Normalization::PerChannel {
        mean: vec![0.25],
        std: vec![0.5],
    };
    let (_, graph) = exported(&network, &statistics);
    assert_eq!(op_types(&graph)[..2], ["Sub", "Div"]);
    assert_eq!(
        initializer(&graph, "normalization.mean"),
        (&[1, 1, 1, 1][..], vec![0.25])
    );

    let pixels = 16 * 32;
    let statistics = Normalization::PerPixel {
        shape: [1, 16, 32],
        mean: (0..pixels).map(|at| at as f32).collect(),
        std: vec![0.5; pixels],
    };
    let (_, graph) = exported(&network, &statistics);
    assert_eq!(graph.input, [image("noisy", 1, &[fixed(16), fixed(32)])]);
    let (dims, values) = initializer(&graph, "normalization.mean");
    assert_eq!((dims, values[33]), (&[1, 1, 16, 32][..], 33.0));
}
