//! Training steps of the simple net by each of its implementations.

use burn::nn::loss::{MseLoss, Reduction};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use n2n_model::{Architecture, Forward, Implementation, SimpleNet, SimpleNetConfig};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Relative difference of a loss between implementations.
const LOSS_TOLERANCE: f64 = 1e-4;

/// The reference's.
const LR: f64 = 10.0;

pub fn loss_and_gradients(
    network: &SimpleNet,
    input: Tensor<4>,
    target: Tensor<4>,
) -> (Tensor<1>, GradientsParams) {
    if let Some(result) = network.custom_backward(&input, &target) {
        return result;
    }
    let loss = MseLoss::new().forward(network.forward(input), target, Reduction::Mean);
    let gradients = GradientsParams::from_grads(loss.backward(), network);
    (loss, gradients)
}

/// A series of steps from one seed.
pub struct Steps {
    pub count: usize,
    pub features: usize,
    /// `[batch_size, channels, height, width]`
    pub shape: [usize; 4],
}

/// Losses of one implementation.
pub fn losses(implementation: Implementation, steps: &Steps, device: &Device) -> Vec<f64> {
    let device = device.clone().autodiff();
    let config = SimpleNetConfig {
        features: steps.features,
        implementation,
        ..SimpleNetConfig::default()
    };
    let mut network = config.init(9, &device);
    let mut optimizer = SgdConfig::new().init();
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let shape = steps.shape;
    let plane = shape[2] * shape[3];
    let mut losses = Vec::new();
    for _ in 0..steps.count {
        // A colour for each channel, and noise.
        let mut image = |noise: f32| {
            let values = (0..shape.iter().product()).map(|index: usize| {
                let colour = [0.1, 0.4, 0.8][index / plane % 3];
                colour + random.random_range(-noise..noise)
            });
            let data = TensorData::new(values.collect::<Vec<f32>>(), shape);
            Tensor::<4>::from_data(data, &device)
        };
        let (input, target) = (image(0.3), image(0.1));
        let (loss, gradients) = loss_and_gradients(&network, input, target);
        network = optimizer.step(LR, network, gradients);
        losses.push(loss.into_scalar::<f64>());
    }
    losses
}

pub fn implementations_agree(steps: &Steps, device: &Device) {
    let expected = losses(Implementation::Burn, steps, device);
    assert!(
        expected[steps.count - 1] < expected[0],
        "it learns: {expected:?}"
    );
    for implementation in [Implementation::Scratch, Implementation::Layers] {
        let got = losses(implementation, steps, device);
        for (step, (got, expected)) in got.iter().zip(&expected).enumerate() {
            let error = (got - expected).abs() / expected;
            assert!(
                error <= LOSS_TOLERANCE,
                "{implementation:?} on {device:?}, step {step}: {got} and {expected}"
            );
        }
    }
}
