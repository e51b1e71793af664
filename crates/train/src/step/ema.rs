//! Exponential moving average (EMA) of a network's weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use n2n_model::Network;

/// Returns the decay after `steps` steps: 0 for the first, then `min(limit, (1 + steps) / (10 + steps))`.
///
/// Without the second term the average of a short run would hold on to its first weights.
///
/// Source: TensorFlow's `ExponentialMovingAverage` with `num_updates`.
pub fn decay(limit: f64, steps: usize) -> f64 {
    if steps == 0 {
        return 0.0;
    }
    limit.min((1 + steps) as f64 / (10 + steps) as f64)
}

/// Computes `decay average + (1 - decay) weight` for each weight.
///
/// Source: `torch.optim.swa_utils.get_ema_multi_avg_fn`.
pub fn update(average: Network, network: &Network, decay: f64) -> Network {
    let mut weights = Weights(GradientsParams::new());
    network.visit(&mut weights);
    average.map(&mut Update {
        weights: weights.0,
        decay,
    })
}

/// Weights by parameter id, without autodiff. Burn's only container for tensors of any rank is named
/// after gradients.
struct Weights(GradientsParams);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val().without_autodiff());
    }
}

struct Update {
    weights: GradientsParams,
    decay: f64,
}

impl ModuleMapper for Update {
    fn map_float<const D: usize>(&mut self, average: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(weight) = self.weights.remove::<D>(average.id) else {
            return average;
        };
        let decay = self.decay;
        average.map(|average| {
            let tracked = average.is_autodiff();
            let next = if decay > 0.0 {
                average.without_autodiff() * decay + weight * (1.0 - decay)
            } else {
                weight
            };
            if tracked { next.autodiff() } else { next }
        })
    }
}
