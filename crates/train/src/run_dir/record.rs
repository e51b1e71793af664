//! One validation, as a run directory keeps it.

use n2n_data::quality::PsnrKeys;
use serde::{Deserialize, Serialize};

use crate::dead::Errors;

/// One validation, as a line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Training images processed so far.
    pub images: usize,
    /// Optimizer steps so far.
    pub batches: usize,
    /// Mean training loss since the last validation.
    pub train_loss: f64,
    /// Mean squared error on the validation set, or the estimate of it; of sub-images with the noise of the other.
    pub val_mse: f64,
    /// PSNR, measured or estimated, or what stands for it.
    #[serde(flatten)]
    pub psnr: PsnrKeys,
    /// Mean structural similarity to clean images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssim: Option<f64>,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Seconds since the start of training.
    pub seconds: f64,
}

impl Record {
    /// Returns the errors that tell whether a network learns.
    pub(crate) fn errors(&self) -> Errors {
        Errors {
            mse: self.val_mse,
            train_loss: self.train_loss,
        }
    }

    /// Returns whether this validation is better than another one of the same run.
    pub fn is_better_than(&self, other: &Self) -> bool {
        match (self.psnr.psnr_db, other.psnr.psnr_db) {
            (Some(ours), Some(theirs)) => ours > theirs,
            _ => self.val_mse < other.val_mse,
        }
    }
}
