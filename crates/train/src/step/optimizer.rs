//! Burn's optimizer for a config.

use burn::module::ParamGroup;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdamConfig, AdamWConfig, DynOptimizer, DynState, ModuleOptimizer, Optimizer,
    RmsPropConfig, SgdConfig, StateSink, StateSource,
};
use burn::tensor::Device;
use burn::tensor::kind::BridgeTensor;

use crate::experiment::OptimizerConfig;

/// Builds Burn's optimizer for a config, with its state on `device`.
pub fn optimizer(config: &OptimizerConfig, device: &Device) -> ModuleOptimizer {
    let device = device.clone().inner();
    match *config {
        OptimizerConfig::Sgd {
            momentum,
            nesterov,
            weight_decay,
        } => {
            let momentum = (momentum > 0.0).then(|| {
                MomentumConfig::new()
                    .with_momentum(momentum)
                    // PyTorch's default; Burn's is 0.1.
                    .with_dampening(0.0)
                    .with_nesterov(nesterov)
            });
            let sgd = SgdConfig::new()
                .with_momentum(momentum)
                .with_weight_decay(decay(weight_decay));
            OnDevice::optimizer(sgd.build(), device)
        }
        OptimizerConfig::Adam {
            betas: [beta_1, beta_2],
            eps,
            weight_decay,
        } => {
            let adam = AdamConfig::new()
                .with_beta_1(beta_1 as f32)
                .with_beta_2(beta_2 as f32)
                .with_epsilon(eps as f32)
                .with_weight_decay(decay(weight_decay));
            OnDevice::optimizer(adam.build(), device)
        }
        OptimizerConfig::AdamW {
            betas: [beta_1, beta_2],
            eps,
            weight_decay,
        } => {
            let adam = AdamWConfig::new()
                .with_beta_1(beta_1 as f32)
                .with_beta_2(beta_2 as f32)
                .with_epsilon(eps as f32)
                .with_weight_decay(weight_decay as f32);
            OnDevice::optimizer(adam.build(), device)
        }
        OptimizerConfig::Adagrad {
            lr_decay,
            eps,
            weight_decay,
        } => {
            let adagrad = AdaGradConfig::new()
                .with_lr_decay(lr_decay)
                .with_epsilon(eps as f32)
                .with_weight_decay(decay(weight_decay));
            OnDevice::optimizer(adagrad.build(), device)
        }
        OptimizerConfig::RmsProp {
            alpha,
            eps,
            momentum,
            centered,
            weight_decay,
        } => {
            let rmsprop = RmsPropConfig::new()
                .with_alpha(alpha as f32)
                .with_epsilon(eps as f32)
                .with_momentum(momentum as f32)
                .with_centered(centered)
                .with_weight_decay(decay(weight_decay));
            OnDevice::optimizer(rmsprop.build(), device)
        }
    }
}

fn decay(penalty: f64) -> Option<WeightDecayConfig> {
    (penalty > 0.0).then(|| WeightDecayConfig::new(penalty as f32))
}

/// Optimizer that loads the state of a checkpoint onto `device`. Burn's own loads it onto the default
/// device, which may not exist.
struct OnDevice<O> {
    inner: O,
    device: Device,
}

impl<O: Optimizer + Clone> OnDevice<O> {
    fn optimizer(inner: O, device: Device) -> ModuleOptimizer {
        let on_device = Self {
            inner: inner.clone(),
            device,
        };
        ModuleOptimizer::from(inner).with_group(ParamGroup::all(), on_device, None)
    }
}

impl<O: Optimizer> DynOptimizer for OnDevice<O> {
    fn step_dyn(
        &self,
        rank: usize,
        lr: f64,
        tensor: BridgeTensor,
        grad: BridgeTensor,
        state: Option<DynState>,
    ) -> (BridgeTensor, Option<DynState>) {
        self.inner.step_dyn(rank, lr, tensor, grad, state)
    }

    fn to_device_dyn(&self, state: DynState, device: &Device) -> DynState {
        self.inner.to_device_dyn(state, device)
    }

    fn state_flatten(&self, prefix: &str, state: &DynState, out: &mut StateSink) {
        self.inner.state_flatten(prefix, state, out);
    }

    fn state_unflatten(
        &self,
        rank: usize,
        prefix: &str,
        source: &mut StateSource,
        _default: &Device,
    ) -> Option<DynState> {
        self.inner
            .state_unflatten(rank, prefix, source, &self.device)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::nn::{PRelu, PReluConfig};
    use burn::optim::{GradientsParams, OptimizerRecord};
    use burn::store::ModuleRecord;
    use burn::tensor::{Bytes, Tensor};

    use super::*;

    /// Takes the steps of `range` on five parameters, with gradients that are a function of the step.
    fn steps(
        mut module: PRelu,
        mut optimizer: ModuleOptimizer,
        range: std::ops::Range<usize>,
        device: &Device,
    ) -> (PRelu, ModuleOptimizer) {
        for step in range {
            let values: Vec<f32> = (0..5)
                .map(|at| ((step * 7 + at * 3) as f32).sin())
                .collect();
            let mut gradients = GradientsParams::new();
            let gradient = Tensor::<1>::from_floats(values.as_slice(), device);
            gradients.register(module.alpha.id, gradient);
            module = optimizer.step(0.1, module, gradients);
        }
        (module, optimizer)
    }

    /// Checks that an optimizer restored from its bytes takes the steps of one that never stopped.
    fn assert_resumes(config: &OptimizerConfig, device: &Device) {
        let begin = || {
            let tracked = device.clone().autodiff();
            let module = PReluConfig::new().with_num_parameters(5).init(&tracked);
            let optimizer = optimizer(config, &tracked);
            (module, optimizer)
        };
        let (module, optimizer) = begin();
        let (undisturbed, _) = steps(module, optimizer, 0..6, device);

        let (module, optimizer) = begin();
        let (module, optimizer) = steps(module, optimizer, 0..3, device);
        let state = Bytes::from_bytes_vec(optimizer.into_bytes().unwrap().to_vec());
        let weights = Bytes::from_bytes_vec(module.into_record().into_bytes().unwrap().to_vec());
        let (module, optimizer) = begin();
        let module = module.load_record(ModuleRecord::from_bytes(weights).unwrap());
        let optimizer = optimizer.load_record(OptimizerRecord::from_bytes(state).unwrap());
        let (resumed, _) = steps(module, optimizer, 3..6, device);

        let values = |module: PRelu| module.alpha.val().into_data().iter::<f32>().collect();
        let [resumed, undisturbed]: [Vec<f32>; 2] = [resumed, undisturbed].map(values);
        assert_eq!(resumed, undisturbed, "{config:?}");
    }

    #[test]
    fn optimizers_resume_from_bytes() {
        for text in [
            "kind = 'sgd'",
            "kind = 'sgd'\nmomentum = 0.9\nnesterov = true",
            "kind = 'adam'",
            "kind = 'adamw'",
            "kind = 'adagrad'",
            "kind = 'rmsprop'",
            "kind = 'rmsprop'\nmomentum = 0.9\ncentered = true",
        ] {
            // Not the default device, which may be a GPU.
            assert_resumes(&toml::from_str(text).unwrap(), &Device::flex());
        }
    }

    #[test]
    fn adam_resumes_from_bytes_on_wgpu() {
        let Some(device) = n2n_testing::wgpu() else {
            return;
        };
        assert_resumes(&OptimizerConfig::default(), &device);
    }
}
