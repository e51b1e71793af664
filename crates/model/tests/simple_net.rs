//! The implementations of the simple net, against PyTorch and against each other.

use burn::module::Module;
use burn::optim::SgdConfig;
use burn::tensor::{Device, Distribution, Tensor};
use n2n_model::{Architecture, Forward, Implementation, SimpleNetConfig};
use n2n_testing::{cpu_devices, error, wgpu};

use crate::golden::Golden;
use crate::gradients::GradientVisitor;
use crate::implementations::{Steps, implementations_agree, loss_and_gradients};

/// Largest error over largest value: f32 sums of a few hundred terms.
const TOLERANCE: f64 = 1e-5;

#[test]
fn parameter_count_matches_the_reference() {
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
fn every_implementation_agrees_with_pytorch() {
    let golden = Golden::read("simple.safetensors");
    for device in cpu_devices() {
        for implementation in Implementation::ALL {
            let device = device.clone().autodiff();
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
fn implementations_agree_over_fifty_steps() {
    for device in cpu_devices() {
        implementations_agree(&SMALL, &device);
    }
}

#[test]
fn implementations_agree_on_wgpu() {
    // Building kernels is what takes time on a software adapter.
    let steps = Steps { count: 3, ..SMALL };
    if let Some(device) = wgpu() {
        implementations_agree(&steps, &device);
    }
}

/// Burn's plain SGD on the layers' gradients computes `w - lr * dL/dw`, to the bit.
#[test]
fn layers_match_plain_sgd_to_the_bit() {
    const LR: f32 = 0.3;
    let device = Device::flex().autodiff();
    let config = SimpleNetConfig {
        features: 7,
        implementation: Implementation::Layers,
        ..SimpleNetConfig::default()
    };
    let mut network = config.init(9, &device);
    let mut optimizer = SgdConfig::new().init();
    let random = || Tensor::<4>::random([2, 3, 8, 12], Distribution::Uniform(0.0, 1.0), &device);
    for step in 0..20 {
        let (_, gradients) = loss_and_gradients(&network, random(), random());
        let mut visitor = GradientVisitor::new(&gradients);
        network.visit(&mut visitor);
        let (found, before) = (visitor.found, config.state_dict(&network));
        network = optimizer.step(f64::from(LR), network, gradients);
        let after = config.state_dict(&network);
        assert_eq!(found.len(), after.len());
        for (name, gradient) in found {
            let name = name.trim_start_matches("grad.");
            let pairs = before[name].iter::<f32>().zip(gradient.iter::<f32>());
            let expected: Vec<f32> = pairs.map(|(w, g)| w - g * LR).collect();
            let got: Vec<f32> = after[name].iter().collect();
            assert_eq!(got, expected, "{name}, step {step}");
        }
    }
}
