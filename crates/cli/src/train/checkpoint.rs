//! Everything a run needs to go on as if it had never stopped, in one file.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use n2n_files::write_atomically;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::position::Position;
use super::run_dir::files;

/// First bytes of a checkpoint, with the version of its format.
const MAGIC: &[u8; 8] = b"n2n-ckp1";

/// Bytes of the checksum at the end.
const CHECKSUM: usize = 32;

/// Checkpoints that are kept beside those of the best validations.
const KEPT: usize = 2;

const EXTENSION: &str = "checkpoint";

/// Where a run stands, and what it has learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Where the run stands.
    pub position: Position,
    /// The network's parameters, in Burn's format.
    pub model: Vec<u8>,
    /// The optimizer's state, in Burn's format.
    pub optimizer: Vec<u8>,
}

/// What the file says of itself.
#[derive(Serialize, Deserialize)]
struct Header {
    model_bytes: usize,
    optimizer_bytes: usize,
    position: Position,
}

impl Checkpoint {
    /// Writes the checkpoint into `folder`, named after its batches, and removes those that are not
    /// needed any more: the last two stay, and the best validation's of each that stays.
    ///
    /// # Errors
    /// When it cannot be written; those before it then stay.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let path = path(folder, self.position.batches);
        write_atomically(&path, &self.to_bytes()?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let all = list(folder)?;
        let best = self.position.best.map(|record| record.batches);
        // Later ones were damaged when the run went back to one before them.
        let past = all
            .iter()
            .filter(|(batches, _)| *batches <= self.position.batches && Some(*batches) != best);
        let mut kept = Vec::from_iter(best);
        for (batches, path) in past.rev().take(KEPT) {
            kept.push(*batches);
            kept.extend(best_before(path));
        }
        for (_, path) in all.iter().filter(|(batches, _)| !kept.contains(batches)) {
            fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    /// Reads the newest checkpoint in `folder` that is whole; what is wrong with newer ones comes
    /// with it.
    ///
    /// # Errors
    /// When all are damaged.
    pub fn newest(folder: &Path) -> anyhow::Result<(Option<Self>, Vec<String>)> {
        let mut torn = Vec::new();
        for (_, path) in list(folder)?.into_iter().rev() {
            match Self::read(&path) {
                Ok(checkpoint) => return Ok((Some(checkpoint), torn)),
                Err(error) => torn.push(format!("{error:#}")),
            }
        }
        match torn.first() {
            Some(error) => anyhow::bail!("no checkpoint can be read: {error}"),
            None => Ok((None, torn)),
        }
    }

    /// Reads the checkpoint after so many batches.
    ///
    /// # Errors
    /// When it is not there or damaged.
    pub fn after(folder: &Path, batches: usize) -> anyhow::Result<Self> {
        Self::read(&path(folder, batches))
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::from_bytes(&bytes).with_context(|| format!("{} is damaged", path.display()))
    }

    fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        // TOML, whose numbers come back to the last bit.
        let header = toml::to_string(&Header {
            model_bytes: self.model.len(),
            optimizer_bytes: self.optimizer.len(),
            position: self.position.clone(),
        })?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend((header.len() as u64).to_le_bytes());
        for part in [header.as_bytes(), &self.model, &self.optimizer] {
            bytes.extend(part);
        }
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum);
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> anyhow::Result<Self> {
        let whole = bytes.len().checked_sub(CHECKSUM).context("it is cut off")?;
        let (bytes, checksum) = bytes.split_at(whole);
        ensure!(
            bytes.starts_with(MAGIC),
            "it does not begin as a checkpoint of this version does"
        );
        ensure!(
            Sha256::digest(bytes).as_slice() == checksum,
            "its checksum does not fit"
        );
        let cut_off = "it is cut off";
        let (length, rest) = bytes[MAGIC.len()..].split_first_chunk().context(cut_off)?;
        let length = usize::try_from(u64::from_le_bytes(*length))?;
        let (header, rest) = rest.split_at_checked(length).context(cut_off)?;
        let header: Header = toml::from_str(std::str::from_utf8(header)?)?;
        let (model, optimizer) = rest.split_at_checked(header.model_bytes).context(cut_off)?;
        ensure!(optimizer.len() == header.optimizer_bytes, cut_off);
        Ok(Self {
            position: header.position,
            model: model.to_vec(),
            optimizer: optimizer.to_vec(),
        })
    }
}

/// The batches of the best validation before a checkpoint; nothing if the file does not say.
fn best_before(path: &Path) -> Option<usize> {
    let mut file = File::open(path).ok()?;
    let mut start = [0; MAGIC.len() + size_of::<u64>()];
    file.read_exact(&mut start).ok()?;
    let length = start.strip_prefix(MAGIC)?.try_into().ok()?;
    let mut header = String::new();
    let mut rest = file.take(u64::from_le_bytes(length));
    rest.read_to_string(&mut header).ok()?;
    let header: Header = toml::from_str(&header).ok()?;
    header.position.best.map(|record| record.batches)
}

fn path(folder: &Path, batches: usize) -> PathBuf {
    folder.join(format!("{batches:08}.{EXTENSION}"))
}

/// The checkpoints in a folder with their batches, the oldest first.
fn list(folder: &Path) -> anyhow::Result<Vec<(usize, PathBuf)>> {
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
    use crate::train::psnr::Psnr;
    use crate::train::run_dir::Record;

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
            position: Position {
                images: 4 * batches,
                batches,
                losses: vec![0.1_f32.to_bits(), f32::MIN_POSITIVE.to_bits()],
                seconds: 8.25,
                training_seconds: 6.5,
                metrics_bytes: 99,
                best: best.map(record),
                plateau: None,
                since_best: 0,
                halvings: 1,
            },
            model: vec![batches as u8; 70],
            optimizer: vec![2; 30],
        }
    }

    #[test]
    fn a_checkpoint_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let written = checkpoint(12, Some(9));
        written.write(folder.path()).unwrap();
        let (read, torn) = Checkpoint::newest(folder.path()).unwrap();
        assert_eq!((read, torn.len()), (Some(written), 0));
    }

    #[test]
    fn the_last_two_and_the_best_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for batches in 0..6 {
            let best = (batches > 1).then_some(1);
            checkpoint(batches, best).write(folder.path()).unwrap();
        }
        assert_eq!(left(folder.path()), [1, 4, 5]);
        assert_eq!(Checkpoint::after(folder.path(), 1).unwrap().model[0], 1);
    }

    #[test]
    fn the_best_of_an_older_one_that_stays_is_kept() {
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
    fn damaged_ones_that_a_run_went_back_from_do_not_push_out_others() {
        let folder = tempfile::tempdir().unwrap();
        for batches in [7, 8] {
            fs::write(path(folder.path(), batches), [0; 50]).unwrap();
        }
        for batches in [3, 4] {
            checkpoint(batches, None).write(folder.path()).unwrap();
        }
        assert_eq!(left(folder.path()), [3, 4]);
    }

    fn left(folder: &Path) -> Vec<usize> {
        let found = list(folder).unwrap();
        found.into_iter().map(|(batches, _)| batches).collect()
    }

    #[test]
    fn a_damaged_checkpoint_is_named_and_the_one_before_it_read() {
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
            let (read, torn) = Checkpoint::newest(folder.path()).unwrap();
            assert_eq!(read.unwrap().position.batches, 3);
            assert!(
                torn[0].contains("00000004.checkpoint is damaged"),
                "{torn:?}"
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
