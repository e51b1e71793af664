//! Training and validation data of an experiment.

use std::sync::Arc;

use burn::tensor::Device;
use n2n_data::noise::{Noise, NoiseModel};
use n2n_data::quality::Psnr;
use n2n_data::{
    Batching, ExampleIndex, Examples, NoisyPair, Normalization, Opened, Request, TrainStream,
};
use rayon::prelude::*;

use crate::TrainError;
use crate::experiment::{Experiment, ExperimentError};

/// Data of an experiment that its config does not name.
pub enum InMemory {
    /// Pairs, in place of files.
    Pairs(Vec<NoisyPair>),
    /// A noise model, in place of a built-in one.
    Noise(Arc<dyn NoiseModel>),
}

impl InMemory {
    /// Returns the name in a run's provenance.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pairs(_) => "pairs",
            Self::Noise(_) => "noise",
        }
    }
}

/// Opens the data of an experiment. The experiment that is returned names the channels and the noise
/// that were found.
///
/// `progress` is called now and then with the number of scenes looked at.
///
/// # Errors
/// When a file is missing or damaged, or does not fit the experiment.
pub fn open(
    experiment: &Experiment,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(Experiment, Opened), TrainError> {
    open_with(experiment, None, progress)
}

/// Opens the data of an experiment as [`open`] does, some of it from memory.
///
/// # Errors
/// As for [`open`].
pub fn open_with(
    experiment: &Experiment,
    in_memory: Option<InMemory>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(Experiment, Opened), TrainError> {
    let mut experiment = experiment.clone();
    experiment.validate()?;
    let mut config = experiment.data.clone();
    config.channels = config.channels.or(experiment.model.channels());
    let mut request = Request {
        config: &config,
        noise: experiment.noise.map(Noise::from),
        seed: experiment.train.seed,
        target: experiment.train.target,
        divisor: experiment.model.divisor(),
        progress,
    };
    let opened = match in_memory {
        None => request.open()?,
        Some(InMemory::Pairs(pairs)) => request.open_pairs(pairs)?,
        Some(InMemory::Noise(model)) => {
            request.noise = Some(Noise::Model(model));
            request.open()?
        }
    };
    let [channels, height, width] = opened.train.shape(0);
    experiment.model = experiment.model.with_channels(channels);
    experiment
        .model
        .check_image(height, width)
        .map_err(ExperimentError::from)?;
    experiment.noise = opened.noise.as_ref().and_then(Noise::config);
    Ok((experiment, opened))
}

/// Makes the endless stream of training batches, on the device of training steps.
pub fn train_stream(
    experiment: &Experiment,
    examples: &Arc<Examples>,
    normalization: &Arc<Normalization>,
    device: &Device,
) -> TrainStream {
    TrainStream::new(
        examples.clone(),
        Batching {
            normalization: normalization.clone(),
            target: experiment.train.target,
            batch_size: experiment.train.batch_size,
            shuffle_seed: experiment.data.shuffle.then_some(experiment.train.seed),
            workers: experiment.data.workers,
        },
        device.clone(),
    )
}

/// Computes the PSNR of the noisy validation inputs themselves.
///
/// Without clean images it is an estimate for noise of equal variance in both images of a pair: half
/// their mean squared difference.
///
/// # Errors
/// When an example cannot be read.
pub fn noisy_psnr(validation: &Arc<Examples>) -> Result<Psnr, TrainError> {
    let errors = (0..validation.len()).into_par_iter().map(|index| {
        let pair = validation.pair(ExampleIndex { epoch: 0, index })?;
        let NoisyPair {
            noisy_input,
            noisy_target,
            clean_target,
            ..
        } = pair;
        let (other, share) = match (&clean_target, &noisy_target) {
            (Some(clean), _) => (clean, 1.0),
            (None, Some(target)) => (target, 0.5),
            (None, None) => unreachable!("validation has one or the other"),
        };
        Ok(share * n2n_data::quality::mse(&noisy_input, other))
    });
    let errors = errors.collect::<Result<Vec<f64>, TrainError>>()?;
    Ok(Psnr::of(&errors, validation.has_clean()))
}

/// Returns the length of a run in images: the shorter of the two limits.
pub fn max_images(experiment: &Experiment, train_examples: usize) -> usize {
    let train = &experiment.train;
    let epochs = train.max_epochs.map(|epochs| epochs * train_examples);
    [train.max_images, epochs]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(train_examples)
}
