//! Errors of training.

use std::io;
use std::path::{Path, PathBuf};

use burn::data::dataset::DatasetError;
use burn::store::RecordError;
use burn::tensor::{ExecutionError, TensorReadError};
use n2n_data::DataError;
use n2n_model::FileError;

use crate::dead::Symptom;
use crate::experiment::ExperimentError;
use crate::run_dir::{CheckpointFault, NonFinite};

/// Why a run cannot start, or ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The experiment is not possible.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),

    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),

    /// An image became unreadable during training.
    #[error(transparent)]
    Dataset(#[from] DatasetError),

    /// A model file cannot be written.
    #[error(transparent)]
    ModelFile(#[from] FileError),

    /// The trained network cannot be used for denoising.
    #[error(transparent)]
    Denoise(#[from] n2n_denoise::Error),

    /// The operating system refused.
    #[error("cannot {verb} {path}", path = .path.display())]
    Io {
        /// The verb, such as `read` or `write`.
        verb: &'static str,
        /// File or folder.
        path: PathBuf,
        /// Reason given by the operating system.
        source: io::Error,
    },

    /// The folder for a new run holds one already.
    #[error("{path} already holds a run", path = .path.display())]
    HoldsRun {
        /// The folder.
        path: PathBuf,
    },

    /// The folder to resume from holds no run.
    #[error("{path} holds no run to resume", path = .path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },

    /// The run is of data in memory that are not given, or of a file's where some are given.
    #[error("{path} holds the run of other data", path = .path.display())]
    OtherData {
        /// The folder.
        path: PathBuf,
    },

    /// The settings or the data of a run are no longer what they were.
    #[error("the run in {path} is not what it was: {}", .changes.join("; "), path = .path.display())]
    Changed {
        /// The folder.
        path: PathBuf,
        /// What is different, in words.
        changes: Vec<String>,
    },

    /// The statistics of a run are of images of another shape.
    #[error("the run in {path} has statistics for each pixel, and the images are of another size now", path = .path.display())]
    OtherShape {
        /// The folder.
        path: PathBuf,
    },

    /// The run has reached its end.
    #[error("the run in {path} is over, after {images} images", path = .path.display())]
    Over {
        /// The folder.
        path: PathBuf,
        /// Its length.
        images: usize,
    },

    /// Another process trains in the folder.
    #[error("another process trains in {path}; wait for it, or stop it", path = .path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },

    /// Lines of the metrics are missing.
    #[error("{path} is shorter than when the checkpoint was written; put its lines back", path = .path.display())]
    MetricsCut {
        /// The file.
        path: PathBuf,
    },

    /// The metrics or the provenance are not JSON.
    #[error("{path} is damaged: {source}", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },

    /// A line of a file is damaged.
    #[error("{path} is damaged in line {line}", path = .path.display())]
    DamagedLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The cause.
        source: serde_json::Error,
    },

    /// A checkpoint is damaged.
    #[error("{path} is damaged: {fault}", path = .path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// The damage.
        fault: CheckpointFault,
    },

    /// Every checkpoint is damaged.
    #[error("no checkpoint can be read: {newest}")]
    NoCheckpoint {
        /// Error of the newest one.
        newest: Box<TrainError>,
    },

    /// A checkpoint is of another network.
    #[error("the checkpoint is of another network: {0}")]
    OtherNetwork(RecordError),

    /// Burn cannot serialize or parse weights or the optimizer's state.
    #[error(transparent)]
    State(#[from] RecordError),

    /// A loss, weight or validation error became NaN or infinite.
    #[error("{what}; lower train.lr, set train.clip_norm or {remedy}{}", dump_note(.dump.as_deref()))]
    NonFinite {
        /// Place and value.
        what: NonFinite,
        /// Another setting that helps.
        remedy: &'static str,
        /// File with the images of the batch; `None` without a run directory.
        dump: Option<PathBuf>,
    },

    /// The network learned nothing.
    #[error("{symptom}, {}; {remedy}", starts(*.restarts))]
    Dead {
        /// How it shows.
        symptom: Symptom,
        /// Restarts before.
        restarts: u32,
        /// What helps.
        remedy: &'static str,
    },

    /// Images with holes, and a network whose own backward pass cannot leave pixels out.
    #[error(
        "some images hold NaN or infinity, which model.implementation = \"layers\" cannot leave out; set \
         another implementation, or replace these values"
    )]
    HolesInLayers,

    /// The outputs of layers cannot be kept as f16.
    #[error("train.activations = \"f16\" is not possible here: {reason}; set it to \"f32\"")]
    NoF16 {
        /// What is missing.
        reason: &'static str,
    },

    /// A picture cannot be encoded.
    #[error(transparent)]
    Picture(#[from] image::ImageError),

    /// The device failed.
    #[error(transparent)]
    Device(#[from] ExecutionError),

    /// A result cannot be read from the device.
    #[error(transparent)]
    Read(#[from] TensorReadError),

    /// The run was asked to end at once, without saving.
    #[error("training was aborted")]
    Aborted,
}

impl TrainError {
    /// Returns a function that adds what was tried to an error of the operating system.
    pub(crate) fn io(verb: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io {
            verb,
            path: path.to_owned(),
            source,
        }
    }
}

fn starts(restarts: u32) -> String {
    match restarts {
        0 => "at the first start".to_owned(),
        _ => format!("after {} starts from other weights", restarts + 1),
    }
}

fn dump_note(dump: Option<&Path>) -> String {
    dump.map_or_else(String::new, |path| {
        format!("; the images of the batch are in {}", path.display())
    })
}
