//! Errors of reading runs.

use std::io;
use std::path::PathBuf;

use n2n_train::TrainError;

/// Why runs cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunsError {
    /// A file of a run cannot be used.
    #[error(transparent)]
    Run(#[from] TrainError),

    /// A path leads nowhere.
    #[error("{path} does not exist; name a run directory, or a folder of them", path = .path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },

    /// A path is that of a file.
    #[error("{path} is no folder; name a run directory, or a folder of them", path = .path.display())]
    NoFolder {
        /// The path.
        path: PathBuf,
    },

    /// A folder has no run.
    #[error("{path} is no run directory, and there is none in it", path = .path.display())]
    NoRuns {
        /// The folder.
        path: PathBuf,
    },

    /// A picture cannot be encoded.
    #[error("a picture cannot be encoded")]
    Picture(#[source] image::ImageError),

    /// A folder cannot be listed.
    #[error("cannot read {path}", path = .path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Reason given by the operating system.
        source: io::Error,
    },
}
