//! Runs of the training engine, in memory and in folders.

#![allow(clippy::unwrap_used)]

mod dead;
mod events;
mod launches;
mod resume;
mod run;

use burn::tensor::Device;
use n2n_data::NoisyPair;
use n2n_model::{NetworkConfig, UNetConfig};
use n2n_train::{Event, Experiment, Outcome, Stop, TrainError, Trainer};

/// Channels, height and width of the images.
const SHAPE: [usize; 3] = [1, 8, 12];

/// A tiny network.
fn network() -> UNetConfig {
    UNetConfig {
        features: 3,
        depth: 2,
        ..UNetConfig::default()
    }
}

/// Twenty steps of a tiny network, with a validation after every five.
fn experiment() -> Experiment {
    let mut experiment = Experiment {
        model: NetworkConfig::UNet(network()),
        ..Experiment::default()
    };
    experiment.train.batch_size = 4;
    experiment.train.max_images = Some(80);
    experiment.train.validate_every = n2n_train::experiment::Interval::Batches(5);
    experiment
}

/// Pairs of slopes, the second image brighter or darker by a pattern.
fn pairs() -> Vec<NoisyPair> {
    let [_, height, width] = SHAPE;
    let image = |scene: usize, shot: usize| {
        let value = |at: usize| {
            let noise = ((at * 7919 + scene * 31 + shot * 17) % 100) as f32 / 500.0;
            at as f32 / 200.0 + noise
        };
        (0..height * width).map(value).collect::<Vec<f32>>()
    };
    let pair = |scene| NoisyPair {
        shape: SHAPE,
        noisy_input: image(scene, 0),
        noisy_target: Some(image(scene, 1)),
        ..NoisyPair::default()
    };
    // Two are held out; the other twenty make five batches.
    (0..22).map(pair).collect()
}

fn trainer(experiment: &Experiment) -> Trainer {
    Trainer::with_pairs(experiment, pairs(), &Device::flex()).unwrap()
}

/// Trains until `ends` says so, which is asked at each event, or to the end.
fn run(trainer: Trainer, mut ends: impl FnMut(&Event, &Stop)) -> Result<Outcome, TrainError> {
    let stop = Stop::new();
    trainer.run(&stop, |event| ends(&event, &stop))
}

/// The bytes of the best model.
fn model(outcome: &Outcome) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    outcome.save_model(&path).unwrap();
    std::fs::read(path).unwrap()
}
