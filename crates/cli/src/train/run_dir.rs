//! The folder a run leaves behind: alone enough to repeat it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use n2n_denoise::ModelMetadata;
use n2n_files::{UNFINISHED, write_atomically};
use n2n_model::{StateDict, write_model_file};
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::psnr::PsnrKeys;

/// The resolved experiment.
const CONFIG: &str = "config.toml";
/// Where and from what the run was made.
const RUN: &str = "run.json";
/// One line for each validation.
const METRICS: &str = "metrics.jsonl";
/// A picture for each validation.
const PICTURES: &str = "pictures";
/// What a run needs to go on.
const CHECKPOINTS: &str = "checkpoints";
/// Locked by the process that trains.
const LOCK: &str = "lock";

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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noisy_psnr_db: Option<f64>,
    /// An estimate of it, where there are no clean images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noisy_psnr_est_db: Option<f64>,
}

/// One validation, as a line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Training images processed so far.
    pub images: usize,
    /// Training batches processed so far.
    pub batches: usize,
    /// Mean training loss since the last validation.
    pub train_loss: f64,
    /// Mean squared error on the validation set, or the estimate of it.
    pub val_mse: f64,
    /// Measured or estimated.
    #[serde(flatten)]
    pub psnr: PsnrKeys,
    /// Mean structural similarity to clean images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssim: Option<f64>,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Seconds since the start of training.
    pub seconds: f64,
}

impl Record {
    /// Whether this validation went better than another of the same run.
    pub fn is_better_than(&self, other: &Self) -> bool {
        match (self.psnr.psnr_db, other.psnr.psnr_db) {
            (Some(ours), Some(theirs)) => ours > theirs,
            _ => self.val_mse < other.val_mse,
        }
    }
}

/// A run's folder, with its metrics file open.
pub struct RunDir {
    path: PathBuf,
    metrics: File,
    /// The operating system lets go of it when the process ends, however it does.
    _lock: File,
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
        let lock = lock(&path)?;
        let metrics_path = path.join(METRICS);
        // A run that was killed before it had a config has left nothing to go on with.
        let holds_run = metrics_path.exists() && path.join(CONFIG).exists();
        let metrics = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&metrics_path)
            .with_context(|| format!("cannot write {}", metrics_path.display()))?;
        ensure!(
            !holds_run && metrics.metadata()?.len() == 0,
            "{} already holds a run; choose another --run-dir, or go on with --resume {}",
            path.display(),
            path.display()
        );
        Ok(Self {
            path,
            metrics,
            _lock: lock,
        })
    }

    /// Opens the folder of a run that goes on from a checkpoint, with all that is wrong with newer
    /// ones; without a checkpoint if the run was killed before its first. What it did after the
    /// checkpoint is undone.
    ///
    /// # Errors
    /// When it holds no run that can go on, or another process trains in it.
    pub fn resume(path: &Path) -> anyhow::Result<(Self, Option<Checkpoint>, Vec<String>)> {
        let metrics_path = path.join(METRICS);
        ensure!(
            metrics_path.exists() && path.join(CONFIG).exists(),
            "{} holds no run to go on with",
            path.display()
        );
        let metrics = OpenOptions::new()
            .append(true)
            .open(&metrics_path)
            .with_context(|| format!("cannot write {}", metrics_path.display()))?;
        let lock = lock(path)?;
        let run_dir = Self {
            path: path.to_owned(),
            metrics,
            _lock: lock,
        };
        let (checkpoint, torn) = Checkpoint::newest(&run_dir.checkpoints())?;
        let length = checkpoint
            .as_ref()
            .map_or(0, |checkpoint| checkpoint.position.metrics_bytes);
        ensure!(
            run_dir.metrics_bytes()? >= length,
            "{} is shorter than when the checkpoint was written; put its lines back",
            metrics_path.display()
        );
        run_dir
            .metrics
            .set_len(length)
            .with_context(|| format!("cannot write {}", metrics_path.display()))?;
        run_dir.remove_later_pictures()?;
        for folder in [path, &run_dir.checkpoints(), &path.join(PICTURES)] {
            remove_unfinished(folder)?;
        }
        Ok((run_dir, checkpoint, torn))
    }

    /// Removes the pictures of validations that are not in the metrics.
    fn remove_later_pictures(&self) -> anyhow::Result<()> {
        let metrics = self.path.join(METRICS);
        let text = fs::read_to_string(&metrics)
            .with_context(|| format!("cannot read {}", metrics.display()))?;
        let last = text.lines().last().map(serde_json::from_str::<Record>);
        let last = last
            .transpose()
            .with_context(|| format!("{} is damaged", metrics.display()))?;
        for path in files(&self.path.join(PICTURES))? {
            let batches = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok());
            if batches > last.map(|record| record.batches) {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The experiment that the run is made of.
    pub fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// The folder of checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join(CHECKPOINTS)
    }

    /// Length of the metrics.
    ///
    /// # Errors
    /// When the file is gone.
    pub fn metrics_bytes(&self) -> anyhow::Result<u64> {
        let metadata = self.metrics.metadata();
        Ok(metadata
            .with_context(|| format!("cannot read {}", self.path.join(METRICS).display()))?
            .len())
    }

    /// Removes the model file called `name`, if there is one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_model(&self, name: &str) -> anyhow::Result<()> {
        let path = self.model(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Writes what the run is made of.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn describe(&self, config: &str, provenance: &Provenance<'_>) -> anyhow::Result<()> {
        let provenance = serde_json::to_string_pretty(provenance)?;
        self.write(RUN, &format!("{provenance}\n"))?;
        // Last: with a config, a run can go on.
        self.write(CONFIG, config)
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

    /// Writes what the validation after so many batches looks like.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_picture(&self, batches: usize, png: &[u8]) -> anyhow::Result<()> {
        let folder = self.path.join(PICTURES);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let path = folder.join(format!("{batches:08}.png"));
        write_atomically(&path, png).with_context(|| format!("cannot write {}", path.display()))
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        write_atomically(&path, text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Makes sure that no other process trains in a folder.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => bail!(
            "another process trains in {}; wait for it, or stop it",
            folder.display()
        ),
        Err(fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Removes what a process that was killed had begun to write.
fn remove_unfinished(folder: &Path) -> anyhow::Result<()> {
    for path in files(folder)? {
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with(UNFINISHED)) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// What a folder holds; nothing if there is no such folder.
pub(super) fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| Ok(entry.with_context(cannot)?.path()))
            .collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(error).with_context(cannot),
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
