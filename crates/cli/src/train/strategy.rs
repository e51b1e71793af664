//! The training loop: a strategy of burn-train that validates every so many batches.
//!
//! burn-train counts epochs; here an epoch is the stretch between two validations, and the data
//! loader streams on across them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use burn::data::dataloader::Progress;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use burn::train::{
    EventProcessorTraining, InferenceStep, Interrupter, Learner, LearnerEvent,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents,
    TrainingItem, ValidLoader,
};

use super::denoiser::Denoiser;
use super::plateau::Plateau;
use super::psnr::psnr_db;
use super::run_dir::{ModelMetadata, Record, RunDir};

/// Batches of which one is shown, or as many as take [`SHOWN_AFTER`] if that is shorter.
const SHOWN_EVERY: usize = 25;

/// A loss is shown at least so often.
const SHOWN_AFTER: Duration = Duration::from_millis(250);

/// Where training stands when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The last validation.
    pub last: Record,
    /// The validation with the highest PSNR, whose weights `best` holds.
    pub best: Record,
    /// Seconds spent in training steps alone.
    pub training_seconds: f64,
    /// Seconds of the first step, to the end of its work on the device; a GPU tunes its kernels in it.
    pub first_step_seconds: f64,
    /// Whether a person stopped it early.
    pub stopped: bool,
}

/// Trains for `max_images`, and validates every `validate_every` batches and at the end.
pub struct ValidateEvery {
    /// Device of the training steps, with autodiff.
    pub device: Device,
    /// Training stops after the batch that reaches this.
    pub max_images: usize,
    /// Batches between validations.
    pub validate_every: usize,
    /// Images in a full batch.
    pub batch_size: usize,
    /// The scheduler to show validations to.
    pub plateau: Option<Plateau>,
    /// What model files say.
    pub metadata: ModelMetadata,
    /// Where records and models go.
    pub run_dir: Mutex<RunDir>,
    /// How it went; burn-train's own result has no room for it.
    pub outcome: Arc<Mutex<Option<anyhow::Result<Outcome>>>>,
}

impl SupervisedLearningStrategy<Denoiser> for ValidateEvery {
    fn fit(
        &self,
        components: TrainingComponents<Denoiser>,
        mut learner: Learner<Denoiser>,
        train: TrainLoader<Denoiser>,
        validation: ValidLoader<Denoiser>,
        _starting_epoch: usize,
    ) -> (Denoiser, SupervisedTrainingEventProcessor<Denoiser>) {
        learner.fork(&self.device);
        let mut run = Run {
            strategy: self,
            learner,
            train: train.to_device(&self.device),
            validation: validation.to_device(&self.device.clone().inner()),
            events: components.event_processor,
            interrupter: components.interrupter,
            start: Instant::now(),
            training_seconds: 0.0,
            first_step_seconds: 0.0,
            images: 0,
            batches: 0,
        };
        let outcome = run.complete();
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        (run.learner.model(), run.events)
    }
}

/// The moving parts of one run.
struct Run<'a> {
    strategy: &'a ValidateEvery,
    learner: Learner<Denoiser>,
    train: TrainLoader<Denoiser>,
    validation: ValidLoader<Denoiser>,
    events: SupervisedTrainingEventProcessor<Denoiser>,
    interrupter: Interrupter,
    start: Instant,
    training_seconds: f64,
    first_step_seconds: f64,
    images: usize,
    batches: usize,
}

impl Run<'_> {
    fn complete(&mut self) -> anyhow::Result<Outcome> {
        let train = self.train.clone();
        let mut stream = train.iter();
        let mut best: Option<Record> = None;
        for stretch in 1.. {
            let train_loss = self.train_stretch(stretch, &mut *stream)?;
            self.fail_on_error()?;
            // Noted before the validation, which a person may still stop while it runs.
            let stopped = self.interrupter.should_stop();
            let record = self.validate(stretch, train_loss)?;

            if let Some(plateau) = &self.strategy.plateau {
                plateau.observe(record.val_mse);
            }
            let is_best = best.is_none_or(|best| record.psnr_db > best.psnr_db);
            self.keep(&record, is_best)?;
            if is_best {
                best = Some(record);
            }
            if stopped || self.images >= self.strategy.max_images {
                return Ok(Outcome {
                    last: record,
                    best: best.unwrap_or(record),
                    training_seconds: self.training_seconds,
                    first_step_seconds: self.first_step_seconds,
                    stopped: self.images < self.strategy.max_images,
                });
            }
        }
        unreachable!("a run has a last stretch")
    }

    /// Trains until the next validation is due; the mean loss.
    fn train_stretch(
        &mut self,
        stretch: usize,
        stream: &mut dyn Iterator<
            Item = Result<n2n_data::Batch, burn::data::dataset::DatasetError>,
        >,
    ) -> anyhow::Result<f64> {
        let strategy = self.strategy;
        let left = strategy.max_images - self.images;
        let total_items = left.min(strategy.validate_every * strategy.batch_size);
        self.train_event(LearnerEvent::StartSplit {
            epoch_number: stretch,
            total_items,
        });
        let start = Instant::now();
        let mut losses: Vec<Tensor<1>> = Vec::new();
        let mut done = 0;
        let mut shown = start;
        while losses.len() < strategy.validate_every && self.images < strategy.max_images {
            let batch = stream.next().context("the training stream is endless")??;
            let count = batch.input.dims()[0];
            let step = Instant::now();
            let output = self.learner.train_step(batch);
            self.learner.lr_step();
            self.learner.optimizer_step(output.grads);
            if self.batches == 0 {
                // Not by reading the loss, which goes on to the metrics' thread: burn-fusion was seen
                // to lose a tensor that was read on both.
                self.strategy.device.sync()?;
                self.first_step_seconds = step.elapsed().as_secs_f64();
            }

            done += count;
            self.images += count;
            self.batches += 1;
            losses.push(output.item.mse.clone());
            let stopped = self.interrupter.should_stop();
            let ends = stopped
                || losses.len() == strategy.validate_every
                || self.images >= strategy.max_images;
            // Whoever shows a loss reads it from the device, and waits for it there.
            let due = self.batches % SHOWN_EVERY == 1 || shown.elapsed() > SHOWN_AFTER;
            if due || ends {
                shown = Instant::now();
                self.train_event(LearnerEvent::ProcessedItem(TrainingItem::new(
                    output.item,
                    Progress::new(done, total_items, Some("images".to_owned())),
                    Some(self.batches),
                    Some(self.learner.lr_current()),
                )));
            }
            if stopped {
                break;
            }
        }
        let losses = to_f64(losses)?;
        self.training_seconds += start.elapsed().as_secs_f64();
        self.train_event(LearnerEvent::EndSplit(stretch));
        if let Some(index) = losses.iter().position(|loss| !loss.is_finite()) {
            anyhow::bail!(
                "the training loss became {} at batch {}; lower train.lr (it was {:e})",
                losses[index],
                self.batches - losses.len() + index + 1,
                self.learner.lr_current().base(),
            );
        }
        Ok(losses.iter().sum::<f64>() / losses.len() as f64)
    }

    /// Validates the present weights.
    fn validate(&mut self, stretch: usize, train_loss: f64) -> anyhow::Result<Record> {
        self.valid_event(LearnerEvent::StartSplit {
            epoch_number: stretch,
            total_items: self.validation.num_items(),
        });
        let model = self.learner.model().valid();
        let validation = self.validation.clone();
        let mut batches = validation.iter();
        let mut mse = Vec::new();
        while let Some(batch) = batches.next() {
            let item = InferenceStep::step(&model, batch?);
            mse.push(item.mse.clone());
            let iteration = Some(mse.len());
            let item = TrainingItem::new(item, batches.progress(), iteration, None);
            self.valid_event(LearnerEvent::ProcessedItem(item));
        }
        let mse = to_f64(mse)?;
        self.valid_event(LearnerEvent::EndSplit(stretch));
        self.train_event(LearnerEvent::EndEpoch(stretch));
        let flushed = self.events.flush();
        self.interrupter.fail_on_error(flushed);
        self.fail_on_error()?;

        let val_mse = mse.iter().sum::<f64>() / mse.len() as f64;
        ensure!(
            val_mse.is_finite(),
            "the validation error became {val_mse}; lower train.lr"
        );
        Ok(Record {
            images: self.images,
            batches: self.batches,
            train_loss,
            val_mse,
            psnr_db: psnr_db(&mse),
            lr: self.learner.lr_current().base(),
            seconds: self.start.elapsed().as_secs_f64(),
        })
    }

    /// Puts a validation and its weights on disk.
    fn keep(&self, record: &Record, is_best: bool) -> anyhow::Result<()> {
        let metadata = &self.strategy.metadata;
        let state = metadata
            .network
            .state_dict(&self.learner.model().valid().network);
        let run_dir = &self.strategy.run_dir;
        let mut run_dir = run_dir.lock().unwrap_or_else(PoisonError::into_inner);
        run_dir.save_model("last", &state, metadata)?;
        if is_best {
            run_dir.save_model("best", &state, metadata)?;
        }
        run_dir.record(record)
    }

    fn train_event(&mut self, event: LearnerEvent<super::denoiser::DenoisingOutput>) {
        let processed = self.events.process_train(event);
        self.interrupter.fail_on_error(processed);
    }

    fn valid_event(&mut self, event: LearnerEvent<super::denoiser::DenoisingOutput>) {
        let processed = self.events.process_valid(event);
        self.interrupter.fail_on_error(processed);
    }

    fn fail_on_error(&self) -> anyhow::Result<()> {
        match self.interrupter.error() {
            Some(error) => Err(anyhow::anyhow!("{error}")),
            None => Ok(()),
        }
    }
}

/// Reads small vectors from the device, all at once.
fn to_f64(vectors: Vec<Tensor<1>>) -> anyhow::Result<Vec<f64>> {
    let data = Tensor::cat(vectors, 0).try_into_data()?;
    Ok(data.iter().collect())
}
