//! Run directories for tests, written as the trainer writes them.

use std::fs;
use std::path::{Path, PathBuf};

use n2n_data::quality::Psnr;
use n2n_train::experiment::TrainConfig;
use n2n_train::run_dir::Provenance;
use n2n_train::{Experiment, Record, RunDir};
use tempfile::TempDir;

use crate::Run;

/// PSNR of the noisy inputs.
pub const NOISY_DB: f64 = 18.0;

/// A folder of runs, removed at the end.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a run on embedded scenes with changed training settings; see [`write`](Self::write).
    pub fn run(&self, name: &str, change: impl Fn(&mut TrainConfig), psnrs: &[f64]) -> PathBuf {
        let mut experiment = Experiment::on_scenes();
        change(&mut experiment.train);
        self.write(
            name,
            &experiment,
            psnrs.iter().map(|db| Psnr::Measured(*db)),
        )
    }

    /// Writes a run whose validations are 100 images, 10 batches and 6 seconds apart.
    pub fn write(
        &self,
        name: &str,
        experiment: &Experiment,
        psnrs: impl IntoIterator<Item = Psnr>,
    ) -> PathBuf {
        let path = self.path().join(name);
        let mut run_dir = RunDir::create(&path).unwrap();
        let provenance = Provenance {
            seed: experiment.train.seed,
            train_examples: 10,
            noisy_psnr_db: Some(NOISY_DB),
            ..Provenance::default()
        };
        run_dir
            .describe(&experiment.to_toml().unwrap(), &provenance)
            .unwrap();
        for (psnr, number) in psnrs.into_iter().zip(1..) {
            let db = psnr.db().unwrap_or(0.0);
            run_dir
                .record(&Record {
                    images: 100 * number,
                    batches: 10 * number,
                    train_loss: 1.0 / number as f64,
                    val_mse: 10.0_f64.powf(-db / 10.0),
                    psnr: psnr.into(),
                    ssim: None,
                    lr: 1e-3,
                    seconds: 6.0 * number as f64,
                })
                .unwrap();
        }
        path
    }

    /// Reads runs with changed experiments, called `a`, `b` and so on.
    pub fn runs(changes: &[&dyn Fn(&mut Experiment)]) -> Vec<Run> {
        let folder = Self::new();
        let runs = changes.iter().zip('a'..).map(|(change, name)| {
            let mut experiment = Experiment::on_scenes();
            change(&mut experiment);
            let psnr = [Psnr::Measured(20.0)];
            Run::read(&folder.write(&name.to_string(), &experiment, psnr)).unwrap()
        });
        runs.collect()
    }
}

/// An experiment file of an earlier version: keys that it does not know are absent.
pub fn remove_keys(run: &Path, keys: &[&str]) {
    let path = run.join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    let kept = text
        .lines()
        .filter(|line| !keys.iter().any(|key| line.starts_with(key)));
    fs::write(&path, kept.collect::<Vec<_>>().join("\n")).unwrap();
}
