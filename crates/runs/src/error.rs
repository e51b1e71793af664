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
    #[error("{path} is not a run directory and contains none", path = .path.display())]
    NoRuns {
        /// The folder.
        path: PathBuf,
    },

    /// A picture cannot be encoded.
    #[error("a picture cannot be encoded")]
    Picture(#[source] image::ImageError),

    /// A file or folder cannot be read.
    #[error("cannot read {path}", path = .path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Reason given by the operating system.
        source: io::Error,
    },

    /// A file is no JSON.
    #[error("{path} is no JSON", path = .path.display())]
    NoJson {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },

    /// A file of curves has no such key.
    #[error("{path} has no key {key}; there it has {known}", path = .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The keys that there are, in words.
        known: String,
    },

    /// A file of curves has none in the place that is named.
    #[error("{path} has no curve, which is a list of [images, psnr]", path = .path.display())]
    NoCurves {
        /// The file, with the keys in it.
        path: PathBuf,
    },

    /// No run has what a figure shows.
    #[error("there is nothing to draw: no run has a {what}")]
    NothingToDraw {
        /// What it shows.
        what: &'static str,
    },

    /// References are of one kind only.
    #[error("curves of a file are PSNR against images, and cannot be drawn beside anything else")]
    OtherAxes,

    /// The bundled font cannot be read.
    #[error("the bundled font cannot be read")]
    Font,

    /// A picture cannot be drawn.
    #[error("cannot draw the picture: {reason}")]
    Draw {
        /// Why.
        reason: String,
    },
}
