//! Errors of imports.

use std::path::PathBuf;

use n2n_model::{ConfigError, ParameterError};

/// Failed import of a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An unreadable file, or one without a state dict.
    #[error(transparent)]
    File(#[from] n2n_files::FileError),

    /// Parameters of an unknown network.
    #[error(
        "{path} holds another network ({found}); expected {expected}",
        path = .path.display()
    )]
    UnknownNetwork {
        /// The file.
        path: PathBuf,
        /// Number of parameters, and the first of them.
        found: String,
        /// The known networks and their parameters.
        expected: String,
    },

    /// Layers of a simple net in an ambiguous order.
    #[error(
        "the layers of {path} are {layers}, in this order; expected the two convolutions before the \
         two transposed ones: name them conv0, conv1, tconv0 and tconv1",
        path = .path.display()
    )]
    Order {
        /// The file.
        path: PathBuf,
        /// Their names.
        layers: String,
    },

    /// Parameters that do not match the network they look like.
    #[error("{path} looks like {network}, but does not match it: {source}", path = .path.display())]
    Parameters {
        /// The file.
        path: PathBuf,
        /// The network, in words.
        network: String,
        /// The mismatch.
        source: ParameterError,
    },

    /// A network of an invalid size.
    #[error("{path} looks like {network}, but does not match it: {source}", path = .path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The network, in words.
        network: String,
        /// The mismatch.
        source: ConfigError,
    },

    /// A parameter is NaN or infinite.
    #[error(
        "{path} holds {value} in {name}; its training diverged, or its values are too large for \
         32-bit floats: take an earlier checkpoint",
        path = .path.display()
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The parameter.
        name: String,
        /// The value.
        value: f32,
    },
}
