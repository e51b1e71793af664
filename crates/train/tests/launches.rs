//! Runs on any adapter of the machine, a software one included.

use std::path::Path;

use burn::tensor::{Device, Distribution, Tensor};
use n2n_data::{Batch, Swap};
use n2n_devices::{Launches, count_launches};
use n2n_model::{Loss, NetworkConfig, Output, UNetConfig};
use n2n_train::experiment::{Activations, Interval, TrainConfig};
use n2n_train::{Experiment, Learner, TrainError, Trainer};

use crate::{SHAPE, experiment, model, network, pairs, run};

#[test]
fn runs_wait_for_the_device_once_in_many_steps() {
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let mut experiment = experiment();
    experiment.train.max_images = Some(4 * 200);
    experiment.train.validate_every = Interval::Batches(100);
    let trainer = Trainer::with_pairs(&experiment, pairs(), &device).unwrap();
    let outcome = run(trainer, |_, _| {}).unwrap();
    // After the first step, and in time once in 25 of the rest.
    assert!(outcome.waits.losses <= 1 + 200 / 25, "{:?}", outcome.waits);
    assert_eq!(outcome.waits.validations, 2);
}

/// Writes one shot of 22 grey scenes as an array of bytes, `[22, height, width]`.
fn write_bytes(path: &Path, shot: usize) {
    let [_, height, width] = SHAPE;
    let shape = format!("(22, {height}, {width})");
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
    // 128 bytes, with the newline and the ten bytes before the text.
    let header = format!("{header:<117}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend((0..22 * height * width).map(|at| ((at + shot) * 7919 % 251) as u8));
    std::fs::write(path, file).unwrap();
}

#[test]
fn steps_send_no_pixels_of_8_bit_images() {
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut experiment = experiment();
    for (shot, name) in ["a.npy", "b.npy"].into_iter().enumerate() {
        write_bytes(&folder.path().join(name), shot);
    }
    experiment.data.path = Some(folder.path().to_owned());
    experiment.data.augment.flip = true;
    experiment.data.augment.swap = Swap::Pixels;
    let sent = |trainer: Trainer| run(trainer, |_, _| {}).unwrap().sent_bytes;
    assert_eq!(sent(Trainer::new(&experiment, &device).unwrap()), 0);
    // Floats are sent with each of the 80 images and its target.
    experiment.data.path = None;
    let floats = Trainer::with_pairs(&experiment, pairs(), &device).unwrap();
    assert_eq!(sent(floats), 80 * 2 * 8 * 12 * 4);
}

/// The best model of a run of twenty steps and four validations, and the launches of all of it.
fn model_and_launches(device: &Device) -> (Vec<u8>, Launches) {
    let trainer = Trainer::with_pairs(&experiment(), pairs(), device).unwrap();
    let (outcome, launches) = count_launches(device, || run(trainer, |_, _| {}).unwrap()).unwrap();
    (model(&outcome), launches)
}

#[test]
fn runs_repeat_to_the_bit_and_search_for_no_kernels() {
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let (first_model, first) = model_and_launches(&device);
    let (second_model, second) = model_and_launches(&device);
    assert_eq!(first_model, second_model);
    // What is searched for is searched for once.
    assert_eq!(first, second);
    for kernel in ["LaunchOverhead", "MemoryDirectThroughput"] {
        assert!(!first.contains_key(kernel), "{first:?}");
    }
}

/// Most launches of a training step of a U-Net of depth 2 as configs/own.toml has it: 9 convolutions, their gradients,
/// the loss, and what the optimizer, clipping and averaging do with all parameters at once.
const OWN_STEP: usize = 37;

#[test]
fn steps_of_the_recipe_launch_few_kernels_and_search_for_none() {
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let unet = NetworkConfig::UNet(UNetConfig {
        share_weights: false,
        output: Output::Residual,
        ..network()
    });
    let config = TrainConfig {
        optimizer: toml::from_str("kind = 'adam'").unwrap(),
        clip_norm: Some(0.1),
        ema: Some(0.999),
        ..TrainConfig::default()
    };
    let mut learner = Learner::new(&unet, &config, 1600, &device);
    let images = || Tensor::random([4, 3, 8, 12], Distribution::Default, learner.device());
    let batch = Batch::of_pairs(images(), images());
    for step in 0..3 {
        let batch = Ok::<_, TrainError>(batch.clone());
        let take = || learner.step([batch]).unwrap();
        let (_, launches) = count_launches(&device, take).unwrap();
        let count: usize = launches.values().sum();
        assert!(count <= OWN_STEP, "step {step}: {count} {launches:?}");
    }
}

/// Values that the U-Net's layers put out for an image of 32x32 pixels: of the first convolution, the encoder, the bottom, the
/// decoder, the last convolution and the logistic function.
const OUTPUTS: usize = 147_200;

#[test]
fn runs_with_activations_of_16_bits_learn_the_same() {
    /// Largest difference of two runs' validation errors, of the error: f16 has three digits.
    const ROUNDING: f64 = 2e-3;
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let error = |activations| {
        let mut experiment = experiment();
        experiment.train.activations = activations;
        let trainer = Trainer::with_pairs(&experiment, pairs(), &device).unwrap();
        run(trainer, |_, _| {}).unwrap().last.val_mse
    };
    let (f32, f16) = (error(Activations::F32), error(Activations::F16));
    let difference = (f16 - f32).abs() / f32;
    assert!(difference > 0.0 && difference < ROUNDING, "{f32} {f16}");
}

#[test]
fn activations_of_16_bits_need_a_device_and_a_network() {
    let mut experiment = experiment();
    experiment.train.activations = Activations::F16;
    let refused = |experiment: &Experiment, device: &Device| {
        let trainer = Trainer::with_pairs(experiment, pairs(), device).unwrap();
        run(trainer, |_, _| {}).err().unwrap().to_string()
    };
    let message = refused(&experiment, &Device::flex());
    assert!(message.contains("no graphics device"), "{message}");
    assert!(message.contains("set it to \"f32\""), "{message}");
    if let Some(device) = n2n_testing::wgpu() {
        experiment.train.loss = Loss::L1;
        let message = refused(&experiment, &device);
        assert!(message.contains("it is for train.loss"), "{message}");
    }
}

#[test]
fn a_step_takes_three_times_the_memory_of_its_images() {
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let config = TrainConfig::default();
    let mut learner = Learner::new(&NetworkConfig::default(), &config, 1600, &device);
    let images = || Tensor::ones([256, 3, 32, 32], learner.device());
    let batch = Batch::of_pairs(images(), images());
    let (loss, _) = learner.step([Ok::<_, TrainError>(batch)]).unwrap();
    loss.into_data();
    let pools = device.memory_pool_report().unwrap();
    let peak: u64 = pools
        .iter()
        .map(|pool| pool.page_size * pool.pages_peak)
        .sum();
    let images = (256 * OUTPUTS * size_of::<f32>()) as u64;
    assert!(peak <= 3 * images, "{peak} bytes, {images} of images");
}
