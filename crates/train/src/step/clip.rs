//! Gradient transforms before the optimizer: the mean over batches, and clipping.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use n2n_model::Network;

use crate::experiment::TrainConfig;

/// Added to the norm in the denominator. Source: `torch.nn.utils.clip_grad_norm_`.
const EPSILON: f64 = 1e-6;

/// Mean over the batches of a step, then clipping.
#[derive(Clone, Copy, Debug)]
pub struct GradientTransform {
    accumulate: usize,
    clip_value: Option<f64>,
    clip_norm: Option<f64>,
}

impl Default for GradientTransform {
    fn default() -> Self {
        Self::new(&TrainConfig::default())
    }
}

impl GradientTransform {
    /// Reads the settings of an experiment.
    pub fn new(config: &TrainConfig) -> Self {
        Self {
            accumulate: config.accumulate,
            clip_value: config.clip_value,
            clip_norm: config.clip_norm,
        }
    }

    /// Computes `sum / accumulate`, clamps values to `±clip_value`, then scales all gradients by
    /// `min(1, clip_norm / (norm + 1e-6))`, where `norm` is the norm of all gradients together.
    ///
    /// Source: `torch.nn.utils.clip_grad_value_` and `clip_grad_norm_`.
    pub fn apply(&self, network: &Network, sum: GradientsParams) -> GradientsParams {
        let mut gradients = sum;
        if self.accumulate > 1 {
            let share = 1.0 / self.accumulate as f64;
            gradients = each(network, gradients, Map::Scale(share));
        }
        if let Some(limit) = self.clip_value {
            gradients = each(network, gradients, Map::Clamp(limit));
        }
        if let Some(limit) = self.clip_norm {
            let mut norms = Squares {
                gradients: &gradients,
                sums: vec![],
            };
            network.visit(&mut norms);
            if !norms.sums.is_empty() {
                let norm = Tensor::cat(norms.sums, 0).sum().sqrt();
                let scale = (norm + EPSILON).recip() * limit;
                gradients = each(
                    network,
                    gradients,
                    Map::ScaleBy(Box::new(scale.clamp_max(1.0))),
                );
            }
        }
        gradients
    }
}

/// Applies a function to the gradient of each parameter.
fn each(network: &Network, gradients: GradientsParams, map: Map) -> GradientsParams {
    let mut mapped = Mapped {
        before: gradients,
        after: GradientsParams::new(),
        map,
    };
    network.visit(&mut mapped);
    mapped.after
}

enum Map {
    Scale(f64),
    Clamp(f64),
    ScaleBy(Box<Tensor<1>>),
}

struct Mapped {
    before: GradientsParams,
    after: GradientsParams,
    map: Map,
}

impl ModuleVisitor for Mapped {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let id: ParamId = param.id;
        if let Some(gradient) = self.before.remove::<D>(id) {
            let gradient = match &self.map {
                Map::Scale(factor) => gradient * *factor,
                Map::Clamp(limit) => gradient.clamp(-limit, *limit),
                Map::ScaleBy(factor) => gradient * Tensor::clone(factor).unsqueeze(),
            };
            self.after.register(id, gradient);
        }
    }
}

/// Sum of squares of each gradient.
struct Squares<'a> {
    gradients: &'a GradientsParams,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.sums.push(gradient.square().sum());
        }
    }
}
