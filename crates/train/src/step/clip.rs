//! Gradient transforms before the optimizer: the mean over batches, and clipping.

use burn::tensor::Tensor;

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

    /// Computes `sum / accumulate`, clamps values to `±clip_value`, then scales the gradient by
    /// `min(1, clip_norm / (norm + 1e-6))`, where `norm` is its norm.
    ///
    /// Source: `torch.nn.utils.clip_grad_value_` and `clip_grad_norm_`.
    ///
    /// # Shapes
    /// - `sum`, output: `[parameters]`
    pub fn apply(&self, sum: Tensor<1>) -> Tensor<1> {
        let mut gradient = sum;
        if self.accumulate > 1 {
            gradient = gradient * (1.0 / self.accumulate as f64);
        }
        if let Some(limit) = self.clip_value {
            gradient = gradient.clamp(-limit, limit);
        }
        if let Some(limit) = self.clip_norm {
            let scale = (norm(gradient.clone()) + EPSILON).recip() * limit;
            gradient = gradient * scale.clamp_max(1.0);
        }
        gradient
    }
}

/// The norm of a vector. A reduction of Burn's would be searched for the fastest kernel of a graphics device.
fn norm(vector: Tensor<1>) -> Tensor<1> {
    let elements = vector.dims()[0];
    let vector = vector.reshape([1, 1, 1, elements]);
    let zeros = vector.zeros_like();
    (n2n_scratch::mse(vector, zeros) * elements as f64).sqrt()
}
