//! The networks, and the self-contained file a trained one lives in.
//!
//! Start reading at [`UNet::forward`].

mod conv;
mod file;
mod init;
mod loss;
mod network;
mod norm;
mod parameters;
mod simple_net;
mod unet;

pub use conv::Convolution;
pub use file::{FileError, METADATA_KEY, parse_model_file, read_model_file, write_model_file};
pub use init::Init;
pub use loss::Loss;
pub use network::{Network, NetworkConfig};
pub use norm::BatchNorm;
pub use parameters::{Initializer, ParameterError, ParameterSource, RandomInit, StateDict};
pub use simple_net::{Implementation, SimpleNet, SimpleNetConfig};
pub use unet::{Activation, DecoderBlock, EncoderBlock, Output, SizeError, UNet, UNetConfig};
