//! Twenty steps of SGD against PyTorch's, from data/trajectory.safetensors (data/generate.py).

use burn::nn::loss::{MseLoss, Reduction};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor};
use n2n_model::{Architecture, Convolution, Forward, UNetConfig};

use crate::golden::Golden;

/// Relative error of a loss: PyTorch computed in f64, and f32 errors of 1e-7 grow from step to step.
const TOLERANCE: f64 = 1e-4;

const LR: f64 = 1.0;

#[test]
fn twenty_losses_match_pytorch() {
    let golden = Golden::read("trajectory.safetensors");
    let device = Device::flex().autodiff();
    let batches = |name: &str| -> Tensor<5> { Tensor::from_data(golden.tensor(name), &device) };
    let (inputs, targets) = (batches("inputs"), batches("targets"));
    let expected: Vec<f64> = golden.tensor("losses").iter().collect();
    assert_eq!(expected.len(), 20);
    for conv in [Convolution::Burn, Convolution::Scratch] {
        let config = UNetConfig {
            features: 4,
            depth: 2,
            conv,
            ..UNetConfig::default()
        };
        let mut network = config.load(golden.parameters(), &device).unwrap();
        let mut optimizer = SgdConfig::new().init();
        for (step, expected) in expected.iter().enumerate() {
            let batch = |all: &Tensor<5>| all.clone().slice(step..step + 1).squeeze_dim::<4>(0);
            let output = network.forward(batch(&inputs));
            let loss = MseLoss::new().forward(output, batch(&targets), Reduction::Mean);
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let loss = loss.into_scalar::<f64>();
            let error = (loss - expected).abs() / expected;
            assert!(
                error <= TOLERANCE,
                "{conv:?}, step {step}: {loss} and {expected}"
            );
            network = optimizer.step(LR, network, gradients);
        }
    }
}
