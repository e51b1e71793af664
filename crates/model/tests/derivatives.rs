//! Gradients of a whole network against central differences of its loss, in f64 on flex.

use burn::module::Module;
use burn::nn::loss::{MseLoss, Reduction};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use n2n_model::{Architecture, Convolution, Forward, StateDict, UNet, UNetConfig};
use n2n_testing::cpu_devices_in_f64;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::gradients::GradientVisitor;

/// Step along a direction.
const STEP: f64 = 1e-5;

/// Difference to the analytic derivative, relative to the norm of the gradient: f64 rounding of the
/// loss over the step, 1e-16 / 1e-5, and some curvature.
const TOLERANCE: f64 = 1e-8;

/// Directions tried, and how many of them must cross no kink of the activations or of the pooling.
const DRAWS: usize = 16;
const SMOOTH_DRAWS: usize = 12;

struct Problem {
    config: UNetConfig,
    device: Device,
    input: Tensor<4>,
    target: Tensor<4>,
}

impl Problem {
    fn loss(&self, network: &UNet) -> Tensor<1> {
        let output = network.forward(self.input.clone());
        MseLoss::new().forward(output, self.target.clone(), Reduction::Mean)
    }

    fn value(&self, state: &StateDict) -> f64 {
        let network = self.config.load(state.clone(), &self.device).unwrap();
        self.loss(&network).into_scalar::<f64>()
    }

    /// `(L(state + step * direction) - L(state - step * direction)) / 2 step`
    fn difference(&self, state: &StateDict, direction: &[(String, Vec<f64>)], step: f64) -> f64 {
        let moved = |step: f64| {
            let mut state = state.clone();
            for (name, direction) in direction {
                let data = &state[name];
                let values = data.iter::<f64>().zip(direction);
                let values: Vec<f64> = values.map(|(value, d)| value + step * d).collect();
                let data = TensorData::new(values, data.shape().clone());
                state.insert(name.clone(), data);
            }
            self.value(&state)
        };
        (moved(step) - moved(-step)) / (2.0 * step)
    }
}

#[test]
fn directional_derivatives_match_central_differences() {
    let [device, _] = cpu_devices_in_f64();
    let device = device.autodiff();
    let random = |shape| Tensor::<4>::random(shape, Distribution::Uniform(0.0, 1.0), &device);
    device.seed(3);
    let shape = [2, 3, 8, 12];
    let (input, target) = (random(shape), random(shape));
    for conv in [Convolution::Burn, Convolution::Scratch] {
        let config = UNetConfig {
            features: 3,
            depth: 2,
            // Each parameter under one name.
            share_weights: false,
            conv,
            ..UNetConfig::default()
        };
        let network = config.init(11, &device);
        let state = config.state_dict(&network);
        let problem = Problem {
            config,
            device: device.clone(),
            input: input.clone(),
            target: target.clone(),
        };
        let gradients = problem.loss(&network).backward();
        let gradients = GradientsParams::from_grads(gradients, &network);
        let mut visitor = GradientVisitor::new(&gradients);
        network.visit(&mut visitor);
        check(&problem, &state, &visitor.found);
    }
}

fn check(problem: &Problem, state: &StateDict, gradients: &[(String, TensorData)]) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let gradient_norm = norm(&mut gradients.iter().flat_map(|(_, data)| data.iter::<f64>()));
    let mut smooth = 0;
    for _ in 0..DRAWS {
        let direction: Vec<(String, Vec<f64>)> = gradients
            .iter()
            .map(|(name, data)| {
                let name = name.strip_prefix("grad.").unwrap().to_owned();
                let values = data.iter::<f64>().map(|_| random.random_range(-1.0..1.0));
                (name, values.collect())
            })
            .collect();
        let scale = gradient_norm * norm(&mut direction.iter().flat_map(|(_, d)| d.clone()));
        let near = problem.difference(state, &direction, STEP);
        let far = problem.difference(state, &direction, 2.0 * STEP);
        // Where nothing has a kink the two agree to the square of the step.
        if (near - far).abs() > TOLERANCE * scale {
            continue;
        }
        smooth += 1;
        let analytic: f64 = gradients
            .iter()
            .zip(&direction)
            .flat_map(|((_, data), (_, direction))| data.iter::<f64>().zip(direction))
            .map(|(gradient, d)| gradient * d)
            .sum();
        let error = (analytic - near).abs() / scale;
        assert!(
            error <= TOLERANCE,
            "{:?}: {analytic:e} and {near:e}, error {error:e}",
            problem.config.conv
        );
    }
    assert!(
        smooth >= SMOOTH_DRAWS,
        "{smooth} of {DRAWS} draws are smooth"
    );
}
