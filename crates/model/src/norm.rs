//! Batch normalization with PyTorch's statistics.

use burn::module::{Module, Param, RunningState};
use burn::tensor::Tensor;
use burn::tensor::module::{batch_norm, batch_norm_train};

/// Weight of a batch's statistics in the running ones.
const MOMENTUM: f64 = 0.1;

/// `(x - mean) / sqrt(var + 1e-5) * weight + bias` for each channel.
///
/// Training takes mean and variance from the batch and updates running ones,
/// `running = 0.9 running + 0.1 batch`, with the unbiased variance. Inference takes the running ones.
/// Burn's own layer keeps the biased variance, and its running statistics one step behind.
/// Source: `torch.nn.BatchNorm2d`.
#[derive(Module, Debug)]
pub struct BatchNorm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    running_mean: RunningState<Tensor<1>>,
    running_var: RunningState<Tensor<1>>,
}

impl BatchNorm {
    /// Added to the variance.
    pub const EPSILON: f64 = 1e-5;

    pub(crate) fn new(
        gamma: Param<Tensor<1>>,
        beta: Param<Tensor<1>>,
        running_mean: RunningState<Tensor<1>>,
        running_var: RunningState<Tensor<1>>,
    ) -> Self {
        Self {
            gamma,
            beta,
            running_mean,
            running_var,
        }
    }

    /// The normalized batch; on a device with autodiff, a training step.
    ///
    /// # Shapes
    /// - `x`, output: `[batch_size, channels, height, width]`
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (weight, bias) = (self.gamma.val(), self.beta.val());
        if !x.device().is_autodiff() {
            let (mean, var) = (self.running_mean.value(), self.running_var.value());
            return batch_norm(x, weight, bias, mean, var, Self::EPSILON);
        }
        let [batch_size, _, height, width] = x.dims();
        let count = (batch_size * height * width) as f64;
        let batch = batch_norm_train(x, weight, bias, Self::EPSILON);
        // A single value has no unbiased variance.
        let unbiased = batch.variance * (count / (count - 1.0).max(1.0));
        update(&self.running_mean, batch.mean);
        update(&self.running_var, unbiased);
        batch.output
    }
}

/// Updates a running statistic with that of a batch.
fn update(running: &RunningState<Tensor<1>>, batch: Tensor<1>) {
    let next = running.value() * (1.0 - MOMENTUM) + batch.detach() * MOMENTUM;
    running.update(next.detach());
    // Immediately, so that records and validations have it.
    running.value_sync();
}
