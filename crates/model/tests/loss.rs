//! Losses against their formulas, by values and by Burn's autodiff.

use burn::tensor::{Device, Tensor};
use n2n_model::{Loss, Network, NetworkConfig};

/// A few f32 roundings of numbers around 1.
const TOLERANCE: f64 = 2e-6;

const OUTPUT: [f64; 6] = [0.2, 0.7, 0.5, 0.9, 0.1, 0.4];
const TARGET: [f64; 6] = [0.3, 0.4, 0.8, 0.7, 0.6, 0.45];
const MASK: [f64; 3] = [1.0, 0.0, 1.0];

fn network(device: &Device) -> Network {
    let config = NetworkConfig::default().with_channels(2);
    config.init(0, device)
}

/// Value and gradient by the output, of one image of 2 channels, 1x3 pixels.
fn computed(loss: Loss, progress: f64, masked: bool) -> (f64, Vec<f64>) {
    let device = Device::flex().autodiff();
    let tensor = |values: [f64; 6]| {
        Tensor::<1>::from_floats(values.map(|value| value as f32), &device).reshape([1, 2, 1, 3])
    };
    let output = tensor(OUTPUT).require_grad();
    let mask = masked.then(|| {
        Tensor::<1>::from_floats(MASK.map(|value| value as f32), &device).reshape([1, 1, 1, 3])
    });
    let value = network(&device).loss(loss, progress, output.clone(), tensor(TARGET), mask);
    let gradients = value.backward();
    let gradient = output.grad(&gradients).unwrap();
    (
        value.into_data().iter::<f64>().sum(),
        gradient.into_data().iter::<f64>().collect(),
    )
}

/// The same by the formulas: value and slope of each pixel.
fn expected(formula: impl Fn(f64, f64) -> (f64, f64), masked: bool) -> (f64, Vec<f64>) {
    let weight = |at: usize| if masked { MASK[at % 3] } else { 1.0 };
    let count: f64 = (0..6).map(weight).sum();
    let pixels = (0..6).map(|at| (weight(at), formula(OUTPUT[at], TARGET[at])));
    let value = pixels
        .clone()
        .map(|(weight, (value, _))| weight * value / count);
    let slopes = pixels.map(|(weight, (_, slope))| weight * slope / count);
    (value.sum(), slopes.collect())
}

fn check(loss: Loss, progress: f64, formula: impl Fn(f64, f64) -> (f64, f64) + Copy) {
    for masked in [false, true] {
        let (value, gradient) = computed(loss, progress, masked);
        let (expected_value, expected_gradient) = expected(formula, masked);
        assert!(
            (value - expected_value).abs() < TOLERANCE,
            "{loss:?} {value}"
        );
        for (a, b) in gradient.iter().zip(&expected_gradient) {
            assert!(
                (a - b).abs() < TOLERANCE * b.abs().max(1.0),
                "{loss:?}: {a} {b}"
            );
        }
    }
}

#[test]
fn values_and_gradients_match_the_formulas() {
    check(Loss::L2, 0.0, |f, y| ((f - y).powi(2), 2.0 * (f - y)));
    check(Loss::L1, 0.5, |f, y| ((f - y).abs(), (f - y).signum()));
    check(Loss::RelativeL2, 0.0, |f, y| {
        let scale = (f + 0.01).powi(2);
        ((f - y).powi(2) / scale, 2.0 * (f - y) / scale)
    });
    for (progress, gamma) in [(0.0, 2.0), (0.25, 1.5), (0.75, 0.5)] {
        check(Loss::L0, progress, |f, y| {
            let distance = (f - y).abs() + 1e-8;
            let slope = gamma * distance.powf(gamma - 1.0) * (f - y).signum();
            (distance.powf(gamma), slope)
        });
    }
}

#[test]
fn empty_mask_gives_zero_loss() {
    let device = Device::flex();
    let images = Tensor::<4>::ones([1, 2, 1, 3], &device);
    let mask = Some(Tensor::zeros([1, 1, 1, 3], &device));
    let loss = network(&device).loss(Loss::L2, 0.0, images.zeros_like(), images, mask);
    assert_eq!(loss.into_data().iter::<f64>().sum::<f64>(), 0.0);
}
