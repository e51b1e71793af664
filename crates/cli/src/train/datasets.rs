//! The training and validation examples an experiment names.

use std::sync::Arc;

use n2n_data::noise::Noise;
use n2n_data::{Examples, NoisyPair, Opened, Request, Visit};
use rayon::prelude::*;

use super::psnr::Psnr;
use crate::experiment::Experiment;
use crate::waiting::Waiting;

/// Opens the data of an experiment, and settles what follows from it: the experiment that comes back
/// names the channels and the noise.
///
/// # Errors
/// When a file is missing or damaged, or does not fit the experiment.
pub fn open(mut experiment: Experiment) -> anyhow::Result<(Experiment, Opened)> {
    experiment.model.validate()?;
    let mut config = experiment.data.clone();
    config.channels = config.channels.or(experiment.model.channels());
    let waiting = Waiting::new();
    let progress = |scenes| {
        waiting.tell(|| format!("looking at images: {scenes} scenes so far"));
    };
    let opened = Request {
        config: &config,
        noise: experiment.noise.map(Noise::from),
        seed: experiment.train.seed,
        target: experiment.train.target,
        divisor: experiment.model.divisor(),
        progress: &progress,
    }
    .open()?;
    let [channels, height, width] = opened.train.shape(0);
    experiment.model = experiment.model.with_channels(channels);
    experiment.model.check_image(height, width)?;
    experiment.noise = opened.noise.as_ref().and_then(Noise::config);
    Ok((experiment, opened))
}

/// PSNR of the noisy validation inputs themselves.
///
/// Without clean images it is an estimate for noise of one variance in both images of a pair: half
/// their mean squared difference.
///
/// # Errors
/// When an example cannot be read.
pub fn noisy_psnr(validation: &Arc<Examples>) -> anyhow::Result<Psnr> {
    let errors = (0..validation.len()).into_par_iter().map(|index| {
        let pair = validation.pair(Visit { epoch: 0, index })?;
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
    let errors = errors.collect::<anyhow::Result<Vec<f64>>>()?;
    Ok(Psnr::of(&errors, validation.has_clean()))
}
