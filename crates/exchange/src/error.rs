//! What can be wrong with a checkpoint.

use std::path::PathBuf;

use n2n_model::{ParameterError, SizeError};

/// Why a checkpoint could not be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read, or holds no state dict.
    #[error(transparent)]
    File(#[from] n2n_files::FileError),

    /// The parameters are of neither network.
    #[error(
        "{path} holds another network ({found}); expected the U-Net (conv0, eblocks.0.conv, \
         dblocks.0.conv0, ...) or the simple net (two convolutions and two transposed ones, each 2x2)",
        path = .path.display()
    )]
    UnknownNetwork {
        /// The file.
        path: PathBuf,
        /// The first parameters, and how many there are.
        found: String,
    },

    /// The layers of a simple net are not in an order that tells which is which.
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

    /// The parameters are not those of the network they look like.
    #[error("{path} looks like {network} and is none: {source}", path = .path.display())]
    Parameters {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        network: String,
        /// What is wrong.
        source: ParameterError,
    },

    /// A network of this size does not exist.
    #[error("{path} looks like {network} and is none: {source}", path = .path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        network: String,
        /// What is wrong.
        source: SizeError,
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
