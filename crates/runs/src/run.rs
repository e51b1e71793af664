//! One run, as its folder tells it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use n2n_data::quality::Psnr;
use n2n_train::data::max_images;
use n2n_train::run_dir::{History, Provenance};
use n2n_train::{Experiment, Record, Restart, RunDir};

use crate::RunsError;

/// Share of a run's images at its end whose validations make its [`final_psnr_db`](Run::final_psnr_db): a single one
/// depends on where between two batches it falls, and the best one is the best by chance too.
pub const FINAL_SHARE: f64 = 0.1;

/// One run, as its folder tells it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder.
    pub path: PathBuf,
    /// The folder's name.
    pub name: String,
    /// The resolved experiment.
    pub experiment: Experiment,
    /// Its settings by their keys, each value as TOML writes it.
    pub settings: BTreeMap<String, String>,
    /// Program, device and data; `None` where the file is missing.
    pub provenance: Option<Provenance>,
    /// Validations of the weights that went on: none before a restart.
    pub records: Vec<Record>,
    /// New starts from other weights.
    pub restarts: Vec<Restart>,
    best: Option<Record>,
}

impl Run {
    /// Reads the run in a folder, and changes nothing there.
    ///
    /// # Errors
    /// When it holds no run, or a file cannot be read; a last line of the metrics that is cut off is no error.
    pub fn read(path: &Path) -> Result<Self, RunsError> {
        let experiment = RunDir::experiment(path)?;
        let history = History::read(path)?;
        Ok(Self {
            path: path.to_owned(),
            name: name(path),
            settings: experiment.settings(),
            experiment,
            provenance: RunDir::provenance_if_any(path)?,
            best: history.best().copied(),
            records: history.records,
            restarts: history.restarts,
        })
    }

    /// Returns the seed.
    pub fn seed(&self) -> u64 {
        self.experiment.train.seed
    }

    /// Returns the last validation.
    pub fn last(&self) -> Option<&Record> {
        self.records.last()
    }

    /// Returns the best validation, the one whose weights are `best.safetensors`.
    pub fn best(&self) -> Option<&Record> {
        self.best.as_ref()
    }

    /// Returns the PSNR of the noisy validation inputs, or what stands for it, if it is known.
    pub fn noisy_psnr(&self) -> Option<Psnr> {
        let psnr = self.provenance.as_ref()?.noisy_psnr();
        psnr.db().map(|_| psnr)
    }

    /// Returns the mean PSNR of the validations in the last tenth of the images ([`FINAL_SHARE`]) in dB: measured,
    /// estimated, or what stands for it with sub-images, as [`last`](Self::last) says. Estimates that were not possible
    /// are left out.
    pub fn final_psnr_db(&self) -> Option<f64> {
        let end = self.last()?.images as f64;
        let is_final = |record: &&Record| record.images as f64 >= (1.0 - FINAL_SHARE) * end;
        let values = self.records.iter().filter(is_final);
        let values: Vec<f64> = values.filter_map(psnr_db).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Returns [`final_psnr_db`](Self::final_psnr_db) above the same of the noisy input, in dB, if both are known.
    pub fn final_above_noisy_db(&self) -> Option<f64> {
        Some(self.final_psnr_db()? - self.noisy_psnr()?.db()?)
    }

    /// Returns the PSNR of the best validation in dB, or what stands for it.
    pub fn best_psnr_db(&self) -> Option<f64> {
        self.best().and_then(psnr_db)
    }

    /// Returns by how much the best model is better than its noisy input, in dB, if both are known. Sub-images do not
    /// tell it.
    pub fn gain_db(&self) -> Option<f64> {
        let noisy = self.noisy_psnr().filter(|psnr| psnr.is_of_images())?;
        Some(self.best_psnr_db()? - noisy.db()?)
    }

    /// Returns the length of the run in images, if the folder tells it.
    pub fn max_images(&self) -> Option<usize> {
        let provenance = self.provenance.as_ref();
        let examples = provenance.map_or(0, |provenance| provenance.train_examples);
        match self.experiment.train.max_epochs {
            None => self.experiment.train.max_images,
            Some(_) if examples == 0 => None,
            Some(_) => Some(max_images(&self.experiment, examples)),
        }
    }

    /// Returns whether the run has come to its end: all of its images or minutes, or as many validations without
    /// improvement as `train.early_stop` says. Others can be resumed.
    pub fn is_finished(&self) -> bool {
        let Some(last) = self.last() else {
            return false;
        };
        let train = &self.experiment.train;
        let minutes = last.seconds / 60.0;
        self.max_images()
            .is_some_and(|images| last.images >= images)
            || train.max_minutes.is_some_and(|limit| minutes >= limit)
            || train
                .early_stop
                .is_some_and(|limit| self.validations_since_best() >= limit)
    }

    /// Validations after the best one. One at a stop, which falls between two others, does not count.
    fn validations_since_best(&self) -> usize {
        let Some((best, first)) = self.best.zip(self.records.first()) else {
            return 0;
        };
        let later = self.records.iter().filter(|record| {
            record.batches > best.batches && record.batches.is_multiple_of(first.batches)
        });
        later.count()
    }
}

/// The PSNR of a validation in dB, or what stands for it.
fn psnr_db(record: &Record) -> Option<f64> {
    Psnr::from(record.psnr).db()
}

/// The name of a folder, however it is written.
fn name(path: &Path) -> String {
    let whole = path.canonicalize();
    let path = whole.as_deref().unwrap_or(path);
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::Folder;

    #[test]
    fn a_run_tells_what_it_came_to() {
        let folder = Folder::new();
        let psnrs = [20.0, 26.0, 24.0];
        let path = folder.run("run-1", |train| train.max_images = Some(300), &psnrs);
        let run = Run::read(&path).unwrap();
        assert_eq!((run.name.as_str(), run.seed()), ("run-1", 0));
        assert_eq!(run.settings["train.max_images"], "300");
        assert_eq!(run.final_psnr_db(), Some(24.0));
        assert_eq!(run.best_psnr_db(), Some(26.0));
        assert_eq!(run.last().unwrap().images, 300);
        assert_eq!(run.gain_db(), Some(8.0));
        assert!(run.is_finished());
        // The last tenth alone: from 1,800 of 2,000 images on.
        let long = [&[1.0; 17][..], &[30.0; 3]].concat();
        let run = Run::read(&folder.run("run-2", |_| {}, &long)).unwrap();
        assert_eq!(run.final_psnr_db(), Some(30.0));
        assert!(!run.is_finished());
    }

    #[test]
    fn ends_are_told_from_stops() {
        let folder = Folder::new();
        let finished =
            |name, change: fn(&mut n2n_train::experiment::TrainConfig), psnrs: &[f64]| {
                Run::read(&folder.run(name, change, psnrs))
                    .unwrap()
                    .is_finished()
            };
        // Validations are 100 images, 10 batches and 6 seconds apart.
        assert!(!finished(
            "a",
            |train| train.max_images = Some(301),
            &[20.0; 3]
        ));
        assert!(finished(
            "b",
            |train| train.max_epochs = Some(30),
            &[20.0; 3]
        ));
        assert!(!finished(
            "c",
            |train| train.max_epochs = Some(31),
            &[20.0; 3]
        ));
        assert!(finished(
            "d",
            |train| train.max_minutes = Some(0.3),
            &[20.0; 3]
        ));
        assert!(finished(
            "e",
            |train| train.early_stop = Some(2),
            &[20.0, 19.0, 18.0]
        ));
        assert!(!finished(
            "f",
            |train| train.early_stop = Some(2),
            &[20.0, 21.0, 18.0]
        ));
        assert!(!finished("g", |train| train.early_stop = Some(2), &[]));
    }

    #[test]
    fn runs_without_provenance_are_read() {
        let folder = Folder::new();
        let path = folder.run("run", |_| {}, &[20.0]);
        fs::write(path.join("run.json"), r#"{"version":"0.0.1","seed":0}"#).unwrap();
        let run = Run::read(&path).unwrap();
        assert_eq!((run.noisy_psnr(), run.gain_db()), (None, None));
        fs::remove_file(path.join("run.json")).unwrap();
        assert_eq!(Run::read(&path).unwrap().provenance, None);
        let error = Run::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("holds no run"), "{error}");
    }
}
