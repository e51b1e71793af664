//! The networks that are imported and exported, one file each.

mod simple_net;
mod unet;

use std::path::Path;

use n2n_model::NetworkConfig;

use crate::Error;
use crate::import::candidate::{Candidate, Parameters};
use crate::onnx::graph::Graph;

/// Recognizes the parameters of one kind of network.
pub(crate) struct Recognizer {
    /// Its parameters, for error messages.
    pub parameters: &'static str,
    /// The network that parameters look like, if they look like this kind.
    pub recognize: fn(&Parameters, &Path) -> Result<Option<Candidate>, Error>,
}

/// The recognizers, in the order in which they are tried.
pub(crate) const RECOGNIZERS: [Recognizer; 2] = [
    Recognizer {
        parameters: unet::PARAMETERS,
        recognize: unet::recognize,
    },
    Recognizer {
        parameters: simple_net::PARAMETERS,
        recognize: simple_net::recognize,
    },
];

/// Appends a network to a graph and names its output `output`.
pub(crate) fn append(graph: &mut Graph<'_>, network: &NetworkConfig, x: &str, output: &str) {
    match network {
        NetworkConfig::UNet(config) => unet::append(graph, config, x, output),
        NetworkConfig::Simple(_) => simple_net::append(graph, x, output),
    }
}
