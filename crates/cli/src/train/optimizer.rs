//! The configured update rule and schedule as Burn's.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};
use burn::tensor::Device;
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

/// Burn's optimizer for a configuration.
pub fn optimizer(config: &OptimizerConfig) -> ModuleOptimizer {
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
            SgdConfig::new()
                .with_momentum(momentum)
                .with_weight_decay(decay(weight_decay))
                .init()
        }
        OptimizerConfig::Adam {
            betas: [beta_1, beta_2],
            eps,
            weight_decay,
        } => AdamConfig::new()
            .with_beta_1(beta_1 as f32)
            .with_beta_2(beta_2 as f32)
            .with_epsilon(eps as f32)
            .with_weight_decay(decay(weight_decay))
            .init(),
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
