//! Batch normalization, as PyTorch does it.

use burn::module::{Module, Param, RunningState};
use burn::tensor::Tensor;
use burn::tensor::module::{batch_norm, batch_norm_train};

use crate::parameters::Builder;
use crate::{Initializer, ParameterError, ParameterSource};

/// Share of a batch's statistics in the running ones.
const MOMENTUM: f64 = 0.1;

/// `(x - mean) / sqrt(var + 1e-5) * weight + bias` for each channel.
///
/// Training takes mean and variance from the batch, and lets running ones follow them:
/// `running = 0.9 running + 0.1 batch`, of the variance the unbiased one. Anything else takes those.
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
    /// Added to a variance whose root is divided by.
    pub const EPSILON: f64 = 1e-5;

    /// The normalized batch; on a device with autodiff, a step of training.
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
        // Of one value there is no unbiased variance.
        let unbiased = batch.variance * (count / (count - 1.0).max(1.0));
        follow(&self.running_mean, batch.mean);
        follow(&self.running_var, unbiased);
        batch.output
    }
}

/// Lets a running statistic follow that of a batch.
fn follow(running: &RunningState<Tensor<1>>, batch: Tensor<1>) {
    let next = running.value() * (1.0 - MOMENTUM) + batch.detach() * MOMENTUM;
    running.update(next.detach());
    // At once, so that records and validations have it.
    running.value_sync();
}

impl<S: ParameterSource> Builder<'_, S> {
    /// Batch normalization of so many channels, starting as the identity.
    pub fn batch_norm(
        &mut self,
        names: &[String],
        channels: usize,
    ) -> Result<BatchNorm, ParameterError> {
        let mut start = |parameter, value| {
            self.tensor(
                names,
                parameter,
                &[channels],
                Initializer::Constant { value },
            )
        };
        let gamma = start("weight", 1.0)?;
        let beta = start("bias", 0.0)?;
        let running = |param: Param<Tensor<1>>| RunningState::new(param.val().detach());
        let running_mean = running(start("running_mean", 0.0)?);
        let running_var = running(start("running_var", 1.0)?);
        Ok(BatchNorm {
            gamma,
            beta,
            running_mean,
            running_var,
        })
    }
}
