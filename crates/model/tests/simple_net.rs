//! The simple net in its three guises: against PyTorch, and against each other.

use burn::module::Module;

use burn::tensor::{Device, Tensor};
use n2n_model::{Implementation, SimpleNetConfig};
use n2n_testing::{cpu_devices, error, wgpu};

use crate::golden::Golden;
use crate::gradients::GradientVisitor;
use crate::guises::{Steps, guises_agree, loss_and_gradients, place};

/// Largest error over largest value: f32 sums of a few hundred terms.
const TOLERANCE: f64 = 1e-5;

#[test]
fn it_has_the_references_size() {
    let network = SimpleNetConfig::default().init(0, &Device::flex());
    assert_eq!(network.num_params(), 34_499);
}

#[test]
fn kernels_are_xavier_normal_and_biases_zero() {
    let config = SimpleNetConfig::default();
    let state = config.state_dict(&config.init(5, &Device::flex()));
    let names: Vec<&str> = state.keys().map(String::as_str).collect();
    let layers = ["conv0", "conv1", "tconv0", "tconv1"];
    let expected = layers.map(|layer| [format!("{layer}.bias"), format!("{layer}.weight")]);
    assert_eq!(names, expected.concat());
    // sqrt(2) * sqrt(2 / (64 * 4 + 64 * 4)), estimated from 16,384 values to one part in 181.
    let values: Vec<f64> = state["conv1.weight"].iter().collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
    assert!((deviation / 0.088_388 - 1.0).abs() < 0.03, "{deviation}");
    assert!(mean.abs() < 0.003, "{mean}");
    assert!(state["tconv0.bias"].iter::<f32>().all(|bias| bias == 0.0));
}

#[test]
fn every_guise_agrees_with_pytorch() {
    let golden = Golden::read("simple.safetensors");
    for device in cpu_devices() {
        for implementation in Implementation::ALL {
            let device = place(implementation, &device);
            let config = SimpleNetConfig {
                features: 6,
                implementation,
                ..SimpleNetConfig::default()
            };
            let network = config.load(golden.parameters(), &device).unwrap();
            let input = Tensor::from_data(golden.tensor("input"), &device);
            let target = Tensor::from_data(golden.tensor("target"), &device);
            let output = network.forward(input.clone()).into_data();
            let (loss, gradients) = loss_and_gradients(&network, input, target);
            let mut visitor = GradientVisitor::new(&gradients);
            network.visit(&mut visitor);
            let mut found = visitor.found;
            assert_eq!(found.len(), 8, "every gradient is compared");
            found.push(("output".to_owned(), output));
            found.push(("loss".to_owned(), loss.into_data()));
            for (name, got) in &found {
                let error = error(got, &golden.tensor(name));
                assert!(error <= TOLERANCE, "{implementation:?}, {name}: {error:e}");
            }
        }
    }
}

/// Small enough that fifty steps at the reference's learning rate are not chaotic.
const SMALL: Steps = Steps {
    count: 50,
    features: 16,
    shape: [4, 3, 8, 12],
};

#[test]
fn fifty_losses_are_the_same_in_every_guise() {
    for device in cpu_devices() {
        guises_agree(&SMALL, &device);
    }
}

#[test]
fn losses_are_the_same_in_every_guise_on_wgpu() {
    // Building kernels is what takes time on a software adapter.
    let steps = Steps { count: 3, ..SMALL };
    if let Some(device) = wgpu() {
        guises_agree(&steps, &device);
    }
}
