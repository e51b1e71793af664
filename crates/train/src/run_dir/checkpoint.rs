//! Everything that a run needs to continue as if it had never stopped, in one file.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use n2n_files::write_atomically;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::basis::Basis;
use super::folder::{self, files};
use super::state::TrainingState;
use crate::{LearnerState, TrainError};

/// First bytes of a checkpoint, with the version of its format.
const MAGIC: &[u8; 8] = b"n2n-ckp1";

/// Bytes of the checksum at the end.
const CHECKSUM: usize = 32;

/// Number of checkpoints that are kept, besides those of the best validations.
const KEPT: usize = 2;

const EXTENSION: &str = "checkpoint";

/// Position of a run and the state of its learner.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Position of the run.
    pub state: TrainingState,
    /// What the run stands on; earlier versions did not keep it.
    pub basis: Option<Basis>,
    /// Weights and optimizer state.
    pub learner: LearnerState,
}

/// Header of the file.
#[derive(Serialize, Deserialize)]
struct Header {
    model_bytes: usize,
    optimizer_bytes: usize,
    #[serde(rename = "position")]
    state: TrainingState,
    basis: Option<Basis>,
}

/// Damage of a checkpoint file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointFault {
    /// Bytes are missing at the end.
    #[error("it is cut off")]
    CutOff,
    /// The file is something else.
    #[error("it does not start like a checkpoint")]
    Magic,
    /// The file is of a version of the format that is not known.
    #[error("it was written by a newer n2n; update this one")]
    Newer,
    /// Bytes have changed.
    #[error("its checksum does not match")]
    Checksum,
    /// It has no optimizer state.
    #[error("it holds no optimizer state")]
    NoOptimizer,
    /// The header is not TOML, or lacks a key.
    #[error("its header cannot be read: {0}")]
    Header(String),
}

impl Checkpoint {
    /// Writes the checkpoint into `folder`, named after its step, and removes those that are not
    /// needed any more: the last two stay, and the checkpoint of the best validation of each.
    ///
    /// # Errors
    /// When it cannot be written; the checkpoints before it then stay.
    pub fn write(&self, folder: &Path) -> Result<(), TrainError> {
        folder::create(folder)?;
        let path = path(folder, self.state.batches);
        write_atomically(&path, &self.to_bytes()).map_err(TrainError::io("write", &path))?;
        let all = list(folder)?;
        let best = self.state.best.map(|record| record.batches);
        // Later ones were damaged when the run went back to an earlier one.
        let past = all
            .iter()
            .filter(|(batches, _)| *batches <= self.state.batches && Some(*batches) != best);
        let mut kept = Vec::from_iter(best);
        for (batches, path) in past.rev().take(KEPT) {
            kept.push(*batches);
            kept.extend(best_before(path));
        }
        for (_, path) in all.iter().filter(|(batches, _)| !kept.contains(batches)) {
            folder::remove(path)?;
        }
        Ok(())
    }

    /// Reads the newest undamaged checkpoint in `folder`; the errors of newer ones come with it.
    ///
    /// # Errors
    /// When all are damaged.
    pub fn newest(folder: &Path) -> Result<(Option<Self>, Vec<TrainError>), TrainError> {
        let mut damaged = Vec::new();
        for (_, path) in list(folder)?.into_iter().rev() {
            match Self::read(&path) {
                Ok(checkpoint) => return Ok((Some(checkpoint), damaged)),
                Err(error) => damaged.push(error),
            }
        }
        if damaged.is_empty() {
            return Ok((None, damaged));
        }
        Err(TrainError::NoCheckpoint {
            newest: Box::new(damaged.swap_remove(0)),
        })
    }

    /// Reads the checkpoint after `batches` steps.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn after(folder: &Path, batches: usize) -> Result<Self, TrainError> {
        Self::read(&path(folder, batches))
    }

    fn read(path: &Path) -> Result<Self, TrainError> {
        let bytes = fs::read(path).map_err(TrainError::io("read", path))?;
        Self::from_bytes(&bytes).map_err(|fault| TrainError::Checkpoint {
            path: path.to_owned(),
            fault,
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let LearnerState { model, optimizer } = &self.learner;
        // TOML writes every number so that it reads back to the last bit.
        let header = toml::to_string(&Header {
            model_bytes: model.len(),
            optimizer_bytes: optimizer.len(),
            state: self.state.clone(),
            basis: self.basis.clone(),
        });
        let header = header.unwrap_or_else(|error| unreachable!("numbers are TOML: {error}"));
        let mut bytes = MAGIC.to_vec();
        bytes.extend((header.len() as u64).to_le_bytes());
        for part in [header.as_bytes(), model, optimizer] {
            bytes.extend(part);
        }
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointFault> {
        use CheckpointFault::{Checksum, CutOff, Magic, Newer, NoOptimizer};
        let end = bytes.len().checked_sub(CHECKSUM).ok_or(CutOff)?;
        let (bytes, checksum) = bytes.split_at(end);
        let is_newer = bytes.starts_with(&MAGIC[..MAGIC.len() - 1]);
        let other = if is_newer { Newer } else { Magic };
        let body = bytes.strip_prefix(MAGIC).ok_or(other)?;
        if Sha256::digest(bytes).as_slice() != checksum {
            return Err(Checksum);
        }
        let (length, rest) = body.split_first_chunk().ok_or(CutOff)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| CutOff)?;
        let (header, rest) = rest.split_at_checked(length).ok_or(CutOff)?;
        let header: Header = toml::from_slice(header)
            .map_err(|error| CheckpointFault::Header(error.message().to_owned()))?;
        let (model, optimizer) = rest.split_at_checked(header.model_bytes).ok_or(CutOff)?;
        if optimizer.len() != header.optimizer_bytes {
            return Err(CutOff);
        }
        if optimizer.is_empty() {
            return Err(NoOptimizer);
        }
        Ok(Self {
            state: header.state,
            basis: header.basis,
            learner: LearnerState {
                model: model.to_vec(),
                optimizer: optimizer.to_vec(),
            },
        })
    }
}

/// Returns the step of the best validation before a checkpoint, if the file tells.
fn best_before(path: &Path) -> Option<usize> {
    let mut file = File::open(path).ok()?;
    let mut start = [0; MAGIC.len() + size_of::<u64>()];
    file.read_exact(&mut start).ok()?;
    let length = start.strip_prefix(MAGIC)?.try_into().ok()?;
    let mut header = String::new();
    let mut rest = file.take(u64::from_le_bytes(length));
    rest.read_to_string(&mut header).ok()?;
    let header: Header = toml::from_str(&header).ok()?;
    header.state.best.map(|record| record.batches)
}

fn path(folder: &Path, batches: usize) -> PathBuf {
    folder.join(format!("{batches:08}.{EXTENSION}"))
}

/// Returns the checkpoints in a folder with their steps, the oldest first.
fn list(folder: &Path) -> Result<Vec<(usize, PathBuf)>, TrainError> {
    let mut found = Vec::new();
    for path in files(folder)? {
        if path.extension().is_some_and(|found| found == EXTENSION)
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            && let Ok(batches) = stem.parse()
        {
            found.push((batches, path));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead::Errors;
    use crate::run_dir::record::Record;
    use n2n_data::quality::Psnr;

    fn record(batches: usize) -> Record {
        Record {
            images: 4 * batches,
            batches,
            train_loss: 0.1,
            val_mse: 0.3,
            psnr: Psnr::Measured(5.25).into(),
            ssim: None,
            lr: 1e-3,
            seconds: 7.5,
        }
    }

    fn checkpoint(batches: usize, best: Option<usize>) -> Checkpoint {
        Checkpoint {
            state: TrainingState {
                images: 4 * batches,
                batches,
                losses: vec![0.1_f32.to_bits(), f32::MIN_POSITIVE.to_bits()],
                seconds: 8.25,
                training_seconds: 6.5,
                metrics_bytes: 99,
                best: best.map(record),
                plateau: None,
                since_best: 0,
                rollbacks: 1,
                restarts: 1,
                last: Some(Errors {
                    mse: 0.0625,
                    train_loss: 0.5,
                }),
            },
            basis: None,
            learner: LearnerState {
                model: vec![batches as u8; 70],
                optimizer: vec![2; 30],
            },
        }
    }

    #[test]
    fn checkpoint_reads_back_equal() {
        let folder = tempfile::tempdir().unwrap();
        let written = checkpoint(12, Some(9));
        written.write(folder.path()).unwrap();
        let (read, damaged_found) = Checkpoint::newest(folder.path()).unwrap();
        assert_eq!((read, damaged_found.len()), (Some(written), 0));
    }

    #[test]
    fn write_keeps_the_last_two_and_the_best() {
        let folder = tempfile::tempdir().unwrap();
        for batches in 0..6 {
            let best = (batches > 1).then_some(1);
            checkpoint(batches, best).write(folder.path()).unwrap();
        }
        assert_eq!(left(folder.path()), [1, 4, 5]);
        assert_eq!(
            Checkpoint::after(folder.path(), 1).unwrap().learner.model[0],
            1
        );
    }

    #[test]
    fn write_keeps_the_best_of_an_older_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        for (batches, best) in [(1, 1), (2, 1), (3, 1), (4, 1), (5, 5)] {
            checkpoint(batches, Some(best))
                .write(folder.path())
                .unwrap();
        }
        assert_eq!(left(folder.path()), [1, 3, 4, 5]);
        for batches in [6, 7] {
            checkpoint(batches, Some(5)).write(folder.path()).unwrap();
        }
        assert_eq!(left(folder.path()), [5, 6, 7]);
    }

    #[test]
    fn write_removes_later_damaged_checkpoints() {
        let folder = tempfile::tempdir().unwrap();
        for batches in [7, 8] {
            fs::write(path(folder.path(), batches), [0; 50]).unwrap();
        }
        for batches in [3, 4] {
            checkpoint(batches, None).write(folder.path()).unwrap();
        }
        assert_eq!(left(folder.path()), [3, 4]);
    }

    #[test]
    fn checkpoint_without_optimizer_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut written = checkpoint(1, None);
        written.learner.optimizer.clear();
        written.write(folder.path()).unwrap();
        let error = Checkpoint::after(folder.path(), 1).unwrap_err();
        assert!(error.to_string().contains("no optimizer state"), "{error}");
    }

    fn left(folder: &Path) -> Vec<usize> {
        let found = list(folder).unwrap();
        found.into_iter().map(|(batches, _)| batches).collect()
    }

    #[test]
    fn newest_skips_and_names_damaged_checkpoints() {
        let folder = tempfile::tempdir().unwrap();
        for batches in [3, 4] {
            checkpoint(batches, None).write(folder.path()).unwrap();
        }
        let newest = path(folder.path(), 4);
        let bytes = fs::read(&newest).unwrap();
        let mut flipped = bytes.clone();
        flipped[60] ^= 1;
        for damaged in [&bytes[..0], &bytes[..31], &bytes[..100], &flipped] {
            fs::write(&newest, damaged).unwrap();
            let (read, damaged_found) = Checkpoint::newest(folder.path()).unwrap();
            assert_eq!(read.unwrap().state.batches, 3);
            assert!(
                damaged_found[0]
                    .to_string()
                    .contains("00000004.checkpoint is damaged"),
                "{damaged_found:?}"
            );
        }
        fs::remove_file(path(folder.path(), 3)).unwrap();
        let error = Checkpoint::newest(folder.path()).unwrap_err();
        assert!(
            error.to_string().contains("no checkpoint can be read"),
            "{error}"
        );
    }
}
