//! Memory over a long training: a separate program, because other tests would allocate too.

#![cfg(target_os = "linux")] // Reads what Linux says of the process.
#![allow(clippy::unwrap_used)]

use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Distribution, Tensor};
use n2n_model::{Loss, Network, NetworkConfig, UNetConfig};

/// Growth from the first part of the run to its end, in bytes: a step that kept its smallest tensors would
/// keep more than these 116 bytes of a step; an allocator's slack is less.
const GROWTH: usize = 1 << 20;

const STEPS: usize = 10_000;

/// Bytes of the process in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<usize>().unwrap() << 10
}

#[test]
fn ten_thousand_steps_keep_no_memory() {
    let device = Device::flex().autodiff();
    let config = NetworkConfig::UNet(UNetConfig {
        features: 3,
        depth: 2,
        ..UNetConfig::default()
    });
    let mut network = config.init(1, &device);
    let mut optimizer = SgdConfig::new().init();
    let random = || Tensor::<4>::random([2, 3, 8, 4], Distribution::Uniform(0.0, 1.0), &device);
    let (input, target) = (random(), random());
    let mut step = |network: Network| {
        let output = network.forward(input.clone());
        let gradients = network
            .loss(Loss::L2, 0.0, output, target.clone(), None)
            .backward();
        let gradients = GradientsParams::from_grads(gradients, &network);
        optimizer.step(1e-3, network, gradients)
    };
    for _ in 0..STEPS / 10 {
        network = step(network);
    }
    let early = resident();
    for _ in STEPS / 10..STEPS {
        network = step(network);
    }
    let late = resident();
    println!(
        "{early} bytes after {} steps, {late} after {STEPS}",
        STEPS / 10
    );
    assert!(late <= early + GROWTH, "grew from {early} to {late} bytes");
}
