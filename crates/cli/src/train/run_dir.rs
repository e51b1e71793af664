//! The folder a run leaves behind: alone enough to repeat it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use n2n_data::Normalization;
use n2n_model::{NetworkConfig, StateDict, write_atomically, write_model_file};
use serde::{Deserialize, Serialize};

/// Version of the model file's metadata.
const FORMAT: u32 = 1;

/// The resolved experiment.
const CONFIG: &str = "config.toml";
/// Where and from what the run was made.
const RUN: &str = "run.json";
/// One line for each validation.
const METRICS: &str = "metrics.jsonl";

/// Where and from what a run was made.
#[derive(Debug, Serialize)]
pub struct Provenance<'a> {
    /// Version of the program.
    pub version: &'a str,
    /// Git revision of the program's sources.
    pub git_revision: &'a str,
    /// Backend that computed it.
    pub backend: &'a str,
    /// Adapter or processor.
    pub device: &'a str,
    /// Seed of the weights, the order and the scenes.
    pub seed: u64,
    /// Number of training examples.
    pub train_examples: usize,
    /// Number of validation examples.
    pub validation_examples: usize,
    /// PSNR of the noisy validation inputs.
    pub noisy_psnr_db: f64,
}

/// One validation, as a line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Record {
    /// Training images processed so far.
    pub images: usize,
    /// Training batches processed so far.
    pub batches: usize,
    /// Mean training loss since the last validation.
    pub train_loss: f64,
    /// Mean squared error on the validation set.
    pub val_mse: f64,
    /// Mean over images of `-10 log10(mse)`.
    pub psnr_db: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Seconds since the start of training.
    pub seconds: f64,
}

/// What a model file says beside its weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelMetadata {
    /// Version of this structure.
    pub format: u32,
    /// The network.
    pub network: NetworkConfig,
    /// Normalization of its inputs, with statistics.
    pub normalization: Normalization,
}

impl ModelMetadata {
    /// Metadata in the present format.
    pub fn new(network: NetworkConfig, normalization: Normalization) -> Self {
        Self {
            format: FORMAT,
            network,
            normalization,
        }
    }
}

/// A run's folder, with its metrics file open.
pub struct RunDir {
    path: PathBuf,
    metrics: File,
}

impl RunDir {
    /// Makes the folder: `requested`, or the next free number below `runs/`.
    ///
    /// # Errors
    /// When it cannot be written, or already holds a run.
    pub fn create(requested: Option<&Path>, name: &str) -> anyhow::Result<Self> {
        let path = match requested {
            Some(path) => {
                fs::create_dir_all(path)
                    .with_context(|| format!("cannot create run directory {}", path.display()))?;
                path.to_owned()
            }
            None => next_free(Path::new("runs"), name)?,
        };
        let metrics_path = path.join(METRICS);
        let metrics = match OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&metrics_path)
        {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => bail!(
                "{} already holds a run; choose another --run-dir",
                path.display()
            ),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot write {}", metrics_path.display()));
            }
        };
        Ok(Self { path, metrics })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what the run is made of.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn describe(&self, config: &str, provenance: &Provenance<'_>) -> anyhow::Result<()> {
        self.write(CONFIG, config)?;
        let provenance = serde_json::to_string_pretty(provenance)?;
        self.write(RUN, &format!("{provenance}\n"))
    }

    /// Appends one validation to the metrics.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn record(&mut self, record: &Record) -> anyhow::Result<()> {
        let line = format!("{}\n", serde_json::to_string(record)?);
        self.metrics
            .write_all(line.as_bytes())
            .and_then(|()| self.metrics.sync_data())
            .with_context(|| format!("cannot write {}", self.path.join(METRICS).display()))
    }

    /// Path of the model file called `name`: `initial`, `best` or `last`.
    pub fn model(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.safetensors"))
    }

    /// Writes the model file called `name`.
    ///
    /// # Errors
    /// When it cannot be written; the one before then stays.
    pub fn save_model(
        &self,
        name: &str,
        state: &StateDict,
        metadata: &ModelMetadata,
    ) -> anyhow::Result<()> {
        Ok(write_model_file(&self.model(name), state, metadata)?)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        write_atomically(&path, text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Creates `root/name-N` with the smallest N that is free.
fn next_free(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(root).with_context(|| format!("cannot create {}", root.display()))?;
    for number in 1_usize.. {
        let path = root.join(format!("{name}-{number}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot create {}", path.display()));
            }
        }
    }
    unreachable!("some number is free")
}
