//! Event files, which TensorBoard reads: the numbers and the picture of each validation.
//!
//! A file is a row of TFRecords, each an `Event`. Numbers are 32-bit floats, as TensorBoard keeps scalars: those next
//! to the numbers of `metrics.jsonl`.

mod message;
mod record;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use n2n_files::{remove_unfinished, write_atomically_with};

use self::message::Event;
use super::folder::{create, files, remove};
use super::lines::Cell;
use crate::TrainError;

/// What TensorBoard looks for in the names of files.
const PREFIX: &str = "events.out.tfevents.";

/// The name of the picture of a validation.
const PICTURE: &str = "pictures";

/// Keys of a validation that are no scalars of it: its step, and what follows from that.
const POSITION: [&str; 2] = [IMAGES, "batches"];

/// The step of an event.
const IMAGES: &str = "images";

/// A validation: its values, and its picture as PNG, if there is one.
pub struct Validation {
    pub cells: Vec<Cell>,
    pub picture: Option<Vec<u8>>,
}

/// An event file that grows.
pub struct EventFile {
    path: PathBuf,
    file: File,
    /// When the training would have begun that went on without a pause, in seconds since 1970.
    epoch: f64,
}

impl EventFile {
    /// Begins a file in `folder` with the validations so far, of which the last was after `seconds` of training, and
    /// removes the files before it.
    ///
    /// A new file says that the run starts, so that a TensorBoard that is open forgets what it has read.
    ///
    /// # Errors
    /// When a file cannot be written or removed; or as `validations` say.
    pub fn begin(
        folder: &Path,
        seconds: f64,
        validations: impl Iterator<Item = Result<Validation, TrainError>>,
    ) -> Result<Self, TrainError> {
        create(folder)?;
        remove_unfinished(folder);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs_f64();
        let epoch = now - seconds;
        let earlier: Vec<(u64, PathBuf)> = files(folder)?
            .into_iter()
            .filter_map(|path| Some((number(&path)?, path)))
            .collect();
        // TensorBoard reads files in the order of their names.
        let last = earlier.iter().map(|(number, _)| *number).max();
        let number = last.map_or(now as u64, |last| (last + 1).max(now as u64));
        let path = folder.join(format!("{PREFIX}{number:010}.n2n"));
        let written = write_atomically_with(&path, None, |file| {
            let mut write = |event: Event| {
                let written = file.write_all(&record::framed(&event.encoded()));
                written.map_err(TrainError::io("write", &path))
            };
            write(Event::Version { wall_time: epoch })?;
            write(Event::Start { wall_time: epoch })?;
            for validation in validations {
                write(event(&validation?, epoch))?;
            }
            Ok::<(), TrainError>(())
        });
        written.map_err(TrainError::io("write", &path))??;
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(TrainError::io("write", &path))?;
        for (_, path) in earlier {
            remove(&path)?;
        }
        Ok(Self { path, file, epoch })
    }

    /// Appends a validation.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn append(&mut self, validation: &Validation) -> Result<(), TrainError> {
        let bytes = record::framed(&event(validation, self.epoch).encoded());
        let written = self.file.write_all(&bytes);
        written.map_err(TrainError::io("write", &self.path))
    }
}

/// The number in the name of an event file.
fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix(PREFIX)?.split('.').next()?.parse().ok()
}

/// The event of a validation.
fn event(validation: &Validation, epoch: f64) -> Event<'_> {
    let number = |key: &str| {
        let found = validation.cells.iter().find(|(name, _)| name == key);
        found.and_then(|(_, value)| value.parse::<f64>().ok())
    };
    let scalars = validation.cells.iter().filter_map(|(key, value)| {
        let value: f64 = value.parse().ok()?;
        (!POSITION.contains(&key.as_str())).then_some((key.as_str(), value as f32))
    });
    Event::Validation {
        wall_time: epoch + number("seconds").unwrap_or_default(),
        step: number(IMAGES).unwrap_or_default() as i64,
        scalars: scalars.collect(),
        picture: validation.picture.as_deref().map(|png| (PICTURE, png)),
    }
}
