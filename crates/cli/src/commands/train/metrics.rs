//! Metrics of burn-train for its dashboard, fed with numbers.

use std::sync::Arc;

use burn::data::dataloader::Progress;
use burn::tensor::TensorReadError;
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricDefinition, MetricEntry, MetricId, MetricMetadata, MetricName,
    Numeric, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::MetricState;
use n2n_data::quality::{Psnr, Reference};

/// A metric, and the id under which the dashboard knows it.
pub struct Gauge<M> {
    id: MetricId,
    metric: M,
}

impl<M: Metric + Numeric> Gauge<M> {
    /// Wraps a metric without values.
    pub fn new(metric: M) -> Self {
        Self {
            id: MetricId::new(metric.name()),
            metric,
        }
    }

    /// Returns what the dashboard must know before the first value.
    pub fn definition(&self) -> MetricDefinition {
        MetricDefinition::new(self.id.clone(), &self.metric)
    }

    /// Adds a value; returns what the dashboard shows, or nothing if the value cannot be read.
    pub fn update(&mut self, input: &M::Input, metadata: &MetricMetadata) -> Option<MetricState> {
        let entry = self.metric.update(input, metadata).ok()?;
        let entry = MetricEntry::new(self.id.clone(), entry);
        Some(MetricState::Numeric(entry, self.metric.value()))
    }

    /// Ends an interval; returns its summary.
    pub fn finish(&mut self) -> Option<MetricState> {
        let entry = self.metric.compute().ok()?;
        let entry = MetricEntry::new(self.id.clone(), entry);
        let value = self.metric.final_value();
        self.metric.clear();
        Some(MetricState::Numeric(entry, Some(value)))
    }
}

/// Returns the metadata of a value: the place in the interval, the step, and the learning rate.
pub fn metadata(images: usize, total: usize, step: usize, lr: Option<f64>) -> MetricMetadata {
    MetricMetadata {
        progress: Progress::new(images, total, Some("images".to_owned())),
        iteration: Some(step),
        lr: lr.map(Into::into),
    }
}

/// [`Psnr`] as a metric of burn-train. Its input is the mean squared error of each image of a batch,
/// or an estimate of it.
#[derive(Clone)]
pub struct PsnrMetric {
    name: MetricName,
    reference: Reference,
    errors: Vec<f64>,
    state: NumericMetricState,
}

impl PsnrMetric {
    /// Makes a metric without values.
    pub fn new(reference: Reference) -> Self {
        let name = match reference {
            Reference::Clean => "PSNR",
            Reference::SecondNoisy => "PSNR, estimated",
            Reference::SubImage => "Agreement of sub-images",
        };
        Self {
            name: Arc::new(name.to_owned()),
            reference,
            errors: vec![],
            state: NumericMetricState::new(),
        }
    }

    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name()).unit("dB").precision(2)
    }
}

impl Metric for PsnrMetric {
    type Input = Vec<f64>;

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
        errors: &Vec<f64>,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.errors.extend(errors);
        // Of all images so far: an estimate is pooled, so a mean over batches would be another number.
        if let Some(db) = Psnr::of(&self.errors, self.reference).db() {
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
