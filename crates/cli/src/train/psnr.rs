//! Peak signal-to-noise ratio: its definition, and its place on the dashboard.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorReadError};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use n2n_data::quality;
use serde::{Deserialize, Serialize};

/// What the dashboard calls a PSNR against clean images.
pub const PSNR: &str = "PSNR";

/// What it calls one that is estimated without them.
pub const PSNR_ESTIMATE: &str = "PSNR, estimated";

/// Mean over images of `-10 * log10(mse)`, in dB, for values in `[0, 1]`.
///
/// # Panics
/// If there is no image.
pub fn psnr_db(mse_per_image: &[f64]) -> f64 {
    assert!(!mse_per_image.is_empty(), "PSNR of no image");
    let psnrs = mse_per_image.iter().map(|mse| quality::psnr_db(*mse));
    psnrs.sum::<f64>() / mse_per_image.len() as f64
}

/// Peak signal-to-noise ratio of a validation, in dB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Psnr {
    /// Against clean images: [`psnr_db`].
    Measured(f64),
    /// Without clean images: of the mean over images, pooled, of unbiased estimates of their errors.
    Estimated {
        /// `-10 * log10(mean)`; nothing where the mean is not positive, and cannot be told from 0.
        db: Option<f64>,
        /// Standard error of `db`, by the delta method.
        standard_error_db: Option<f64>,
    },
}

impl Psnr {
    /// From the errors of each image: mean squared errors against clean images, or their estimates.
    ///
    /// # Panics
    /// If there is no image.
    pub fn of(errors: &[f64], has_clean: bool) -> Self {
        if has_clean {
            return Self::Measured(psnr_db(errors));
        }
        assert!(!errors.is_empty(), "PSNR of no image");
        let count = errors.len() as f64;
        let mean = errors.iter().sum::<f64>() / count;
        if mean <= 0.0 {
            return Self::Estimated {
                db: None,
                standard_error_db: None,
            };
        }
        let squares = errors.iter().map(|error| (error - mean).powi(2));
        let variance = squares.sum::<f64>() / (count - 1.0);
        // d(-10 log10(m)) = -10 / ln(10) dm / m
        let standard_error = 10.0 / 10.0_f64.ln() * (variance / count).sqrt() / mean;
        Self::Estimated {
            db: Some(-10.0 * mean.log10()),
            standard_error_db: Some(standard_error).filter(|error| error.is_finite()),
        }
    }

    /// The number, measured or estimated, if there is one.
    pub fn db(self) -> Option<f64> {
        match self {
            Self::Measured(db) => Some(db),
            Self::Estimated { db, .. } => db,
        }
    }
}

impl std::fmt::Display for Psnr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Measured(db) => write!(f, "{db:.2} dB"),
            Self::Estimated { db: None, .. } => f.write_str("not estimable"),
            Self::Estimated {
                db: Some(db),
                standard_error_db,
            } => {
                write!(f, "{db:.2}")?;
                if let Some(error) = standard_error_db {
                    write!(f, " +- {error:.2}")?;
                }
                f.write_str(" dB (estimated)")
            }
        }
    }
}

/// A PSNR as the two or three keys of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PsnrKeys {
    /// Measured against clean images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psnr_db: Option<f64>,
    /// Estimated without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psnr_est_db: Option<f64>,
    /// Standard error of the estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psnr_est_se_db: Option<f64>,
}

impl From<PsnrKeys> for Psnr {
    fn from(keys: PsnrKeys) -> Self {
        match keys.psnr_db {
            Some(db) => Self::Measured(db),
            None => Self::Estimated {
                db: keys.psnr_est_db,
                standard_error_db: keys.psnr_est_se_db,
            },
        }
    }
}

impl From<Psnr> for PsnrKeys {
    fn from(psnr: Psnr) -> Self {
        match psnr {
            Psnr::Measured(db) => Self {
                psnr_db: Some(db),
                ..Self::default()
            },
            Psnr::Estimated {
                db,
                standard_error_db,
            } => Self {
                psnr_db: None,
                psnr_est_db: db,
                psnr_est_se_db: standard_error_db,
            },
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn psnr_is_the_mean_over_images_and_not_of_the_pooled_error() {
        assert_eq!(psnr_db(&[0.1, 0.001]), 20.0);
        assert_eq!(psnr_db(&[0.0]), 100.0);
    }

    #[test]
    fn an_estimate_is_pooled_with_the_error_of_its_mean() {
        let Psnr::Estimated {
            db: Some(db),
            standard_error_db: Some(error),
        } = Psnr::of(&[0.02, -0.002, 0.012], false)
        else {
            panic!("a mean of 0.01 is estimable");
        };
        assert!((db - 20.0).abs() < 1e-12, "{db}");
        // The deviation is 0.0111355; over sqrt(3) it is 0.642910 of the mean, and 4.342945 dB each.
        assert!((error - 2.792124).abs() < 1e-5, "{error}");
        let nothing = Psnr::of(&[0.01, -0.02], false);
        assert_eq!(nothing.to_string(), "not estimable");
    }
}
