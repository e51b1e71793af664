//! A graph as it grows, layer by layer.

use burn::tensor::TensorData;
use n2n_model::StateDict;

use super::messages::{AttributeProto, NodeProto, TensorProto, kinds};

/// A graph as it grows: a layer appends nodes, and is known by the name of its output.
pub(crate) struct Graph<'a> {
    state: &'a StateDict,
    pub nodes: Vec<NodeProto>,
    pub initializers: Vec<TensorProto>,
}

/// A place where a network computes, and where its parameters are: one block may serve many levels.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// Name of the node and of its output.
    pub name: String,
    /// What the names of its parameters begin with.
    pub stored: String,
}

impl Layer {
    /// A layer that stands under its own name.
    pub fn own(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            stored: name.to_owned(),
        }
    }

    /// A layer inside of this one.
    pub fn inner(&self, name: &str) -> Self {
        Self {
            name: format!("{}.{name}", self.name),
            stored: format!("{}.{name}", self.stored),
        }
    }
}

impl<'a> Graph<'a> {
    /// An empty graph over the parameters of a network.
    pub fn new(state: &'a StateDict) -> Self {
        Self {
            state,
            nodes: Vec::new(),
            initializers: Vec::new(),
        }
    }

    /// Appends a node with one output, which bears its name, and gives that name.
    pub fn node(
        &mut self,
        op_type: &str,
        name: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.to_owned()],
            name: Some(name.to_owned()),
            op_type: Some(op_type.to_owned()),
            attribute: attributes,
        });
        name.to_owned()
    }

    /// The shape of a parameter.
    pub fn shape(&self, layer: &Layer, parameter: &str) -> &'a [usize] {
        self.data(&format!("{}.{parameter}", layer.stored))
            .shape()
            .as_slice()
    }

    /// A parameter in its own shape, stored once for all layers that use it.
    pub fn parameter(&mut self, layer: &Layer, parameter: &str) -> String {
        let shape = self.shape(layer, parameter);
        self.parameter_as(layer, parameter, shape)
    }

    /// The same, in another shape of as many elements.
    pub fn parameter_as(&mut self, layer: &Layer, parameter: &str, shape: &[usize]) -> String {
        let name = format!("{}.{parameter}", layer.stored);
        let stored = |tensor: &TensorProto| tensor.name.as_ref() == Some(&name);
        if !self.initializers.iter().any(stored) {
            let values: Vec<f32> = self.data(&name).iter().collect();
            self.constant(&name, shape, &values);
        }
        name
    }

    /// A constant tensor, and its name.
    pub fn constant(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.initializers.push(TensorProto {
            dims: shape.iter().map(|&size| size as i64).collect(),
            data_type: Some(kinds::FLOAT),
            name: Some(name.to_owned()),
            raw_data: Some(
                values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect(),
            ),
        });
        name.to_owned()
    }

    fn data(&self, name: &str) -> &'a TensorData {
        let data = self.state.get(name);
        data.unwrap_or_else(|| panic!("expected a parameter {name}"))
    }
}

/// An integer attribute.
pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        i: Some(value),
        ..attribute(name, kinds::ATTRIBUTE_INT)
    }
}

/// An attribute of a number.
pub(crate) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        f: Some(value),
        ..attribute(name, kinds::ATTRIBUTE_FLOAT)
    }
}

/// An attribute of several integers.
pub(crate) fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        ints: values.iter().map(|&value| value as i64).collect(),
        ..attribute(name, kinds::ATTRIBUTE_INTS)
    }
}

/// An attribute of text.
pub(crate) fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        s: Some(value.as_bytes().to_vec()),
        ..attribute(name, kinds::ATTRIBUTE_STRING)
    }
}

fn attribute(name: &str, kind: i32) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(kind),
        ..AttributeProto::default()
    }
}
