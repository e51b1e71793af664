//! The model file: safetensors with the weights under PyTorch's names, and one metadata key that
//! holds everything else needed to use them.
//!
//! It holds no time and no path, and one metadata key only, so equal runs write equal bytes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, TensorData};
use n2n_files::write_atomically;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StateDict;

/// The metadata key of the model file; its value is JSON.
pub const METADATA_KEY: &str = "n2n";

/// Error of reading or writing a model file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system reports an error.
    #[error("cannot {verb} {path}: {source}", path = .path.display())]
    Io {
        /// `read` or `write`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },

    /// The file is damaged, or not safetensors.
    #[error("{path} is not a valid safetensors file: {source}", path = .path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: SafeTensorError,
    },

    /// The file has weights only.
    #[error("{path} has no {METADATA_KEY:?} metadata, so its network is unknown: it was not written by n2n", path = .path.display())]
    NoMetadata {
        /// The file.
        path: PathBuf,
    },

    /// The metadata is of another version, or damaged.
    #[error("cannot understand the {METADATA_KEY:?} metadata of {path}: {source}", path = .path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: serde_json::Error,
    },

    /// A tensor is not of 32-bit floats.
    #[error("tensor {name} in {path} is {dtype}, but n2n writes F32", path = .path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its type.
        dtype: Dtype,
    },
}

/// Writes weights and metadata to `path`, atomically: a reader sees the old file or the new one.
///
/// # Errors
/// When the file cannot be written.
///
/// # Panics
/// If a tensor is not of 32-bit floats.
pub fn write_model_file(
    path: &Path,
    state: &StateDict,
    metadata: &impl Serialize,
) -> Result<(), FileError> {
    let metadata = serde_json::to_string(metadata).map_err(|source| FileError::Metadata {
        path: path.to_owned(),
        source,
    })?;
    let views = state
        .iter()
        .map(|(name, data)| Ok((name, view(data)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>();
    let header = HashMap::from([(METADATA_KEY.to_owned(), metadata)]);
    let bytes = views
        .and_then(|views| safetensors::serialize(views, Some(header)))
        .map_err(|source| FileError::Safetensors {
            path: path.to_owned(),
            source,
        })?;
    write_atomically(path, &bytes).map_err(|source| FileError::Io {
        verb: "write",
        path: path.to_owned(),
        source,
    })
}

/// Reads a file written by [`write_model_file`].
///
/// # Errors
/// When the file is missing, damaged, or not a model file.
pub fn read_model_file<T: DeserializeOwned>(path: &Path) -> Result<(StateDict, T), FileError> {
    let bytes = std::fs::read(path).map_err(|source| FileError::Io {
        verb: "read",
        path: path.to_owned(),
        source,
    })?;
    parse_model_file(&bytes, path)
}

/// The same for bytes in memory; errors name them `path`.
///
/// # Errors
/// When they are damaged, or not a model file.
pub fn parse_model_file<T: DeserializeOwned>(
    bytes: &[u8],
    path: &Path,
) -> Result<(StateDict, T), FileError> {
    let invalid = |source| FileError::Safetensors {
        path: path.to_owned(),
        source,
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(invalid)?;
    let metadata = header
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(METADATA_KEY))
        .ok_or_else(|| FileError::NoMetadata {
            path: path.to_owned(),
        })?;
    let metadata = serde_json::from_str(metadata).map_err(|source| FileError::Metadata {
        path: path.to_owned(),
        source,
    })?;

    let tensors = SafeTensors::deserialize(bytes).map_err(invalid)?;
    let state = tensors
        .iter()
        .map(|(name, view)| match view.dtype() {
            Dtype::F32 => Ok((name.to_owned(), data(&view))),
            dtype => Err(FileError::Dtype {
                path: path.to_owned(),
                name: name.to_owned(),
                dtype,
            }),
        })
        .collect::<Result<_, _>>()?;
    Ok((state, metadata))
}

fn view(data: &TensorData) -> Result<TensorView<'_>, SafeTensorError> {
    assert_eq!(data.dtype(), DType::F32, "expected 32-bit floats");
    TensorView::new(
        Dtype::F32,
        data.shape().as_slice().to_vec(),
        data.as_bytes(),
    )
}

fn data(view: &TensorView<'_>) -> TensorData {
    let values: Vec<f32> = view
        .data()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    TensorData::new(values, view.shape().to_vec())
}
