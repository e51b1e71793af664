//! Peak signal-to-noise ratio: its definition, and its place on the dashboard.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorReadError};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};

/// Equal images count as this, 100 dB, so that a mean over images stays finite.
const MIN_MSE: f64 = 1e-10;

/// Mean over images of `-10 * log10(mse)`, in dB, for values in `[0, 1]`.
///
/// # Panics
/// If there is no image.
pub fn psnr_db(mse_per_image: &[f64]) -> f64 {
    assert!(!mse_per_image.is_empty(), "PSNR of no image");
    let sum: f64 = mse_per_image
        .iter()
        .map(|mse| -10.0 * mse.max(MIN_MSE).log10())
        .sum();
    sum / mse_per_image.len() as f64
}

/// Mean squared error of each image of a batch.
pub struct PsnrInput {
    /// `[batch_size]`
    pub mse: Tensor<1>,
}

/// [`psnr_db`] as a metric of burn-train.
#[derive(Clone)]
pub struct PsnrMetric {
    name: MetricName,
    state: NumericMetricState,
}

impl PsnrMetric {
    /// A metric that has seen nothing.
    pub fn new() -> Self {
        Self {
            name: Arc::new("PSNR".to_owned()),
            state: NumericMetricState::new(),
        }
    }

    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name()).unit("dB").precision(2)
    }
}

impl Metric for PsnrMetric {
    type Input = PsnrInput;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: Some("dB".to_owned()),
            higher_is_better: true,
        }
        .into()
    }

    fn update(
        &mut self,
        input: &PsnrInput,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let mse: Vec<f64> = input.mse.clone().try_into_data()?.iter().collect();
        self.state.update(psnr_db(&mse), mse.len());
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }
}

impl Numeric for PsnrMetric {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn psnr_is_the_mean_over_images_and_not_of_the_pooled_error() {
        assert_eq!(psnr_db(&[0.1, 0.001]), 20.0);
        assert_eq!(psnr_db(&[0.0]), 100.0);
    }
}
