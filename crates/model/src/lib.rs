//! The networks, and the self-contained file of a trained one.
//!
//! Start reading at `unet/mod.rs`, the network, and at `network.rs`, the table of all networks. A new network
//! implements [`Architecture`] and [`Forward`] in one file.

mod architecture;
mod builder;
mod conv;
mod error;
mod file;
mod init;
mod layout;
mod loss;
mod network;
mod norm;
mod parameters;
mod receptive_field;
mod simple_net;
mod unet;

pub use architecture::{Architecture, DEFAULT_CHANNELS, Forward};
pub use conv::Convolution;
pub use error::ConfigError;
pub use file::{FileError, METADATA_KEY, parse_model_file, read_model_file, write_model_file};
pub use init::Init;
pub use layout::{Layout, Piece};
pub use loss::Loss;
pub use network::{Network, NetworkConfig};
pub use norm::BatchNorm;
pub use parameters::{Initializer, ParameterError, ParameterSource, RandomInit, StateDict};
pub use receptive_field::Span;
pub use simple_net::{Implementation, SimpleNet, SimpleNetConfig};
pub use unet::{Activation, DecoderBlock, EncoderBlock, Output, Sharing, UNet, UNetConfig};
