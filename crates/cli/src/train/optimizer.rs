//! The configured update rule and schedule as Burn's.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::ParamGroup;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdamConfig, DynOptimizer, DynState, ModuleOptimizer, Optimizer, SgdConfig, StateSink,
    StateSource,
};
use burn::tensor::Device;
use burn::tensor::kind::BridgeTensor;
use n2n_model::NetworkConfig;

use super::plateau::Plateau;
use crate::experiment::{OptimizerConfig, SchedulerConfig, TrainConfig};

/// Where training steps are computed: with Burn's autodiff, unless the network has no use for it.
pub fn device(network: &NetworkConfig, device: &Device) -> Device {
    match network.is_by_hand() {
        true => device.clone(),
        false => device.clone().autodiff(),
    }
}

/// Burn's optimizer for a configuration, its state on `device`.
pub fn optimizer(config: &OptimizerConfig, device: &Device) -> ModuleOptimizer {
    let device = device.clone().inner();
    match *config {
        OptimizerConfig::Sgd {
            momentum,
            weight_decay,
        } => {
            let momentum = (momentum > 0.0).then(|| {
                MomentumConfig::new()
                    .with_momentum(momentum)
                    // PyTorch's default; Burn's is 0.1.
                    .with_dampening(0.0)
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
    }
}

fn decay(penalty: f64) -> Option<WeightDecayConfig> {
    (penalty > 0.0).then(|| WeightDecayConfig::new(penalty as f32))
}

/// The learner's schedule, and the plateau to show validations to, if it is one.
pub fn scheduler(config: &TrainConfig) -> (ModuleLrScheduler, Option<Plateau>) {
    match &config.scheduler {
        SchedulerConfig::Constant {} => (config.lr.into(), None),
        SchedulerConfig::Plateau(plateau) => {
            let plateau = Plateau::new(plateau.clone(), config.lr);
            (plateau.clone().into(), Some(plateau))
        }
    }
}

/// An optimizer whose state, read from a checkpoint, goes to a device of choice; Burn's goes to the
/// default device, which may not be there.
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
