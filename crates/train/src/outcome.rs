//! Result of a run.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use n2n_data::quality::Psnr;
use n2n_denoise::{Denoiser, ModelMetadata};
use n2n_model::{StateDict, write_model_file};

use crate::TrainError;
use crate::Waits;
use crate::dead::Restart;
use crate::event::Rollback;
use crate::run_dir::{End, Record};

/// Result of a run.
pub struct Outcome {
    /// The last validation.
    pub last: Record,
    /// The best validation; the model is that of it.
    pub best: Record,
    /// Seconds in training steps alone.
    pub training_seconds: f64,
    /// Seconds of the first step, to the end of its work on the device; a GPU tunes its kernels in it.
    pub first_step_seconds: f64,
    /// Why the run ended.
    pub end: End,
    /// Returns to a checkpoint.
    pub rollbacks: Vec<Rollback>,
    /// New starts from other weights.
    pub restarts: Vec<Restart>,
    /// Reads that waited for the device.
    pub waits: Waits,
    /// Bytes of images that were sent to the device with training steps; none of those that lie there.
    pub sent_bytes: u64,
    /// Error of the noisy validation inputs.
    pub noisy: Psnr,
    /// The run directory, if there is one.
    pub run_dir: Option<PathBuf>,
    pub(crate) weights: StateDict,
    pub(crate) metadata: ModelMetadata,
    pub(crate) device: Device,
}

impl Outcome {
    /// Returns by how much the best model is better than its noisy input, in dB, if both are known. Sub-images do not
    /// tell it.
    pub fn gain_db(&self) -> Option<f64> {
        self.difference_db().filter(|_| self.noisy.is_of_images())
    }

    /// Returns whether the best model is known to be no better than its noisy input.
    pub fn gains_nothing(&self) -> bool {
        self.difference_db()
            .is_some_and(|difference| difference <= 0.0)
    }

    fn difference_db(&self) -> Option<f64> {
        let best = Psnr::from(self.best.psnr).db()?;
        Some(best - self.noisy.db()?)
    }

    /// Makes a denoiser of the best model, on the device of the training.
    ///
    /// # Errors
    /// When a weight is NaN or infinite.
    pub fn denoiser(&self) -> Result<Denoiser, TrainError> {
        let (weights, metadata) = (self.weights.clone(), self.metadata.clone());
        Ok(Denoiser::from_weights(weights, metadata, &self.device)?)
    }

    /// Writes the best model to a file, as the run directory's `best.safetensors`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_model(&self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        Ok(write_model_file(
            path.as_ref(),
            &self.weights,
            &self.metadata,
        )?)
    }
}
