//! Forward and backward passes against PyTorch's, from data/*.safetensors (data/generate.py).

use std::collections::HashMap;
use std::path::Path;

use burn::module::Module;
use burn::nn::loss::{MseLoss, Reduction};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use n2n_model::{Activation, Architecture, Convolution, Forward, Output, StateDict, UNetConfig};

use crate::gradients::GradientVisitor;

/// Largest error over largest value, per tensor. PyTorch computed in f64; what is left is the
/// rounding of f32 sums, of at most a few thousand terms: about sqrt(2000) * 2^-24 = 3e-6.
const TOLERANCE: f64 = 1e-5;

pub struct Golden(HashMap<String, TensorData>);

impl Golden {
    pub fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data")
            .join(name);
        let bytes = std::fs::read(path).unwrap();
        Self(n2n_testing::golden(&bytes))
    }

    pub fn tensor(&self, name: &str) -> TensorData {
        self.0[name].clone()
    }

    /// The tensors under `prefix.NAME`, by name.
    fn under(&self, prefix: &str) -> StateDict {
        let tensor = |(name, data): (&String, &TensorData)| {
            let name = name.strip_prefix(prefix)?.strip_prefix('.')?;
            Some((name.to_owned(), data.clone()))
        };
        self.0.iter().filter_map(tensor).collect()
    }

    pub fn parameters(&self) -> StateDict {
        self.under("param")
    }

    fn error(&self, name: &str, got: &TensorData) -> f64 {
        n2n_testing::error(got, &self.0[name])
    }
}

fn check(name: &str, config: &UNetConfig, device: &Device) {
    let golden = Golden::read(name);
    let device = device.clone().autodiff();
    let network = config.load(golden.parameters(), &device).unwrap();
    let input = Tensor::<4>::from_data(golden.0["input"].clone(), &device).require_grad();
    let target = Tensor::<4>::from_data(golden.0["target"].clone(), &device);

    let output = network.forward(input.clone());
    let loss = MseLoss::new().forward(output.clone(), target, Reduction::Mean);
    let gradients = loss.backward();
    let input_grad = input.grad(&gradients).unwrap();
    let gradients = GradientsParams::from_grads(gradients, &network);
    let mut visitor = GradientVisitor::new(&gradients);
    visitor.found = vec![
        ("output".to_owned(), output.into_data()),
        ("loss".to_owned(), loss.into_data()),
        ("grad.input".to_owned(), input_grad.into_data()),
    ];
    network.visit(&mut visitor);
    if config.share_weights {
        // The last of the three stored decoder blocks serves the last level.
        let last = format!("dblocks.{}", config.depth - 1);
        for (name, _) in &mut visitor.found {
            *name = name.replace("dblocks.2", &last);
        }
    }

    let gradients = golden
        .0
        .keys()
        .filter(|name| name.starts_with("grad."))
        .count();
    assert_eq!(
        visitor.found.len(),
        2 + gradients,
        "every gradient is compared"
    );
    if config.batch_norm {
        let state = config.state_dict(&network);
        let after = golden.under("after");
        assert!(!after.is_empty());
        let statistics = after.into_keys().map(|name| {
            let found = state[&name].clone();
            (format!("after.{name}"), found)
        });
        visitor.found.extend(statistics);
        let input =
            Tensor::<4>::from_data(golden.tensor("input"), &device.clone().without_autodiff());
        let evaluated = network.valid().forward(input);
        visitor
            .found
            .push(("evaluated".to_owned(), evaluated.into_data()));
    }
    if config.batch_norm {
        // A bias that a normalization takes away again: its gradient is 0, and what is left of the sums
        // that make it is held to the size of their terms.
        visitor.found.retain(|(name, gradient)| {
            let vanishes =
                name.contains("blocks") && name.contains("conv") && name.ends_with("bias");
            let largest = gradient.iter::<f64>().fold(0.0, |a, b| b.abs().max(a));
            assert!(!vanishes || largest < TOLERANCE, "{name}: {largest}");
            !vanishes
        });
    }
    let errors: Vec<(String, f64)> = visitor
        .found
        .iter()
        .map(|(name, got)| (name.clone(), golden.error(name, got)))
        .filter(|(_, error)| error.is_nan() || *error > TOLERANCE)
        .collect();
    assert!(errors.is_empty(), "{name} on {device:?}: {errors:?}");
}

/// On both CPU backends, with both convolutions.
fn check_on_cpu(name: &str, config: &UNetConfig) {
    for conv in [Convolution::Burn, Convolution::Scratch] {
        let config = UNetConfig {
            conv,
            ..config.clone()
        };
        for device in n2n_testing::cpu_devices() {
            check(name, &config, &device);
        }
    }
}

#[test]
fn shared_prelu_network_agrees_with_pytorch() {
    let config = UNetConfig {
        features: 4,
        ..UNetConfig::default()
    };
    check_on_cpu("unet_prelu.safetensors", &config);
}

#[test]
fn network_without_a_middle_level_agrees_with_pytorch() {
    let config = UNetConfig {
        features: 4,
        depth: 2,
        ..UNetConfig::default()
    };
    check_on_cpu("unet_prelu_depth_2.safetensors", &config);
}

#[test]
fn unshared_relu_network_agrees_with_pytorch() {
    let config = UNetConfig {
        features: 4,
        depth: 3,
        share_weights: false,
        activation: Activation::Relu,
        ..UNetConfig::default()
    };
    check_on_cpu("unet_relu_unshared.safetensors", &config);
}

#[test]
fn residual_network_agrees_with_pytorch() {
    let config = UNetConfig {
        features: 3,
        depth: 2,
        share_weights: false,
        output: Output::Residual,
        ..UNetConfig::default()
    };
    check_on_cpu("unet_residual.safetensors", &config);
}

#[test]
fn batch_normalization_agrees_with_pytorch() {
    let config = UNetConfig {
        features: 3,
        depth: 2,
        batch_norm: true,
        ..UNetConfig::default()
    };
    check_on_cpu("unet_batch_norm.safetensors", &config);
}
