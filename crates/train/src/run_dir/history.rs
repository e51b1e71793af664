//! The validations of a run, read from its folder while it is under way or after its end.

use std::fs;
use std::path::Path;

use super::directory::METRICS;
use super::record::Record;
use crate::TrainError;
use crate::dead::Restart;

/// What the metrics of a run tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Validations of the present weights, the first one first: those before a restart are left out.
    pub records: Vec<Record>,
    /// New starts from other weights.
    pub restarts: Vec<Restart>,
}

impl History {
    /// Reads the history of the run in a folder, and changes nothing there.
    ///
    /// A last line that is cut off is left out: the run is writing it, or was killed then.
    ///
    /// # Errors
    /// When the metrics cannot be read, or another line is neither a validation nor a restart.
    pub fn read(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join(METRICS);
        let bytes = fs::read(&path).map_err(TrainError::io("read", &path))?;
        let mut history = Self::default();
        let mut lines = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .zip(1..)
            .peekable();
        while let Some((line, number)) = lines.next() {
            match history.add(line) {
                Ok(()) => {}
                Err(_) if lines.peek().is_none() && !line.ends_with(b"\n") => {}
                Err(source) => {
                    return Err(TrainError::DamagedLine {
                        path,
                        line: number,
                        source,
                    });
                }
            }
        }
        Ok(history)
    }

    fn add(&mut self, line: &[u8]) -> serde_json::Result<()> {
        if let Ok(restart) = serde_json::from_slice(line) {
            self.restarts.push(restart);
            self.records.clear();
        } else {
            self.records.push(serde_json::from_slice(line)?);
        }
        Ok(())
    }

    /// Returns the best validation.
    pub fn best(&self) -> Option<&Record> {
        let mut records = self.records.iter();
        let first = records.next()?;
        Some(records.fold(first, |best, record| {
            if record.is_better_than(best) {
                record
            } else {
                best
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(metrics: &str) -> Result<History, TrainError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(METRICS), metrics).unwrap();
        History::read(folder.path())
    }

    fn line(images: usize, db: f64) -> String {
        format!(
            r#"{{"images":{images},"batches":{images},"train_loss":0.1,"val_mse":0.1,"psnr_db":{db},"lr":0.1,"seconds":1.0}}"#
        )
    }

    const RESTART: &str = r#"{"restart":1,"cause":"dead","images":20,"seed":1,"lr":0.05}"#;

    #[test]
    fn validations_before_a_restart_do_not_count() {
        let text = [
            &line(10, 30.0),
            RESTART,
            &line(10, 21.0),
            &line(20, 20.0),
            "",
        ];
        let found = history(&text.join("\n")).unwrap();
        let images: Vec<usize> = found.records.iter().map(|one| one.images).collect();
        assert_eq!(images, [10, 20]);
        assert_eq!(found.best().unwrap().psnr.psnr_db, Some(21.0));
        assert_eq!((found.restarts.len(), found.restarts[0].seed), (1, 1));
        assert_eq!(history("").unwrap(), History::default());
    }

    #[test]
    fn a_last_line_that_is_cut_off_is_left_out() {
        let cut = format!("{}\n{}", line(10, 20.0), &line(20, 21.0)[..30]);
        assert_eq!(history(&cut).unwrap().records.len(), 1);
        // Whole, though its end of line is not there yet.
        let whole = format!("{}\n{}", line(10, 20.0), line(20, 21.0));
        assert_eq!(history(&whole).unwrap().records.len(), 2);
        let error = history(&format!("{}\nnonsense\n", line(10, 20.0))).unwrap_err();
        assert!(error.to_string().contains("metrics.jsonl"), "{error}");
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
