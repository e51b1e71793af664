//! The training loop.
//!
//! A run is a row of validation intervals. The stream of training batches goes on across them, so that
//! the interval's length changes nothing that is learned.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::data::dataloader::DataLoader;
use burn::tensor::{Tensor, TensorData};
use n2n_data::quality::{Psnr, Reference};
use n2n_data::{Examples, TrainStream, ValidationSet};
use n2n_model::StateDict;

use crate::data::NoisyInput;
use crate::dead::{MAX_RESTARTS, Restart, Symptom, is_constant, symptom};
use crate::event::{Event, Interval, Rollback, Step, ValidationBatch};
use crate::experiment::{OnDead, OnNan, TrainConfig};
use crate::gallery::{Denoised, Gallery};
use crate::learner::seed_after;
use crate::read::{Unread, Waits, read_vectors};
use crate::run_dir::{Basis, Checkpoint, End, Found, NonFinite, Record, TrainingState};
use crate::step::Batches;
use crate::store::Store;
use crate::{Learner, Outcome, Stop, TrainError};

/// Steps between two reports of the loss, and between two reads of losses from the device.
const REPORT_EVERY: usize = 25;

/// Longest time between two reports of the loss, or of a validation's errors.
const REPORT_AFTER: Duration = Duration::from_secs(1);

/// Longest time between two reads of losses from a graphics device, which has nothing to do while it is waited for;
/// reports between them show the loss that was read last.
const READ_AFTER: Duration = Duration::from_secs(10);

/// Maximum number of rollbacks of a run; each halves the learning rate.
const MAX_ROLLBACKS: u32 = 10;

/// The moving parts of one run.
pub struct Run<'a> {
    pub config: TrainConfig,
    /// Images of the whole run.
    pub max_images: usize,
    /// Steps between two validations.
    pub validate_every: usize,
    /// Training examples, which `stream` serves.
    pub train: Arc<Examples>,
    pub stream: TrainStream,
    pub validation: ValidationSet,
    /// What validation compares with.
    pub reference: Reference,
    /// Error of the noisy validation inputs.
    pub noisy: NoisyInput,
    /// Whether the network's own backward pass counts every pixel.
    pub counts_every_pixel: bool,
    pub gallery: Gallery,
    pub basis: Basis,
    pub learner: Learner,
    pub store: Store,
    pub state: TrainingState,
    /// Weights of the best validation.
    pub best_weights: Option<StateDict>,
    pub stop: &'a Stop,
    pub on_event: &'a mut dyn FnMut(Event<'_>),
    /// Losses that have not been read from the device; they follow those in `state`.
    pub pending: Vec<Tensor<1>>,
    pub first_step_seconds: Option<f64>,
    pub rollbacks: Vec<Rollback>,
    pub restarts: Vec<Restart>,
    pub waits: Waits,
    /// Scenes that were reported as left out.
    pub left_out: BTreeSet<String>,
}

/// Why an interval ended before the run did.
enum Interruption {
    /// A loss, weight or validation error is NaN or infinite.
    NonFinite(NonFinite),
    /// The network learns nothing.
    Dead(Symptom),
    /// Anything else ends the run.
    Failed(TrainError),
}

impl<E: Into<TrainError>> From<E> for Interruption {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What is known of a validation.
#[derive(Default)]
struct Validated {
    batches: usize,
    errors: Vec<f64>,
    denoised: Denoised,
}

/// Why training pauses.
#[derive(Clone, Copy, PartialEq)]
enum Pause {
    /// A validation is due, or the run is over.
    Due,
    /// The run is asked to stop before that.
    Stopped,
}

impl Run<'_> {
    /// Trains to the end; `resumed` says that a checkpoint of the present state exists.
    pub fn complete(mut self, resumed: bool) -> Result<Outcome, TrainError> {
        if !resumed {
            self.save_checkpoint()?;
        }
        loop {
            match self.train_and_validate() {
                Ok((last, end)) => return self.into_outcome(last, end),
                Err(Interruption::Failed(error)) => {
                    self.report_left_out();
                    self.save_before_error(&error);
                    return Err(error);
                }
                Err(Interruption::NonFinite(what)) => self.roll_back(what)?,
                Err(Interruption::Dead(symptom)) => self.restart(symptom)?,
            }
        }
    }

    /// Saves what was learned before the data failed: they may be there again.
    fn save_before_error(&mut self, error: &TrainError) {
        let is_of_data = matches!(error, TrainError::Data(_) | TrainError::Dataset(_));
        if is_of_data && self.read_losses().is_ok() {
            // That the data are gone says more than that this failed too.
            let _ = self.save_checkpoint();
        }
    }

    fn into_outcome(self, last: Record, end: End) -> Result<Outcome, TrainError> {
        Ok(Outcome {
            last,
            best: self.state.best.unwrap_or(last),
            training_seconds: self.state.training_seconds,
            first_step_seconds: self.first_step_seconds.unwrap_or_default(),
            end,
            rollbacks: self.rollbacks,
            restarts: self.restarts,
            waits: self.waits,
            sent_bytes: self.stream.sent_bytes(),
            noisy: self.noisy.psnr,
            run_dir: self.store.path(),
            weights: match self.best_weights {
                Some(weights) => weights,
                None => self.learner.evaluation_weights(),
            },
            metadata: self.basis.metadata,
            device: self.learner.device().clone().inner(),
        })
    }

    /// Trains from the present state to the end of the run.
    fn train_and_validate(&mut self) -> Result<(Record, End), Interruption> {
        let (before, start) = (self.state.seconds, Instant::now());
        let first = self.state.batches * self.config.accumulate;
        let stream = self.stream.clone().after(first as u64);
        let mut stream = stream.iter();
        loop {
            let number = self.state.batches / self.validate_every + 1;
            let pause = self.train_interval(number, &mut stream)?;
            self.state.seconds = before + start.elapsed().as_secs_f64();
            if pause == Pause::Stopped {
                // Before the validation, which a run that continues does not count.
                self.save_checkpoint()?;
            }
            let train_loss = self.mean_loss();
            // Noted before the validation, during which a stop may still be asked for.
            let stopped = self.stop.is_stopped();
            let (record, is_constant) = self.validate(number, train_loss)?;
            let is_best = self
                .state
                .best
                .is_none_or(|best| record.is_better_than(&best));
            self.keep(&record, is_best)?;
            if pause == Pause::Due {
                // An estimated error below zero is as good as zero.
                self.learner.schedule_mut().observe(record.val_mse.max(0.0));
                self.state.since_best = if is_best {
                    0
                } else {
                    self.state.since_best + 1
                };
                self.state.losses.clear();
            }
            let symptom = match pause {
                Pause::Due => self.symptom(number, &record, is_constant),
                Pause::Stopped => None,
            };
            if pause == Pause::Due && symptom.is_none() {
                self.state.last = Some(record.errors());
                self.save_checkpoint()?;
            }
            (self.on_event)(Event::Validation(&record));
            if let Some(symptom) = symptom {
                return Err(Interruption::Dead(symptom));
            }
            match self.state.end(&self.config, self.max_images) {
                Some(end) => return Ok((record, end)),
                None if stopped => return Ok((record, End::Stopped)),
                None => {}
            }
        }
    }

    /// Trains until the next validation is due, or a stop.
    fn train_interval(
        &mut self,
        number: usize,
        stream: &mut Batches,
    ) -> Result<Pause, Interruption> {
        let images_per_step = self.config.images_per_step();
        let mut trained = self.state.losses.len();
        let mut done = trained * images_per_step;
        let left = self.max_images.saturating_sub(self.state.images) + done;
        let total = left.min(self.validate_every * images_per_step);
        let start = Instant::now();
        let (before, seconds_before) = (self.state.seconds, self.state.training_seconds);
        let (mut reported, mut read) = (start, start);
        let reading_waits = n2n_scratch::is_gpu(self.learner.device());
        loop {
            let counts_every_pixel = self.counts_every_pixel;
            let batches = stream
                .take(self.config.accumulate)
                .map(|batch| match batch {
                    Ok(batch) if counts_every_pixel && batch.mask.is_some() => {
                        Err(TrainError::HolesInLayers)
                    }
                    batch => Ok(batch?),
                });
            let step_start = Instant::now();
            let (loss, count) = self.learner.step(batches)?;
            self.pending.push(loss);
            let is_first = self.first_step_seconds.is_none();
            if is_first {
                self.learner.device().sync()?;
                self.first_step_seconds = Some(step_start.elapsed().as_secs_f64());
            }
            trained += 1;
            done += count;
            self.state.images += count;
            self.state.batches += 1;
            self.state.seconds = before + start.elapsed().as_secs_f64();

            let end = self.state.end(&self.config, self.max_images);
            let due = trained == self.validate_every || end.is_some();
            let stopped = self.stop.is_stopped();
            let checkpoint = self.is_multiple_of(self.config.checkpoint_every);
            let late = reported.elapsed() > REPORT_AFTER;
            let reads = is_first
                || self.is_multiple_of(REPORT_EVERY)
                || read.elapsed() > READ_AFTER
                || (late && !reading_waits);
            if reads || due || stopped || checkpoint {
                self.read_losses()?;
                read = Instant::now();
            }
            if reads || late || due || stopped || checkpoint {
                let loss = self.last_loss();
                reported = Instant::now();
                self.report_left_out();
                (self.on_event)(Event::Step(Step {
                    images: self.state.images,
                    step: self.state.batches,
                    loss,
                    lr: self.learner.lr(),
                    interval: Interval {
                        number,
                        images: done,
                        total,
                    },
                }));
            }
            if self.stop.is_aborted() {
                return Err(TrainError::Aborted.into());
            }
            self.state.training_seconds = seconds_before + start.elapsed().as_secs_f64();
            if due || stopped || checkpoint {
                self.check_weights()?;
            }
            if due {
                return Ok(Pause::Due);
            }
            if stopped {
                return Ok(Pause::Stopped);
            }
            if checkpoint {
                self.save_checkpoint()?;
            }
        }
    }

    /// Reports the scenes that could not be read since the last report.
    fn report_left_out(&mut self) {
        for reason in self.train.skipped() {
            if self.left_out.insert(reason.clone()) {
                (self.on_event)(Event::LeftOut(&reason));
            }
        }
    }

    fn is_multiple_of(&self, interval: usize) -> bool {
        self.state.batches.is_multiple_of(interval)
    }

    /// Reads the losses that are still on the device.
    fn read_losses(&mut self) -> Result<(), Interruption> {
        if !self.pending.is_empty() {
            let first = self.state.batches + 1 - self.pending.len();
            self.waits.losses += 1;
            let losses = read_vectors(std::mem::take(&mut self.pending))?;
            if let Some(index) = losses.iter().position(|loss| !loss.is_finite()) {
                return Err(self.non_finite(first + index, Found::Loss(losses[index])));
            }
            let bits = losses.iter().map(|loss| (*loss as f32).to_bits());
            self.state.losses.extend(bits);
        }
        Ok(())
    }

    /// The last loss that was read.
    fn last_loss(&self) -> f64 {
        let last = self.state.losses.last().copied();
        last.map_or(f64::NAN, |bits| f64::from(f32::from_bits(bits)))
    }

    /// Checks that every weight is finite, before one is validated or saved.
    fn check_weights(&self) -> Result<(), Interruption> {
        if self.learner.weights().values().all(is_finite) {
            return Ok(());
        }
        Err(self.non_finite(self.state.batches, Found::Weight))
    }

    fn non_finite(&self, step: usize, found: Found) -> Interruption {
        let lr = self.learner.lr();
        Interruption::NonFinite(NonFinite { step, found, lr })
    }

    /// Mean loss since the last validation.
    fn mean_loss(&self) -> f64 {
        let losses = &self.state.losses;
        let sum: f64 = losses
            .iter()
            .map(|bits| f64::from(f32::from_bits(*bits)))
            .sum();
        sum / losses.len() as f64
    }

    /// Saves everything that the run needs to continue.
    fn save_checkpoint(&mut self) -> Result<(), TrainError> {
        self.state.plateau = self.learner.schedule().plateau();
        self.state.metrics_bytes = self.store.metrics_bytes()?;
        let checkpoint = Checkpoint {
            state: self.state.clone(),
            basis: Some(self.basis.clone()),
            learner: self.learner.state()?,
        };
        self.store.save_checkpoint(checkpoint)
    }

    /// Validates the present weights; also tells whether outputs are constant.
    fn validate(&mut self, number: usize, train_loss: f64) -> Result<(Record, bool), Interruption> {
        let model = self.learner.evaluation_model();
        let validation = self.validation.clone();
        let mut so_far = Validated::default();
        let mut unread = Unread::default();
        let mut read = Instant::now();
        for batch in validation.iter() {
            let batch = batch?;
            // Structural similarity has no mask.
            let has_clean = self.reference == Reference::Clean;
            let clean = (has_clean && batch.mask.is_none()).then(|| batch.target.clone());
            unread.push(model.validate(batch), clean);
            if unread.is_full() || read.elapsed() > REPORT_AFTER {
                self.read_validation(number, &mut unread, &mut so_far)?;
                read = Instant::now();
            }
            if self.stop.is_aborted() {
                return Err(TrainError::Aborted.into());
            }
        }
        self.read_validation(number, &mut unread, &mut so_far)?;
        let Validated {
            errors, denoised, ..
        } = so_far;
        self.store
            .save_picture(self.state.batches, || self.gallery.png(denoised.shown()))?;
        let val_mse = errors.iter().sum::<f64>() / errors.len() as f64;
        if !val_mse.is_finite() {
            return Err(self.non_finite(self.state.batches, Found::Validation(val_mse)));
        }
        let is_constant = is_constant(self.gallery.inputs().zip(denoised.shown()));
        let record = Record {
            images: self.state.images,
            batches: self.state.batches,
            train_loss,
            val_mse,
            psnr: Psnr::of(&errors, self.reference).into(),
            ssim: denoised.ssim(),
            lr: self.learner.lr(),
            seconds: self.state.seconds,
        };
        Ok((record, is_constant))
    }

    /// Reads the results of batches from the device, and reports them.
    fn read_validation(
        &mut self,
        number: usize,
        unread: &mut Unread,
        so_far: &mut Validated,
    ) -> Result<(), TrainError> {
        if unread.is_empty() {
            return Ok(());
        }
        self.waits.validations += 1;
        for batch in unread.read()? {
            so_far.batches += 1;
            so_far.errors.extend(&batch.errors);
            (self.on_event)(Event::ValidationBatch(ValidationBatch {
                errors: &batch.errors,
                batch: so_far.batches,
                interval: Interval {
                    number,
                    images: so_far.errors.len(),
                    total: self.validation.num_items(),
                },
            }));
            so_far.denoised.add(batch);
        }
        Ok(())
    }

    /// Looks whether the network is dead or diverged, if the experiment cares.
    fn symptom(&self, number: usize, record: &Record, is_constant: bool) -> Option<Symptom> {
        if self.config.on_dead == OnDead::Ignore {
            return None;
        }
        let best = self.state.best.as_ref().unwrap_or(record).val_mse;
        let (before, noisy) = (self.state.last, self.noisy.mse);
        let place = [number, record.batches];
        symptom(place, record.errors(), before, best, noisy, is_constant)
    }

    /// Begins anew from other weights at half the learning rate, if the experiment says so.
    ///
    /// Weights that work are never given up, so that no seed is chosen among good ones.
    fn restart(&mut self, symptom: Symptom) -> Result<(), TrainError> {
        let restarts = self.state.restarts + 1;
        let remedy = match self.config.on_dead {
            OnDead::Restart if restarts <= MAX_RESTARTS => None,
            OnDead::Restart => Some("lower train.lr, set data.normalize or look at the images"),
            _ => Some("set train.on_dead = \"restart\", lower train.lr or set data.normalize"),
        };
        if let Some(remedy) = remedy {
            return Err(TrainError::Dead {
                symptom,
                restarts: self.state.restarts,
                remedy,
            });
        }
        self.learner = self.learner.restarted(restarts);
        let restart = Restart {
            restart: restarts,
            cause: symptom.to_string(),
            images: self.state.images,
            seed: seed_after(self.config.seed, restarts),
            lr: self.learner.schedule().lr(0),
        };
        self.store.restart(&restart)?;
        self.state = TrainingState {
            restarts,
            seconds: self.state.seconds,
            training_seconds: self.state.training_seconds,
            ..TrainingState::default()
        };
        self.best_weights = None;
        self.pending.clear();
        // At once, so that a run that is killed now does not go on with the dead network.
        self.save_checkpoint()?;
        (self.on_event)(Event::Restarted(&restart));
        self.restarts.push(restart);
        Ok(())
    }

    /// Saves a validation and its weights.
    fn keep(&mut self, record: &Record, is_best: bool) -> Result<(), TrainError> {
        let weights = self.learner.evaluation_weights();
        self.store
            .save_model("last", &weights, &self.basis.metadata)?;
        if is_best {
            self.store
                .save_model("best", &weights, &self.basis.metadata)?;
            self.state.best = Some(*record);
            self.best_weights = Some(weights);
        }
        self.store.record(record)
    }

    /// Saves the batch that led to NaN or infinity, and goes back to the last checkpoint at half the
    /// learning rate, if the experiment says so.
    fn roll_back(&mut self, what: NonFinite) -> Result<(), TrainError> {
        let dump = self
            .store
            .dump(&what, &self.stream, self.config.accumulate)?;
        let rollbacks = self.state.rollbacks + 1;
        let remedy = match self.config.on_nan {
            OnNan::Stop => Some("set train.on_nan = \"rollback\""),
            OnNan::Rollback if rollbacks > MAX_ROLLBACKS => Some("look at the images"),
            OnNan::Rollback => None,
        };
        let checkpoint = match remedy {
            None => self.store.newest_checkpoint()?,
            Some(_) => None,
        };
        let Some(mut checkpoint) = checkpoint else {
            let remedy = remedy.unwrap_or("start again");
            return Err(TrainError::NonFinite { what, remedy, dump });
        };
        checkpoint.state.rollbacks = rollbacks;
        // At once, so that a run that is killed now continues at this learning rate too.
        self.store.save_checkpoint(checkpoint.clone())?;
        let seconds = self.state.seconds;
        self.state = TrainingState {
            seconds,
            ..checkpoint.state
        };
        let (steps, images) = (self.state.batches, self.state.images);
        self.learner.restore(&checkpoint.learner, steps, images)?;
        self.pending.clear();
        self.learner
            .schedule_mut()
            .restore(self.state.plateau, rollbacks);
        let rollback = Rollback {
            cause: what,
            to_step: steps,
        };
        (self.on_event)(Event::RolledBack(&rollback));
        self.rollbacks.push(rollback);
        Ok(())
    }
}

fn is_finite(values: &TensorData) -> bool {
    values.iter::<f32>().all(f32::is_finite)
}
