//! Files of a run directory, by name.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use n2n_data::quality::{Psnr, PsnrKeys};
use n2n_denoise::ModelMetadata;
use n2n_files::{remove_unfinished, write_atomically};
use n2n_model::{StateDict, write_model_file};
use serde::{Deserialize, Serialize};

use super::earlier::keep_meaning;
use super::events::{EventFile, Validation};
use super::folder;
use super::lines::cells;
use super::record::Record;
use super::table::to_csv;
use crate::TrainError;
use crate::dead::{Restart, last_record, present_start};
use crate::experiment::Experiment;

/// The resolved experiment.
const CONFIG: &str = "config.toml";
/// Provenance of the run.
const RUN: &str = "run.json";
/// One line for each validation.
pub(super) const METRICS: &str = "metrics.jsonl";
/// The same as a table.
const TABLE: &str = "metrics.csv";
/// The same for TensorBoard, where it is wanted.
const EVENTS: &str = "tensorboard";
/// A picture for each validation.
const PICTURES: &str = "pictures";
/// Checkpoints, for resuming.
const CHECKPOINTS: &str = "checkpoints";
/// Locked by the process that trains.
const LOCK: &str = "lock";

/// Program and machine of a run, and what the data holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Version, revision and device.
    #[serde(flatten)]
    pub program: Program,
    /// Seed of the weights, the order and the scenes.
    pub seed: u64,
    /// Number of training examples.
    pub train_examples: usize,
    /// Number of validation examples.
    pub validation_examples: usize,
    /// Data that no config can name: `pairs` or `noise`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_memory: Option<String>,
    /// PSNR of the noisy validation inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noisy_psnr_db: Option<f64>,
    /// Estimate of it, without clean images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noisy_psnr_est_db: Option<f64>,
    /// What stands for it with sub-images of single noisy images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noisy_sub_images_db: Option<f64>,
    /// What the data are, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// What there is to say of the run before it begins.
    #[serde(flatten)]
    pub notes: Notes,
    /// Threads that compute on the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Operating system and processor's architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// When the run began, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_unix_s: Option<u64>,
    /// `[channels, height, width]` of the images of a validation's picture, row by row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<[usize; 3]>,
}

/// What a program says of a run before it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// The command that began the run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// What was found in the data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// What is dubious in the data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Provenance {
    /// Returns the PSNR of the noisy validation inputs, or what stands for it.
    pub fn noisy_psnr(&self) -> Psnr {
        let keys = PsnrKeys {
            psnr_db: self.noisy_psnr_db,
            psnr_est_db: self.noisy_psnr_est_db,
            sub_images_db: self.noisy_sub_images_db,
            ..PsnrKeys::default()
        };
        keys.into()
    }
}

/// Program and device that compute a run, for its provenance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Program {
    /// Version of the program.
    pub version: String,
    /// Git revision of its sources.
    pub git_revision: String,
    /// Name of the backend.
    pub backend: String,
    /// Adapter or processor.
    pub device: String,
}

/// Folder of a run, with its metrics file open.
pub struct RunDir {
    path: PathBuf,
    metrics: File,
    /// The operating system releases the lock when the process ends, even if it is killed. `None` on a
    /// file system without locks.
    lock: Option<File>,
    /// Event files for TensorBoard, if they are kept.
    events: Option<EventFile>,
}

impl RunDir {
    /// Creates the folder of a new run.
    ///
    /// # Errors
    /// When it cannot be written, or already holds a run.
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        fs::create_dir_all(path).map_err(TrainError::io("create run directory", path))?;
        let lock = lock(path)?;
        let metrics_path = path.join(METRICS);
        // A run that was killed before it had a config cannot be resumed.
        let holds_run = Self::is_run(path);
        let failed = TrainError::io("write", &metrics_path);
        let metrics = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&metrics_path)
            .map_err(&failed)?;
        if holds_run || metrics.metadata().map_err(failed)?.len() > 0 {
            return Err(TrainError::HoldsRun {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            metrics,
            lock,
            events: None,
        })
    }

    /// Creates `root/name-N` with the smallest N that is free; returns the path.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn next_free(root: &Path, name: &str) -> Result<PathBuf, TrainError> {
        folder::create(root)?;
        for number in 1_usize.. {
            let path = root.join(format!("{name}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(TrainError::io("create", &path)(error)),
            }
        }
        unreachable!("some number is free")
    }

    /// Opens the folder of an earlier run.
    ///
    /// # Errors
    /// When it holds no run, or another process trains in it.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let metrics_path = path.join(METRICS);
        if !Self::is_run(path) {
            return Err(TrainError::NoRun {
                path: path.to_owned(),
            });
        }
        let metrics = OpenOptions::new()
            .append(true)
            .open(&metrics_path)
            .map_err(TrainError::io("write", &metrics_path))?;
        Ok(Self {
            path: path.to_owned(),
            metrics,
            lock: lock(path)?,
            events: None,
        })
    }

    /// Returns whether a folder holds a run.
    pub fn is_run(path: &Path) -> bool {
        path.join(CONFIG).is_file() && path.join(METRICS).is_file()
    }

    /// Reads the experiment of the run in a folder.
    ///
    /// # Errors
    /// When it holds no run, or its config cannot be read.
    pub fn experiment(path: &Path) -> Result<Experiment, TrainError> {
        if !Self::is_run(path) {
            return Err(TrainError::NoRun {
                path: path.to_owned(),
            });
        }
        let config = path.join(CONFIG);
        let text = fs::read_to_string(&config).map_err(TrainError::io("read", &config))?;
        let mut experiment = Experiment::from_toml(&config)?;
        keep_meaning(&mut experiment, &text);
        Ok(experiment)
    }

    /// Reads the provenance of the run in a folder; what an earlier version did not write is empty.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn provenance(path: &Path) -> Result<Provenance, TrainError> {
        let path = path.join(RUN);
        let bytes = fs::read(&path).map_err(TrainError::io("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|source| TrainError::Damaged { path, source })
    }

    /// Reads the same, where its file is there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn provenance_if_any(path: &Path) -> Result<Option<Provenance>, TrainError> {
        if !path.join(RUN).exists() {
            return Ok(None);
        }
        Self::provenance(path).map(Some)
    }

    /// Returns whether another process trains in a folder; file systems without locks cannot tell.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn is_under_way(path: &Path) -> Result<bool, TrainError> {
        match lock(path) {
            Err(TrainError::Locked { .. }) => Ok(true),
            lock => lock.map(|_| false),
        }
    }

    /// Reads the picture of the validation after `batches` steps of the run in a folder, as PNG, if it is there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_picture(path: &Path, batches: usize) -> Result<Option<Vec<u8>>, TrainError> {
        let path = picture(path, batches);
        match fs::read(&path) {
            Ok(png) => Ok(Some(png)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TrainError::io("read", &path)(error)),
        }
    }

    /// Undoes everything after a checkpoint: lines of the metrics beyond `metrics_bytes`, pictures of
    /// validations that are then not in the metrics, and unfinished files. The table follows; event files do once they
    /// are [kept](Self::keep_events).
    ///
    /// # Errors
    /// When the metrics are shorter, or a file cannot be changed.
    pub fn rewind(&self, metrics_bytes: u64) -> Result<(), TrainError> {
        let path = self.path.join(METRICS);
        if self.metrics_bytes()? < metrics_bytes {
            return Err(TrainError::MetricsCut { path });
        }
        self.metrics
            .set_len(metrics_bytes)
            .map_err(TrainError::io("write", &path))?;
        self.remove_later_pictures()?;
        self.save_table()?;
        let pictures = self.path.join(PICTURES);
        for folder in [&self.path, &self.checkpoints(), &pictures] {
            remove_unfinished(folder);
        }
        Ok(())
    }

    /// Removes the pictures of validations that are not in the metrics.
    fn remove_later_pictures(&self) -> Result<(), TrainError> {
        let last = last_record(&self.metrics()?).map_err(|source| self.damaged(source))?;
        for path in folder::files(&self.path.join(PICTURES))? {
            let batches = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok());
            if batches > last.map(|record| record.batches) {
                folder::remove(&path)?;
            }
        }
        Ok(())
    }

    /// Reads the metrics.
    fn metrics(&self) -> Result<String, TrainError> {
        let path = self.path.join(METRICS);
        fs::read_to_string(&path).map_err(TrainError::io("read", &path))
    }

    /// The error of metrics that are no JSON.
    fn damaged(&self, source: serde_json::Error) -> TrainError {
        let path = self.path.join(METRICS);
        TrainError::Damaged { path, source }
    }

    /// Writes the table of the metrics; there is none without a line.
    fn save_table(&self) -> Result<(), TrainError> {
        let metrics = self.metrics()?;
        if metrics.is_empty() {
            return folder::remove(&self.path.join(TABLE));
        }
        let table = to_csv(&metrics).map_err(|source| self.damaged(source))?;
        self.write(TABLE, &table)
    }

    /// Returns whether the run keeps event files for TensorBoard, or kept them before.
    pub fn has_events(&self) -> bool {
        self.path.join(EVENTS).is_dir()
    }

    /// Keeps event files for TensorBoard from now on. They begin with all validations of the present start of the run,
    /// so that they show nothing that was undone.
    ///
    /// # Errors
    /// When a file cannot be read or written, or the metrics are damaged.
    pub fn keep_events(&mut self) -> Result<(), TrainError> {
        let metrics = self.metrics()?;
        let last = last_record(&metrics).map_err(|source| self.damaged(source))?;
        let validations = present_start(&metrics).map(|line| self.validation(line));
        let seconds = last.map_or(0.0, |record| record.seconds);
        let events = EventFile::begin(&self.path.join(EVENTS), seconds, validations)?;
        self.events = Some(events);
        Ok(())
    }

    /// A line of the metrics with the picture of its validation, if that is there.
    fn validation(&self, line: &str) -> Result<Validation, TrainError> {
        let cells = cells(line).map_err(|source| self.damaged(source))?;
        let batches = cells.iter().find(|(key, _)| key == "batches");
        let batches = batches.and_then(|(_, batches)| batches.parse().ok());
        let picture = match batches {
            Some(batches) => Self::read_picture(&self.path, batches)?,
            None => None,
        };
        Ok(Validation { cells, picture })
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether no other process can train in the folder; file systems without locks cannot tell.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Returns the folder of checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        Self::checkpoints_in(&self.path)
    }

    /// Returns the folder of checkpoints of the run in a folder.
    pub(crate) fn checkpoints_in(path: &Path) -> PathBuf {
        path.join(CHECKPOINTS)
    }

    /// Returns the length of the metrics.
    ///
    /// # Errors
    /// When the file is gone.
    pub fn metrics_bytes(&self) -> Result<u64, TrainError> {
        let metadata = self.metrics.metadata();
        let failed = TrainError::io("read", &self.path);
        Ok(metadata.map_err(failed)?.len())
    }

    /// Writes the experiment and the provenance of a new run.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn describe(&self, config: &str, provenance: &Provenance) -> Result<(), TrainError> {
        let provenance = serde_json::to_string_pretty(provenance)
            .unwrap_or_else(|error| unreachable!("numbers and strings are JSON: {error}"));
        self.write(RUN, format!("{provenance}\n").as_bytes())?;
        // Last: a run with a config can be resumed.
        self.write(CONFIG, config.as_bytes())
    }

    /// Writes the experiment of a run whose data have moved.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_experiment(&self, config: &str) -> Result<(), TrainError> {
        self.write(CONFIG, config.as_bytes())
    }

    /// Appends a validation to the metrics.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        let line = self.append(record)?;
        if let Some(mut events) = self.events.take() {
            events.append(&self.validation(&line)?)?;
            self.events = Some(events);
        }
        Ok(())
    }

    /// Begins the run anew: appends the restart to the metrics, and removes what the weights before left.
    ///
    /// # Errors
    /// When a file cannot be changed.
    pub fn restart(&mut self, restart: &Restart) -> Result<(), TrainError> {
        self.append(restart)?;
        self.remove_later_pictures()?;
        if self.events.is_some() {
            self.keep_events()?;
        }
        self.remove_model("best")
    }

    /// Appends a line to the metrics and returns it; the table follows.
    fn append(&mut self, line: &impl Serialize) -> Result<String, TrainError> {
        let json = serde_json::to_string(line)
            .unwrap_or_else(|error| unreachable!("numbers are JSON: {error}"));
        self.metrics
            .write_all(format!("{json}\n").as_bytes())
            .and_then(|()| self.metrics.sync_data())
            .map_err(TrainError::io("write", &self.path.join(METRICS)))?;
        self.save_table()?;
        Ok(json)
    }

    /// Returns the path of the model file called `name`: `initial`, `best` or `last`.
    pub fn model(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.safetensors"))
    }

    /// Writes the model file called `name`.
    ///
    /// # Errors
    /// When it cannot be written; the file before it then stays.
    pub fn save_model(
        &self,
        name: &str,
        weights: &StateDict,
        metadata: &ModelMetadata,
    ) -> Result<(), TrainError> {
        Ok(write_model_file(&self.model(name), weights, metadata)?)
    }

    /// Removes the model file called `name`, if there is one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_model(&self, name: &str) -> Result<(), TrainError> {
        folder::remove(&self.model(name))
    }

    /// Writes the picture of the validation after `batches` steps.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_picture(&self, batches: usize, png: &[u8]) -> Result<(), TrainError> {
        folder::create(&self.path.join(PICTURES))?;
        let path = picture(&self.path, batches);
        write_atomically(&path, png).map_err(TrainError::io("write", &path))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
        let path = self.path.join(name);
        write_atomically(&path, bytes).map_err(TrainError::io("write", &path))
    }
}

/// The path of the picture of the validation after `batches` steps of a run.
fn picture(run: &Path, batches: usize) -> PathBuf {
    run.join(PICTURES).join(format!("{batches:08}.png"))
}

/// Locks a folder against other processes, if its file system can.
fn lock(folder: &Path) -> Result<Option<File>, TrainError> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(TrainError::io("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(TrainError::Locked {
            path: folder.to_owned(),
        }),
        // No locks at all, or none at hand, as on a network drive without their service.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
