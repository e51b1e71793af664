//! The training and validation examples an experiment names.

use std::sync::Arc;

use anyhow::{Context, ensure};
use n2n_data::{DataError, PairSource, Scenes, Slice, Split, Target, TorchPairs};

use super::psnr::psnr_db;
use crate::experiment::Experiment;

/// File names of the reference's data.
const TRAIN_FILE: &str = "train_data.pkl";
const VALIDATION_FILE: &str = "val_data.pkl";

/// What a network is trained and validated on.
pub struct Datasets {
    /// Training examples.
    pub train: Arc<dyn PairSource>,
    /// Validation examples, with clean targets.
    pub validation: Arc<dyn PairSource>,
}

impl Datasets {
    /// Opens what the experiment names, and checks that it can be trained on.
    ///
    /// # Errors
    /// When a file is missing or damaged, or a target or a size does not fit the experiment.
    pub fn open(experiment: &Experiment) -> anyhow::Result<Self> {
        let data = &experiment.data;
        let seed = experiment.train.seed;
        let (train, validation): (Arc<dyn PairSource>, Arc<dyn PairSource>) = match &data.path {
            Some(folder) => (
                Arc::new(TorchPairs::open(&folder.join(TRAIN_FILE), Target::Noisy)?),
                Arc::new(TorchPairs::open(
                    &folder.join(VALIDATION_FILE),
                    Target::Clean,
                )?),
            ),
            None => (
                Arc::new(Scenes::new(&data.scenes, seed, Split::Train)),
                Arc::new(Scenes::new(&data.scenes, seed, Split::Validation)),
            ),
        };
        let train = match data.limit {
            Some(limit) if limit < train.len() => Arc::new(Slice::new(train, 0..limit)),
            _ => train,
        };
        require(&*train, "the training set", experiment.train.target)?;
        require(&*validation, "the validation set", Target::Clean)?;
        let [channels, height, width] = train.shape();
        ensure!(
            train.shape() == validation.shape(),
            "training images are {:?}, but validation images {:?} (channels, height, width)",
            train.shape(),
            validation.shape()
        );
        ensure!(
            channels == 3,
            "images have {channels} channels, but the network takes 3"
        );
        experiment.model.check_image(height, width)?;
        Ok(Self { train, validation })
    }

    /// PSNR of the noisy validation inputs themselves, in dB.
    ///
    /// # Errors
    /// When an example cannot be read.
    pub fn noisy_psnr_db(&self) -> anyhow::Result<f64> {
        let mse = (0..self.validation.len())
            .map(|index| {
                let pair = self.validation.pair(index)?;
                let clean = pair.target(Target::Clean).context("no clean target")?;
                let squares = pair.noisy_input.iter().zip(clean);
                let sum: f64 = squares.map(|(a, b)| f64::from(a - b).powi(2)).sum();
                Ok(sum / clean.len() as f64)
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(psnr_db(&mse))
    }
}

fn require(source: &dyn PairSource, name: &str, target: Target) -> Result<(), DataError> {
    let name = name.to_owned();
    if source.is_empty() {
        return Err(DataError::Empty { name });
    }
    if !source.has(target) {
        return Err(DataError::MissingTarget { name, target });
    }
    Ok(())
}
