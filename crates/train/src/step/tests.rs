//! The loss of sub-images.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::TrainStep;
use n2n_data::{Batch, Wholes};
use n2n_model::{NetworkConfig, UNetConfig};

use super::TrainingModel;
use crate::experiment::TrainConfig;

/// Rounding of sums of 64 squares and their gradients, of the largest gradient.
const TOLERANCE: f32 = 1e-5;

/// Weight of the second term at the end of a run, and the share of the run that is over.
const WEIGHT: f32 = 3.0;
const PROGRESS: f32 = 0.5;

/// A wave that differs from value to value, of `[batch_size, channels, height, width]`.
fn wave(shape: [usize; 4], step: f32) -> Tensor<4> {
    let count: usize = shape.iter().product();
    let values = (0..count).map(|at| 0.5 + 0.4 * (at as f32 * step).sin());
    let data = TensorData::new(values.collect::<Vec<f32>>(), shape);
    Tensor::from_data(data, &Device::flex().autodiff())
}

/// Of each cell of 2 x 2 pixels the upper left one is in the input and its right neighbour in the target.
fn signs(height: usize, width: usize) -> Tensor<4> {
    let sign = |at: usize| match [at / width % 2, at % width % 2] {
        [0, 0] => 1.0,
        [0, 1] => -1.0,
        _ => 0.0,
    };
    let values: Vec<f32> = (0..height * width).map(sign).collect();
    let data = TensorData::new(values, [1, 1, height, width]);
    Tensor::from_data(data, &Device::flex().autodiff())
}

#[test]
fn changed_target_has_the_gradient_of_both_terms() {
    let device = Device::flex().autodiff();
    let config = NetworkConfig::UNet(UNetConfig {
        features: 3,
        depth: 2,
        ..UNetConfig::default()
    })
    .with_channels(2);
    let network = config.init(1, &device).fork(&device);
    let mut model = TrainingModel::new(network.clone(), &TrainConfig::default());
    model.set_progress(7, PROGRESS);
    let (input, target) = (wave([1, 2, 8, 8], 0.7), wave([1, 2, 8, 8], 1.3));
    let wholes = Wholes {
        images: wave([1, 2, 16, 16], 0.9),
        signs: signs(16, 16),
        weight: WEIGHT,
    };
    let batch = Batch {
        wholes: Some(wholes.clone()),
        ..Batch::of_pairs(input.clone(), target.clone())
    };
    let mut ours = TrainStep::step(&model, batch).grads;
    let ours = ours.remove::<1>(model.id()).unwrap();

    // Both terms as they are written, by autodiff.
    let gamma = WEIGHT * PROGRESS;
    let difference = wholes
        .differences(network.forward(wholes.images.clone()))
        .detach();
    let error = network.forward(input) - target;
    let second = (error.clone() - difference).square().mean();
    let loss = error.square().mean() + second * gamma;
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    let mut expected = model.gradients(&network, gradients);
    let expected = expected.remove::<1>(model.id()).unwrap();

    let read = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().unwrap();
    let (ours, expected) = (read(ours), read(expected));
    let largest = expected
        .iter()
        .fold(0.0_f32, |most, value| most.max(value.abs()));
    assert!(largest > 0.0 && ours.len() == expected.len());
    for (ours, expected) in ours.iter().zip(&expected) {
        let deviation = ((1.0 + gamma) * ours - expected).abs();
        assert!(deviation < TOLERANCE * largest, "{ours} and {expected}");
    }
}
