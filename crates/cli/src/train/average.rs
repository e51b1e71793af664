//! A running mean of a network's weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use n2n_model::Network;

/// The decay after so many steps: 0 in the first, whose weights are the first mean, then
/// `min(most, (1 + steps) / (10 + steps))`, so that a short run's mean is not of its first weights.
///
/// Source: TensorFlow's `ExponentialMovingAverage` with `num_updates`.
pub fn decay(most: f64, steps: usize) -> f64 {
    match steps {
        0 => 0.0,
        steps => most.min((1 + steps) as f64 / (10 + steps) as f64),
    }
}

/// `decay average + (1 - decay) weights`, for each weight; with a decay of 0, the weights.
///
/// Source: `torch.optim.swa_utils.get_ema_multi_avg_fn`.
pub fn follow(average: Network, network: &Network, decay: f64) -> Network {
    let mut weights = Weights(GradientsParams::new());
    network.visit(&mut weights);
    average.map(&mut Follow {
        weights: weights.0,
        decay,
    })
}

/// The weights by their identity, out of autodiff's sight; Burn's container of tensors of any rank is
/// named after gradients.
struct Weights(GradientsParams);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val().without_autodiff());
    }
}

struct Follow {
    weights: GradientsParams,
    decay: f64,
}

impl ModuleMapper for Follow {
    fn map_float<const D: usize>(&mut self, average: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(weight) = self.weights.remove::<D>(average.id) else {
            return average;
        };
        let decay = self.decay;
        average.map(|average| {
            let tracked = average.is_autodiff();
            let next = match decay > 0.0 {
                true => average.without_autodiff() * decay + weight * (1.0 - decay),
                false => weight,
            };
            match tracked {
                true => next.autodiff(),
                false => next,
            }
        })
    }
}
