//! The training loop.
//!
//! burn-train counts epochs; here an epoch is the stretch between two validations, and the stream of
//! training batches goes on across them.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use burn::data::dataloader::{DataLoader, Progress};
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use burn::train::{
    EventProcessorTraining, Interrupter, Learner, LearnerEvent, SupervisedTrainingEventProcessor,
    TrainingItem, ValidLoader,
};
use n2n_model::{Network, StateDict};

use super::checkpoint::Checkpoint;
use super::denoiser::{Denoiser, DenoisingOutput};
use super::non_finite::{Found, NonFinite};
use super::pictures::Denoised;
use super::position::{End, Position};
use super::psnr::Psnr;
use super::run_dir::{Record, RunDir};
use super::strategy::{Outcome, ValidateEvery};
use super::{resume, step};
use crate::experiment::OnNan;

/// Batches of which one is shown, or as many as take [`SHOWN_AFTER`] if that is shorter; as often, all
/// losses are looked at.
const SHOWN_EVERY: usize = 25;

/// A loss is shown at least so often.
const SHOWN_AFTER: Duration = Duration::from_millis(250);

/// A run goes back so often: a learning rate that is a thousand times too large is as good as any.
const MOST_HALVINGS: u32 = 10;

/// The moving parts of one run.
pub struct Run<'a> {
    /// What it is made of.
    pub strategy: &'a ValidateEvery,
    /// Network, optimizer and learning rates.
    pub learner: Learner<Denoiser>,
    /// The validation batches.
    pub validation: ValidLoader<Denoiser>,
    /// Where metrics and the dashboard hear of it.
    pub events: SupervisedTrainingEventProcessor<Denoiser>,
    /// Says when to stop.
    pub interrupter: Interrupter,
    /// Seconds of the first step, once it is done.
    pub first_step_seconds: Option<f64>,
    /// Where it stands.
    pub position: Position,
    /// Losses since the last validation that have not been read from the device; they follow those
    /// in `position`.
    pub pending: Vec<Tensor<1>>,
    /// Times that it went back, and why.
    pub rollbacks: Vec<String>,
}

/// Why training pauses.
#[derive(Clone, Copy, PartialEq)]
enum Pause {
    /// A validation is due, or the run is over.
    Due,
    /// A person or the system wants the run to stop before that.
    Stopped,
}

impl Run<'_> {
    /// Trains to the end.
    ///
    /// # Errors
    /// When data cannot be read, a file cannot be written, or a number of training is none.
    pub fn complete(&mut self) -> anyhow::Result<Outcome> {
        if self.strategy.resumed.is_none() {
            self.checkpoint()?;
        }
        loop {
            let ended = self.go_on();
            let Some(non_finite) = ended
                .as_ref()
                .err()
                .and_then(|error| error.downcast_ref::<NonFinite>())
            else {
                return ended;
            };
            self.roll_back(*non_finite)?;
        }
    }

    /// Trains from the present position to the end of the run.
    fn go_on(&mut self) -> anyhow::Result<Outcome> {
        let strategy = self.strategy;
        let (before, start) = (self.position.seconds, Instant::now());
        let first = self.position.batches * strategy.config.accumulate;
        let stream = strategy.stream.clone().after(first as u64);
        let mut stream = stream.iter();
        loop {
            let stretch = self.position.batches / strategy.validate_every + 1;
            let pause = self.train_stretch(stretch, &mut *stream)?;
            self.fail_on_error()?;
            self.position.seconds = before + start.elapsed().as_secs_f64();
            if pause == Pause::Stopped {
                // Before the validation, of which a run that goes on knows nothing.
                self.checkpoint()?;
            }
            let train_loss = self.mean_loss()?;
            // Noted before the validation, which a person may still stop while it runs.
            let stopped = self.interrupter.should_stop();
            let record = self.validate(stretch, train_loss)?;
            let best = self.position.best;
            let is_best = best.is_none_or(|best| record.is_better_than(&best));
            self.keep(&record, is_best)?;
            if is_best {
                self.position.best = Some(record);
            }
            if pause == Pause::Due {
                // An error below zero cannot be told from zero.
                strategy.schedule.observe(record.val_mse.max(0.0));
                self.position.since_best = match is_best {
                    true => 0,
                    false => self.position.since_best + 1,
                };
                self.position.losses.clear();
                self.checkpoint()?;
            }
            let end = match self.position.is_over(&strategy.config, strategy.max_images) {
                Some(end) => end,
                None if stopped => End::Stopped,
                None => continue,
            };
            return Ok(Outcome {
                last: record,
                best: self.position.best.unwrap_or(record),
                training_seconds: self.position.training_seconds,
                first_step_seconds: self.first_step_seconds.unwrap_or_default(),
                end,
                rollbacks: std::mem::take(&mut self.rollbacks),
            });
        }
    }

    /// Keeps what is known of a loss that is no number, and goes back to the last checkpoint at half
    /// the learning rate if the experiment says so.
    fn roll_back(&mut self, non_finite: NonFinite) -> anyhow::Result<()> {
        let strategy = self.strategy;
        let run_dir = self.run_dir();
        let accumulate = strategy.config.accumulate;
        let dump = non_finite.dump(&run_dir, &strategy.stream, accumulate)?;
        let halvings = self.position.halvings + 1;
        let way_out = match strategy.config.on_nan {
            OnNan::Stop => Some("set train.on_nan = \"rollback\""),
            OnNan::Rollback if halvings > MOST_HALVINGS => Some("look at the images"),
            OnNan::Rollback => None,
        };
        if let Some(way_out) = way_out {
            bail!(
                "{non_finite}; lower train.lr, set train.clip_norm or {way_out}; the images of the batch \
                 are in {}",
                dump.display()
            );
        }
        let folder = run_dir.checkpoints();
        drop(run_dir);
        let (checkpoint, _) = Checkpoint::newest(&folder)?;
        let mut checkpoint = checkpoint.context("there is no checkpoint to go back to")?;
        checkpoint.position.halvings = halvings;
        // At once: a run that is killed now goes on at this learning rate too.
        checkpoint.write(&folder)?;
        resume::restore(&mut self.learner, &checkpoint)?;
        let seconds = self.position.seconds;
        self.position = Position {
            seconds,
            ..checkpoint.position
        };
        self.pending.clear();
        strategy.schedule.restore(self.position.plateau, halvings);
        let message = format!(
            "{non_finite}: back to batch {}, at half the learning rate",
            self.position.batches
        );
        self.rollbacks.push(message);
        Ok(())
    }

    /// Trains until the next validation is due, or a stop.
    fn train_stretch(&mut self, stretch: usize, stream: step::Batches) -> anyhow::Result<Pause> {
        let strategy = self.strategy;
        let config = &strategy.config;
        let mut trained = self.position.losses.len();
        let mut done = trained * config.images_per_step();
        let left = strategy.max_images.saturating_sub(self.position.images) + done;
        let total_items = left.min(strategy.validate_every * config.images_per_step());
        self.train_event(LearnerEvent::StartSplit {
            epoch_number: stretch,
            total_items,
        });
        let start = Instant::now();
        let (before, seconds_before) = (self.position.seconds, self.position.training_seconds);
        let mut shown = start;
        let pause = loop {
            let batches = step::next(stream, config.accumulate)?;
            let count: usize = batches.iter().map(|batch| batch.input.dims()[0]).sum();
            let progress = self.position.images as f32 / strategy.max_images as f32;
            let steps = self.position.batches;
            strategy.objective.set_progress(progress.min(1.0), steps);
            strategy.schedule.set_batch(steps);
            if strategy.dropout {
                // Of the seed and the batch alone, so that a run that goes on draws the same.
                let draws = config.seed.wrapping_add(self.position.batches as u64);
                strategy.device.seed(draws);
            }
            let step = Instant::now();
            let (loss, gradients) = step::losses_and_gradients(&self.learner, batches);
            self.learner.lr_step();

            trained += 1;
            done += count;
            self.position.images += count;
            self.position.batches += 1;
            let seconds = start.elapsed().as_secs_f64();
            self.position.seconds = before + seconds;
            let due = trained == strategy.validate_every
                || self.position.is_over(config, strategy.max_images).is_some();
            let stopped = self.interrupter.should_stop();
            let checkpoint = self
                .position
                .batches
                .is_multiple_of(config.checkpoint_every);
            if due || stopped || checkpoint {
                strategy.snapshot.request();
            }
            self.learner.optimizer_step(gradients);
            if self.first_step_seconds.is_none() {
                // Not by reading the loss, which goes on to the metrics' thread: burn-fusion was seen
                // to lose a tensor that was read on both.
                self.strategy.device.sync()?;
                self.first_step_seconds = Some(step.elapsed().as_secs_f64());
            }
            self.pending.push(loss.clone());
            // Whoever shows a loss reads it from the device, and waits for it there.
            let show = self.position.batches % SHOWN_EVERY == 1 || shown.elapsed() > SHOWN_AFTER;
            if show || due || stopped {
                shown = Instant::now();
                self.train_event(LearnerEvent::ProcessedItem(TrainingItem::new(
                    DenoisingOutput { mse: loss },
                    Progress::new(done, total_items, Some("images".to_owned())),
                    Some(self.position.batches),
                    Some(self.learner.lr_current()),
                )));
            }
            self.position.training_seconds = seconds_before + start.elapsed().as_secs_f64();
            if due || stopped || checkpoint {
                self.read_losses()?;
                self.check_weights()?;
            }
            if due {
                break Pause::Due;
            }
            if stopped {
                break Pause::Stopped;
            }
            if checkpoint {
                self.checkpoint()?;
            } else if self.position.batches.is_multiple_of(SHOWN_EVERY) {
                self.read_losses()?;
            }
        };
        self.position.training_seconds = seconds_before + start.elapsed().as_secs_f64();
        self.train_event(LearnerEvent::EndSplit(stretch));
        Ok(pause)
    }

    /// Reads the losses that are still on the device.
    fn read_losses(&mut self) -> anyhow::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let first = self.position.batches + 1 - self.pending.len();
        let losses = to_f64(std::mem::take(&mut self.pending))?;
        if let Some(index) = losses.iter().position(|loss| !loss.is_finite()) {
            return Err(self.non_finite(first + index, Found::Loss(losses[index])));
        }
        let bits = losses.iter().map(|loss| (*loss as f32).to_bits());
        self.position.losses.extend(bits);
        Ok(())
    }

    /// Makes sure that no weight is written, or validated, that is no number.
    fn check_weights(&self) -> anyhow::Result<()> {
        let weights = self.state_dict(&self.learner.model().valid().network);
        match weights.values().all(is_finite) {
            true => Ok(()),
            false => Err(self.non_finite(self.position.batches, Found::Weight)),
        }
    }

    fn non_finite(&self, step: usize, found: Found) -> anyhow::Error {
        let lr = self.learner.lr_current().base();
        NonFinite { step, found, lr }.into()
    }

    /// Mean loss since the last validation.
    fn mean_loss(&mut self) -> anyhow::Result<f64> {
        self.read_losses()?;
        let losses = &self.position.losses;
        let sum: f64 = losses
            .iter()
            .map(|bits| f64::from(f32::from_bits(*bits)))
            .sum();
        Ok(sum / losses.len() as f64)
    }

    /// Puts everything that the run needs to go on on disk.
    fn checkpoint(&mut self) -> anyhow::Result<()> {
        self.read_losses()?;
        self.position.plateau = self.strategy.schedule.plateau();
        let model = self.learner.model().into_record().into_bytes()?;
        let run_dir = self.run_dir();
        let checkpoint = Checkpoint {
            position: Position {
                metrics_bytes: run_dir.metrics_bytes()?,
                ..self.position.clone()
            },
            model: model.to_vec(),
            optimizer: self.strategy.snapshot.take()?,
        };
        checkpoint.write(&run_dir.checkpoints())
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
        let mut denoised = Denoised::default();
        while let Some(batch) = batches.next() {
            let batch = batch?;
            let clean = self.strategy.has_clean.then(|| batch.target.clone());
            let (item, images) = model.validate(batch);
            denoised.add(images, clean)?;
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

        let png = self.strategy.gallery.png(denoised.shown())?;
        self.run_dir().save_picture(self.position.batches, &png)?;
        let val_mse = mse.iter().sum::<f64>() / mse.len() as f64;
        if !val_mse.is_finite() {
            return Err(self.non_finite(self.position.batches, Found::Validation(val_mse)));
        }
        Ok(Record {
            images: self.position.images,
            batches: self.position.batches,
            train_loss,
            val_mse,
            psnr: Psnr::of(&mse, self.strategy.has_clean).into(),
            ssim: denoised.ssim(),
            lr: self.learner.lr_current().base(),
            seconds: self.position.seconds,
        })
    }

    /// Puts a validation and its weights on disk.
    fn keep(&self, record: &Record, is_best: bool) -> anyhow::Result<()> {
        let metadata = &self.strategy.metadata;
        let state = self.state_dict(self.learner.model().valid().judged());
        let mut run_dir = self.run_dir();
        run_dir.save_model("last", &state, metadata)?;
        if is_best {
            run_dir.save_model("best", &state, metadata)?;
        }
        run_dir.record(record)
    }

    fn state_dict(&self, network: &Network) -> StateDict {
        self.strategy.metadata.network.state_dict(network)
    }

    fn run_dir(&self) -> MutexGuard<'_, RunDir> {
        let run_dir = &self.strategy.run_dir;
        run_dir.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn train_event(&mut self, event: LearnerEvent<DenoisingOutput>) {
        let processed = self.events.process_train(event);
        self.interrupter.fail_on_error(processed);
    }

    fn valid_event(&mut self, event: LearnerEvent<DenoisingOutput>) {
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

fn is_finite(values: &TensorData) -> bool {
    values.iter::<f32>().all(f32::is_finite)
}

/// Reads small vectors from the device, all at once.
fn to_f64(vectors: Vec<Tensor<1>>) -> anyhow::Result<Vec<f64>> {
    let data = Tensor::cat(vectors, 0).try_into_data()?;
    Ok(data.iter().collect())
}
