//! What can be wrong with a model, an image, or the device.

use std::path::PathBuf;

use n2n_model::{ConfigError, ParameterError};

/// Why a model could not be loaded, or an image not denoised.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model file cannot be read.
    #[error(transparent)]
    ModelFile(#[from] n2n_model::FileError),

    /// A folder holds no model.
    #[error(
        "{folder} holds no {name}; give a run directory after its first validation, or a model file",
        folder = .folder.display()
    )]
    NoModel {
        /// The folder.
        folder: PathBuf,
        /// The file that a run directory has.
        name: &'static str,
    },

    /// The model file was written by a later version.
    #[error(
        "{path} has format {found}, and this version of n2n reads up to {newest}; use a newer n2n",
        path = .path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that is read.
        newest: u32,
    },

    /// The network that the file describes cannot be.
    #[error("the network of {path} cannot be: {source}", path = .path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ConfigError,
    },

    /// The weights are not those of the network.
    #[error("the weights of {path} do not fit its network: {source}", path = .path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ParameterError,
    },

    /// A network for images that are neither grey nor RGB.
    #[error("the network of {path} takes {channels} channels; expected 1 or 3", path = .path.display())]
    Channels {
        /// The file.
        path: PathBuf,
        /// Its channels.
        channels: usize,
    },

    /// A weight is NaN or infinite.
    #[error(
        "{path} holds {value} in {name}; its training diverged, or it is damaged: \
         take an earlier model",
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

    /// The normalization does not fit the network, or divides by nothing.
    #[error(
        "the normalization of {path} does not fit: expected {expected}",
        path = .path.display()
    )]
    Statistics {
        /// The file.
        path: PathBuf,
        /// What it should have been.
        expected: String,
    },

    /// The range of samples that a model was trained with, or that was asked for, is none.
    #[error("the range is {low} to {high}; expected two numbers, the lower first")]
    Range {
        /// Sample that becomes 0.
        low: f32,
        /// Sample that becomes 1.
        high: f32,
    },

    /// Values that are no image.
    #[error(
        "an image of shape {shape:?} (channels, height, width) with {values} values cannot be; \
         expected 1 or 3 channels, at least one pixel, and a value for each"
    )]
    Shape {
        /// `[channels, height, width]`.
        shape: [usize; 3],
        /// How many values there are.
        values: usize,
    },

    /// A value is NaN or infinite.
    #[error("it holds {value}; expected numbers: replace them first")]
    NotFinite {
        /// The value.
        value: f32,
    },

    /// Floats outside `[0, 1]`, and nothing says what they mean.
    #[error(
        "it holds values from {low} to {high}; expected [0, 1]: say which values are black and \
         white, as with --range {low},{high}"
    )]
    OutsideUnitRange {
        /// The smallest value.
        low: f32,
        /// The largest value.
        high: f32,
    },

    /// The memory that may be taken is too little for a tile.
    #[error(
        "{width}x{height} pixels take at least {needed_mib} MiB with this network, and {allowed_mib} MiB \
         are left for them; allow more with --max-memory, or cut the image"
    )]
    TooLittleMemory {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// The least that is needed.
        needed_mib: u64,
        /// What may be taken.
        allowed_mib: u64,
    },

    /// The tiles that were asked for are too small for the network.
    #[error("tiles of at most {side} pixels a side; this network takes at least {least}")]
    Tile {
        /// The longest side that was asked for.
        side: usize,
        /// The shortest that there is.
        least: usize,
    },

    /// The device has too little memory for the smallest tile.
    #[error(
        "the device has too little memory for a tile of {pixels} pixels ({said}); \
         compute on the CPU with --backend flex"
    )]
    DeviceMemory {
        /// Pixels of the tile.
        pixels: usize,
        /// What the device said.
        said: String,
    },

    /// The device failed, or its output is not what a network computes.
    #[error(transparent)]
    Device(#[from] burn::tensor::TensorReadError),

    /// Whoever watches the progress asked for an end.
    #[error("stopped")]
    Stopped,
}
