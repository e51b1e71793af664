//! Exponential moving average (EMA) of a network's weights.

use burn::tensor::Tensor;

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

/// Computes `decay average + (1 - decay) weights`.
///
/// Source: `torch.optim.swa_utils.get_ema_multi_avg_fn`.
pub fn update(average: Tensor<1>, weights: Tensor<1>, decay: f64) -> Tensor<1> {
    if decay > 0.0 {
        average * decay + weights * (1.0 - decay)
    } else {
        weights
    }
}
