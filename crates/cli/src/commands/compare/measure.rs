//! Training steps on one backend with one implementation, timed and recorded.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use burn::data::dataloader::DataLoader;
use burn::data::dataset::DatasetError;
use n2n_data::quality::median;
use n2n_data::{Batch, Examples, Opened, Preparation, ValidationSet};
use n2n_devices::SelectedDevice;
use n2n_model::{NetworkConfig, StateDict};
use n2n_train::data::{preparation, train_stream};
use n2n_train::deviation::{loss_deviation, weight_deviation};
use n2n_train::{Experiment, Learner};
use serde::Serialize;

use super::memory;

/// Validation images of the PSNR: enough to see that a backend learned the same.
const VALIDATION_IMAGES: usize = 64;

/// What one backend did with one implementation.
#[derive(Serialize)]
pub struct Measurement {
    /// The backend's name.
    pub backend: &'static str,
    /// Who computes the network: `burn`, `scratch` or `layers`.
    pub implementation: &'static str,
    /// The adapter's or processor's name.
    pub device: String,
    /// Seconds of the first step; on a GPU this includes choosing and building kernels.
    pub first_step_s: f64,
    /// Median over the other steps of images per second, from the batch on the device to its loss
    /// on the host; making batches is not in it.
    pub images_per_s: f64,
    /// Largest `|loss - reference| / |reference|` of a step; the first measurement is the reference.
    pub loss_deviation: f64,
    /// Largest `max|w - reference| / max|reference|` of a parameter tensor after the last step.
    pub weight_deviation: f64,
    /// PSNR after the last step, measured or estimated.
    pub psnr_db: f64,
    /// Peak resident memory of the process in MiB, with what earlier backends left behind.
    pub peak_memory_mib: Option<f64>,
    /// Training loss of each step.
    pub losses: Vec<f64>,
    /// Parameters after the last step.
    #[serde(skip)]
    weights: StateDict,
}

/// Everything that is the same on each backend.
pub struct Bench {
    experiment: Experiment,
    steps: usize,
    train: Arc<Examples>,
    validation: Arc<Examples>,
    preparation: Preparation,
}

impl Bench {
    /// Prepares an experiment with its data.
    ///
    /// # Errors
    /// When an example cannot be read.
    pub fn new(experiment: &Experiment, opened: Opened, steps: usize) -> anyhow::Result<Self> {
        let normalization = opened.normalization(experiment.data.normalize)?;
        let preparation = preparation(experiment, normalization);
        let mut experiment = experiment.clone();
        // Batches are made between the steps, where they are not timed.
        experiment.data.workers = 0;
        Ok(Self {
            experiment,
            steps,
            train: opened.train,
            validation: opened.validation,
            preparation,
        })
    }

    /// `[channels, height, width]` of the images.
    pub fn image_shape(&self) -> [usize; 3] {
        self.train.shape(0)
    }

    /// Trains a network on one backend from the seed's weights, and compares with `reference`.
    ///
    /// # Errors
    /// When an example cannot be read, the device fails, or the loss is no longer finite.
    pub fn measure(
        &self,
        selected: &SelectedDevice,
        network_config: &NetworkConfig,
        reference: Option<&Measurement>,
    ) -> anyhow::Result<Measurement> {
        let peak_is_ours = memory::reset_peak();
        let config = &self.experiment.train;
        let max_images = self.steps * config.images_per_step();
        let mut learner = Learner::new(network_config, config, max_images, &selected.device);
        let device = learner.device().clone();
        let stream = train_stream(&self.experiment, &self.train, &self.preparation, &device);

        let mut losses = Vec::with_capacity(self.steps);
        let mut seconds = Vec::with_capacity(self.steps);
        let mut rates = Vec::with_capacity(self.steps);
        let mut stream = stream.iter();
        while losses.len() < self.steps {
            // Loaded before the clock starts.
            let batches: Vec<_> = stream.by_ref().take(config.accumulate).collect();
            let start = Instant::now();
            let (loss, images) = step(&mut learner, batches)
                .with_context(|| format!("step {} on {}", losses.len() + 1, selected.backend))?;
            let elapsed = start.elapsed().as_secs_f64();
            losses.push(loss);
            seconds.push(elapsed);
            rates.push(images as f64 / elapsed);
        }

        let weights = learner.evaluation_weights();
        let psnr_db = self.psnr_db(&learner, selected)?;
        let (loss_deviation, weight_deviation) = match reference {
            Some(first) => (
                loss_deviation(&losses, &first.losses),
                weight_deviation(&weights, &first.weights),
            ),
            None => (0.0, 0.0),
        };
        Ok(Measurement {
            backend: selected.backend,
            implementation: network_config.implementation(&selected.device),
            device: selected.name.clone(),
            first_step_s: seconds[0],
            images_per_s: median(&mut rates[1..]),
            loss_deviation,
            weight_deviation,
            psnr_db,
            peak_memory_mib: memory::peak_mib().filter(|_| peak_is_ours),
            losses,
            weights,
        })
    }

    fn psnr_db(&self, learner: &Learner, selected: &SelectedDevice) -> anyhow::Result<f64> {
        let set = ValidationSet::new(
            self.validation.clone(),
            0..self.validation.len().min(VALIDATION_IMAGES),
            self.preparation.clone(),
            self.experiment.train.batch_size,
            selected.device.clone(),
        );
        let psnr = learner
            .evaluation_model()
            .psnr(&set, self.validation.reference())?;
        Ok(psnr.db().unwrap_or(f64::NAN))
    }
}

/// One step, to the end of its work on the device; its loss, and the number of images.
fn step(
    learner: &mut Learner,
    batches: Vec<Result<Batch, DatasetError>>,
) -> anyhow::Result<(f64, usize)> {
    let (loss, images) = learner.step(batches)?;
    let data = loss.try_into_data()?;
    let loss: f64 = data.iter::<f64>().sum();
    ensure!(loss.is_finite(), "the loss became {loss}; lower train.lr");
    Ok((loss, images))
}
