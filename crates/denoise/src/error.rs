//! Errors of models, images and devices.

use std::path::PathBuf;

use n2n_data::RangeError;
use n2n_files::{EncodeError, FileError};
use n2n_model::{ConfigError, ParameterError};

/// Error of loading a model or denoising an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model file cannot be read.
    #[error(transparent)]
    ModelFile(#[from] n2n_model::FileError),

    /// The folder holds no model.
    #[error(
        "{folder} holds no {name}; expected a run directory after its first validation, or a model file",
        folder = .folder.display()
    )]
    NoModel {
        /// The folder.
        folder: PathBuf,
        /// The expected file.
        name: &'static str,
    },

    /// The model file was written by a later version.
    #[error(
        "{path} has format {found}, but this version of n2n reads formats up to {newest}; use a newer n2n",
        path = .path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format that can be read.
        newest: u32,
    },

    /// The model file describes an invalid network.
    #[error("{path}: invalid network configuration: {source}", path = .path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// The violated rule.
        source: ConfigError,
    },

    /// The weights do not fit the network.
    #[error("the weights of {path} do not fit its network: {source}", path = .path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// The mismatch.
        source: ParameterError,
    },

    /// There are ranges per channel, but not one for each.
    #[error("{path} has ranges of {ranges} channels for a network of {channels}", path = .path.display())]
    RangeChannels {
        /// The file.
        path: PathBuf,
        /// Ranges.
        ranges: usize,
        /// Channels of the network.
        channels: usize,
    },

    /// The image has channels that the network cannot take.
    #[error(
        "the image has {image} channels, and the network takes {network}; only networks for grey and for \
         colour take images of other channels"
    )]
    Channels {
        /// Channels of the image.
        image: usize,
        /// Channels of the network.
        network: usize,
    },

    /// A weight is NaN or infinite.
    #[error(
        "{path} holds {value} in {name}: its training diverged, or the file is damaged; use an earlier model",
        path = .path.display()
    )]
    WeightNotFinite {
        /// The file.
        path: PathBuf,
        /// The parameter.
        name: String,
        /// The value.
        value: f32,
    },

    /// The network gave NaN or infinity.
    #[error(
        "the network gives NaN or infinity in a tile of {height}x{width} pixels: its training diverged, or the \
         samples are far from those of its training; use an earlier model, or say the range of the samples"
    )]
    OutputNotFinite {
        /// Height of the tile.
        height: usize,
        /// Width of the tile.
        width: usize,
    },

    /// The normalization does not fit the network, or has a deviation that is not positive.
    #[error("the normalization of {path} does not fit: expected {expected}", path = .path.display())]
    Statistics {
        /// The file.
        path: PathBuf,
        /// The expected statistics.
        expected: String,
    },

    /// A part of an image cannot be read.
    #[error(transparent)]
    Read(#[from] FileError),

    /// A part of an image cannot be written.
    #[error(transparent)]
    Write(#[from] EncodeError),

    /// The range of samples is empty or not finite.
    #[error(transparent)]
    Range(#[from] RangeError),

    /// The shape of an image does not fit its values.
    #[error(
        "shape {shape:?} (channels, height, width) with {values} values is not an image; \
         expected 1 to 64 channels, at least one pixel, and one value for each"
    )]
    Shape {
        /// `[channels, height, width]`.
        shape: [usize; 3],
        /// Number of values.
        values: usize,
    },

    /// The allowed memory does not suffice for the smallest tile.
    #[error(
        "{width}x{height} pixels take at least {needed_mib} MiB with this network; \
         {allowed_mib} MiB are allowed"
    )]
    TooLittleMemory {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// The least memory that is needed.
        needed_mib: u64,
        /// The memory that is allowed.
        allowed_mib: u64,
    },

    /// The requested tiles are too small for the network.
    #[error(
        "tiles of at most {side} pixels a side are too small; this network needs at least {least}"
    )]
    Tile {
        /// The longest side that was requested.
        side: usize,
        /// The shortest possible side.
        least: usize,
    },

    /// The device has too little memory for the smallest tile.
    #[error("the device has too little memory for a tile of {pixels} pixels ({said})")]
    DeviceMemory {
        /// Pixels of the tile.
        pixels: usize,
        /// The device's message.
        said: String,
    },

    /// The device failed, or its output has another type than the network's.
    #[error(transparent)]
    Device(#[from] burn::tensor::TensorReadError),

    /// The observer of the progress stopped the work.
    #[error("stopped")]
    Stopped,
}
