//! What can be wrong with a person's data.

use std::path::PathBuf;

use crate::Target;

/// Why data could not be used: each variant names the file, the value and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// The set lacks the target that was asked for.
    #[error("{name} has no {target} targets; set train.target to the other kind, or add them")]
    MissingTarget {
        /// The set.
        name: String,
        /// The missing kind.
        target: Target,
    },

    /// There is nothing to train or validate on.
    #[error("{name} holds no image")]
    Empty {
        /// The set.
        name: String,
    },

    /// The file is in neither of the two forms that `torch.save` writes.
    #[error(
        "{path} was not made by torch.save: it is neither its zip archive nor its older pickle \
         stream; write it with torch.save((noisy, noisy), path)",
        path = .path.display()
    )]
    NotTorchSave {
        /// The file.
        path: PathBuf,
    },

    /// The file ends before everything it announces has been read.
    #[error("{path} ends early, inside {part}; copy or download it again", path = .path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// What the end of the file cut off.
        part: String,
    },

    /// The bytes of the file contradict each other or the format.
    #[error("{path} is damaged: {found}; copy it again, or save it anew", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The contradiction.
        found: String,
    },

    /// A pickle names a function or class that images do not need.
    #[error(
        "{path} is refused because it asks to run {global}, and nothing was run; \
         expected plain tensors: write it with torch.save((noisy, noisy), path)",
        path = .path.display()
    )]
    UnsafePickle {
        /// The file.
        path: PathBuf,
        /// What it asks for, as `module.name`.
        global: String,
    },

    /// The file holds something else than two or three tensors.
    #[error(
        "{path} holds {found}; expected two or three tensors: write it with \
         torch.save((noisy, noisy), path), (noisy, clean) or (noisy, noisy, clean)",
        path = .path.display()
    )]
    NotPairs {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
    },

    /// A tensor is not of bytes.
    #[error(
        "tensor {index} of {path} is stored as {found}; expected uint8 (torch.ByteStorage), values \
         0 to 255: convert it with .to(torch.uint8) before saving",
        path = .path.display()
    )]
    TensorType {
        /// The file.
        path: PathBuf,
        /// Position of the tensor, from 0.
        index: usize,
        /// The storage class found.
        found: String,
    },

    /// A tensor is not a batch of grey or RGB images.
    #[error(
        "tensor {index} of {path} has the shape {found:?}; expected [images, channels, height, \
         width] with 1 or 3 channels: reshape or permute it before saving",
        path = .path.display()
    )]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// Position of the tensor, from 0.
        index: usize,
        /// Its shape.
        found: Vec<usize>,
    },

    /// The tensors of one file differ in shape.
    #[error(
        "tensor {index} of {path} has the shape {found:?}, and tensor 0 has {expected:?}; \
         save the same images in the same order in every tensor",
        path = .path.display()
    )]
    ShapesDiffer {
        /// The file.
        path: PathBuf,
        /// Position of the tensor, from 0.
        index: usize,
        /// Its shape.
        found: Vec<usize>,
        /// The shape of the first tensor.
        expected: Vec<usize>,
    },

    /// A tensor reaches beyond its storage, or repeats parts of it.
    #[error(
        "tensor {index} of {path} spans {needed} bytes and its storage holds {held}; \
         save tensor.contiguous() instead of a view",
        path = .path.display()
    )]
    TensorBounds {
        /// The file.
        path: PathBuf,
        /// Position of the tensor, from 0.
        index: usize,
        /// Bytes that shape, strides and offset need; `usize::MAX` where they overflow.
        needed: usize,
        /// Bytes there are.
        held: usize,
    },

    /// The file was written by a big-endian machine.
    #[error(
        "{path} was written in {found}-endian byte order; expected little-endian: \
         load and save it again on a little-endian machine",
        path = .path.display()
    )]
    ByteOrder {
        /// The file.
        path: PathBuf,
        /// The byte order it states.
        found: String,
    },

    /// An entry of a zip archive is compressed, which `torch.save` never does.
    #[error(
        "{entry} in {path} is compressed with {method}; expected stored entries: \
         keep the file as torch.save wrote it, or load and save it again",
        path = .path.display()
    )]
    CompressedEntry {
        /// The file.
        path: PathBuf,
        /// The entry.
        entry: String,
        /// Its compression method.
        method: String,
    },

    /// A number of the embedded scenes is 0.
    #[error("data.scenes.{field} is 0, but must be at least 1")]
    ZeroInScenes {
        /// The name of the number in the configuration.
        field: &'static str,
    },
}
