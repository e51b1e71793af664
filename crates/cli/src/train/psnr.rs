//! Peak signal-to-noise ratio as a metric of burn-train.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorReadError};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
pub use n2n_data::quality::{Psnr, PsnrKeys};

/// What the dashboard calls a PSNR against clean images.
pub const PSNR: &str = "PSNR";

/// What it calls one that is estimated without them.
pub const PSNR_ESTIMATE: &str = "PSNR, estimated";

/// Mean squared error of each image of a batch, or an estimate of it.
pub struct PsnrInput {
    /// `[batch_size]`
    pub mse: Tensor<1>,
}

/// [`Psnr`] as a metric of burn-train.
#[derive(Clone)]
pub struct PsnrMetric {
    name: MetricName,
    has_clean: bool,
    errors: Vec<f64>,
    state: NumericMetricState,
}

impl PsnrMetric {
    /// A metric that has seen nothing.
    pub fn new(has_clean: bool) -> Self {
        let name = if has_clean { PSNR } else { PSNR_ESTIMATE };
        Self {
            name: Arc::new(name.to_owned()),
            has_clean,
            errors: vec![],
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
        let data = input.mse.clone().try_into_data()?;
        self.errors.extend(data.iter::<f64>());
        // Of all images so far: an estimate is pooled, which no mean over batches would be.
        if let Some(db) = Psnr::of(&self.errors, self.has_clean).db() {
            self.state.reset();
            self.state.update(db, self.errors.len());
        }
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.errors.clear();
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
