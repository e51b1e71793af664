//! What a run came to.

use std::path::{Path, PathBuf};

use n2n_data::quality::{Psnr, PsnrKeys};
use n2n_devices::SelectedDevice;
use n2n_train::run_dir::End;
use n2n_train::{Outcome, Restart};
use serde::Serialize;

/// Result of a run, as `--json` prints it.
#[derive(Serialize)]
pub struct Summary<'a> {
    #[serde(flatten)]
    psnr: PsnrKeys,
    #[serde(skip_serializing_if = "Option::is_none")]
    noisy_psnr_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noisy_psnr_est_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noisy_sub_images_db: Option<f64>,
    /// By how much the best model is better than the noisy input.
    #[serde(skip_serializing_if = "Option::is_none")]
    gain_db: Option<f64>,
    /// New starts from other weights.
    restarts: &'a [Restart],
    skipped: usize,
    images: usize,
    seconds: f64,
    images_per_s: f64,
    first_step_s: f64,
    backend: &'a str,
    device: &'a str,
    model: PathBuf,
    #[serde(skip)]
    tunes_kernels: bool,
}

impl<'a> Summary<'a> {
    /// Summarizes a run in the folder `run_dir`.
    pub fn new(
        outcome: &'a Outcome,
        skipped: usize,
        selected: &'a SelectedDevice,
        run_dir: &Path,
    ) -> Self {
        let noisy = PsnrKeys::from(outcome.noisy);
        Self {
            psnr: outcome.last.psnr,
            noisy_psnr_db: noisy.psnr_db,
            noisy_psnr_est_db: noisy.psnr_est_db,
            noisy_sub_images_db: noisy.sub_images_db,
            gain_db: outcome.gain_db(),
            restarts: &outcome.restarts,
            skipped,
            images: outcome.last.images,
            seconds: outcome.last.seconds,
            images_per_s: outcome.last.images as f64 / outcome.training_seconds,
            first_step_s: outcome.first_step_seconds,
            backend: selected.backend,
            device: &selected.name,
            model: run_dir.join("best.safetensors"),
            tunes_kernels: selected.tunes_kernels,
        }
    }

    /// Formats the summary for a person.
    pub fn text(&self, outcome: &Outcome) -> String {
        let end = match outcome.end {
            End::Done => "Done",
            End::NoImprovement => "No better weights were found: done",
            End::Stopped => "Stopped",
        };
        let mut text = format!(
            "{end} after {} images in {:.0} s ({:.1} images/s on {})\n\
             {} {} (best {}), {}{}\n\
             best model: {}",
            self.images,
            self.seconds,
            self.images_per_s,
            self.device,
            outcome.noisy.name(),
            Psnr::from(outcome.last.psnr),
            Psnr::from(outcome.best.psnr),
            outcome.noisy.of_noisy(),
            self.gain_text(outcome),
            self.model.display(),
        );
        if self.tunes_kernels {
            let seconds = self.first_step_s;
            text += &format!("\ncompiling kernels: the first step took {seconds:.1} s");
        }
        text
    }

    /// By how much the best model is better, or what says so of sub-images.
    fn gain_text(&self, outcome: &Outcome) -> String {
        match self.gain_db {
            Some(gain) => format!(": the best gains {gain:.2} dB"),
            None if outcome.noisy.is_of_images() => String::new(),
            None => ": the noise of the other sub-image counts too, so that about 3 dB more than the noisy \
                     input is the most"
                .to_owned(),
        }
    }
}
