//! Training and validation data of an experiment.

use std::sync::Arc;

use burn::tensor::Device;
use n2n_data::noise::{Noise, NoiseModel};
use n2n_data::quality::{Psnr, Reference, masked_mse};
use n2n_data::{
    Batching, ExampleIndex, Examples, NoisyPair, Normalization, Opened, Pairing, Preparation,
    Request, TrainStream,
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

/// Opens the data of an experiment. The experiment that is returned names the channels, the noise,
/// the range and the pairing that were found, and its paths are absolute.
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
        margin: experiment.model.receptive_radius(),
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
    experiment.data.range = opened.range.clone().into();
    if let Some(chosen) = opened.pairing {
        experiment.data.pairing = chosen.pairing;
    }
    if opened.subsamples {
        experiment.data.pairing = Pairing::Subsample;
        experiment.check_sub_images()?;
    }
    experiment.data.make_absolute();
    Ok((experiment, opened))
}

/// Returns what is done to images before the network of an experiment sees them.
pub fn preparation(experiment: &Experiment, normalization: Normalization) -> Preparation {
    Preparation {
        normalization: Arc::new(normalization),
        restores: experiment.model.has_input_units(),
    }
}

/// Makes the endless stream of training batches, on the device of training steps.
pub fn train_stream(
    experiment: &Experiment,
    examples: &Arc<Examples>,
    preparation: &Preparation,
    device: &Device,
) -> TrainStream {
    TrainStream::new(
        examples.clone(),
        Batching {
            preparation: preparation.clone(),
            target: experiment.train.target,
            batch_size: experiment.train.batch_size,
            shuffle_seed: experiment.data.shuffle.then_some(experiment.train.seed),
            workers: experiment.data.workers,
        },
        device.clone(),
    )
}

/// Error of the noisy validation inputs themselves.
#[derive(Clone, Copy, Debug)]
pub struct NoisyInput {
    /// Mean over images of the mean squared error.
    pub mse: f64,
    /// PSNR.
    pub psnr: Psnr,
}

/// Measures or estimates the error of the noisy validation inputs.
///
/// Without clean images it is an estimate for noise of equal variance in all images: half the mean squared
/// difference of a pair, or two thirds of that of a frame and the mean of its neighbours. Of
/// sub-images it is all of it, as the error of denoised ones has the noise of the other too.
///
/// # Errors
/// When an example cannot be read.
pub fn noisy_input(validation: &Arc<Examples>) -> Result<NoisyInput, TrainError> {
    let reference = validation.reference();
    let errors = (0..validation.len()).into_par_iter().map(|index| {
        let pair = validation.pair(ExampleIndex { epoch: 0, index })?;
        let NoisyPair {
            noisy_input,
            noisy_target,
            target_noise,
            clean_target,
            mask,
            ..
        } = pair;
        let (other, share) = match (&clean_target, &noisy_target) {
            (Some(clean), _) => (clean, 1.0),
            (None, Some(target)) if reference == Reference::SubImage => (target, 1.0),
            (None, Some(target)) => (target, 1.0 - target_noise.share()),
            (None, None) => unreachable!("validation has one or the other"),
        };
        Ok(share * masked_mse(&noisy_input, other, mask.as_deref()))
    });
    let errors = errors.collect::<Result<Vec<f64>, TrainError>>()?;
    Ok(NoisyInput {
        mse: errors.iter().sum::<f64>() / errors.len() as f64,
        psnr: Psnr::of(&errors, reference),
    })
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
