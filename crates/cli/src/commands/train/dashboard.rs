//! burn-train's terminal dashboard, fed with the events of a run.

use std::panic::{self, AssertUnwindSafe};

use burn::tensor::{Device, Tensor};
use burn::train::logger::TrainingProgressLogger;
use burn::train::metric::{LearningRateMetric, LossInput, LossMetric};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{MetricsRenderer, MetricsRendererTraining};
use n2n_data::quality::Reference;
use n2n_train::event::{Start, Step, ValidationBatch};
use n2n_train::{Event, Stop};

use super::held_back::HeldBack;
use super::metrics::{Gauge, PsnrMetric, metadata};
use super::signals::Signals;
use super::terminal::{Terminal, give_endless_input, is_gone};

/// Clears the terminal from the cursor on.
const CLEAR_BELOW: &str = "\r\x1b[J";

/// The dashboard: losses, PSNR, learning rate, progress. `q` asks how to stop.
pub struct Dashboard {
    /// Gone once a person killed the run, or closed the terminal.
    screen: Option<Screen>,
    /// Standard error, until the dashboard closes.
    errors: Option<HeldBack>,
    stop: Stop,
}

struct Screen {
    renderer: TuiMetricsRendererWrapper,
    loss: Gauge<LossMetric>,
    validation_loss: Gauge<LossMetric>,
    psnr: Gauge<PsnrMetric>,
    lr: Gauge<LearningRateMetric>,
    validates: bool,
    /// Number of the present interval, from 1; 0 before the first.
    interval: usize,
}

impl Dashboard {
    /// Opens the dashboard on the terminal of this process.
    pub fn open(start: &Start, signals: &Signals, reference: Reference) -> Self {
        let terminal = Terminal::before_dashboard();
        let errors = HeldBack::start();
        let renderer = TuiMetricsRendererWrapper::new(signals.stop.interrupter(), None);
        signals.guard_terminal(terminal.filter(|terminal| terminal.let_interrupt().is_ok()));
        let mut screen = Screen {
            renderer,
            loss: Gauge::new(LossMetric::new()),
            validation_loss: Gauge::new(LossMetric::new()),
            psnr: Gauge::new(PsnrMetric::new(reference)),
            lr: Gauge::new(LearningRateMetric::new()),
            validates: false,
            interval: 0,
        };
        screen.start(start.validations);
        Self {
            screen: Some(screen),
            errors,
            stop: signals.stop.clone(),
        }
    }

    /// Shows an event.
    ///
    /// burn-train's `q`, `k` makes the dashboard panic in the next call to it. That ends the run here,
    /// without saving. A run whose terminal is gone goes on without the dashboard.
    pub fn show(&mut self, event: &Event) {
        if is_gone() {
            self.close();
        }
        let Some(screen) = &mut self.screen else {
            return;
        };
        let shown = panic::catch_unwind(AssertUnwindSafe(|| screen.show(event)));
        if shown.is_err() {
            self.stop.abort();
            self.close();
            // burn-train leaves a line on the restored screen.
            print!("{CLEAR_BELOW}");
        }
    }

    fn close(&mut self) {
        if is_gone() {
            self.abandon();
            return;
        }
        let screen = self.screen.take();
        // After a kill the renderer panics while it is dropped, too.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(screen)));
        if let Some(errors) = self.errors.take() {
            errors.finish();
        }
    }

    /// Leaves a screen whose terminal is gone to itself. burn-train's thread may read from the terminal without
    /// end, so that nobody can wait for it. Standard error stays held back: what that thread writes as it fails
    /// must arrive somewhere.
    fn abandon(&mut self) {
        if let Some(screen) = self.screen.take() {
            give_endless_input();
            std::mem::forget(screen);
        }
        std::mem::forget(self.errors.take());
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.close();
    }
}

impl Screen {
    fn start(&mut self, validations: usize) {
        for definition in [
            self.loss.definition(),
            self.psnr.definition(),
            self.lr.definition(),
        ] {
            self.renderer.register_metric(definition);
        }
        self.renderer.start(validations, 1, None, None);
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Step(step) => self.step(step),
            Event::ValidationBatch(batch) => self.validation_batch(batch),
            Event::Validation(_) => self.end_validation(),
            Event::RolledBack(_) | Event::Restarted(_) => {
                // The interval starts again, also if its validation was under way.
                self.validates = false;
                self.interval = 0;
            }
            _ => {}
        }
    }

    fn step(&mut self, step: &Step) {
        if self.interval != step.interval.number {
            self.interval = step.interval.number;
            self.renderer.start_split("train", step.interval.total);
        }
        let metadata = metadata(
            step.interval.images,
            step.interval.total,
            step.step,
            Some(step.lr),
        );
        let states = [
            self.loss.update(&loss_input(&[step.loss]), &metadata),
            self.lr.update(&(), &metadata),
        ];
        for state in states.into_iter().flatten() {
            self.renderer.update_train(state);
        }
        self.renderer.update_split(step.interval.images);
        self.renderer.log_event_training("Iteration".to_owned());
    }

    fn validation_batch(&mut self, batch: &ValidationBatch) {
        if !self.validates {
            self.validates = true;
            for state in [self.loss.finish(), self.lr.finish()].into_iter().flatten() {
                self.renderer.update_train(state);
            }
            self.renderer.end_split();
            self.renderer.start_split("valid", batch.interval.total);
        }
        let metadata = metadata(
            batch.interval.images,
            batch.interval.total,
            batch.batch,
            None,
        );
        let states = [
            self.validation_loss
                .update(&loss_input(batch.errors), &metadata),
            self.psnr.update(&batch.errors.to_vec(), &metadata),
        ];
        for state in states.into_iter().flatten() {
            self.renderer.update_valid(state);
        }
        self.renderer.update_split(batch.interval.images);
        self.renderer.log_event_training("Iteration".to_owned());
    }

    fn end_validation(&mut self) {
        self.validates = false;
        let states = [self.validation_loss.finish(), self.psnr.finish()];
        for state in states.into_iter().flatten() {
            self.renderer.update_valid(state);
        }
        self.renderer.end_split();
        self.renderer.update_epoch(self.interval);
    }
}

/// Losses as burn-train's metric takes them.
fn loss_input(losses: &[f64]) -> LossInput {
    LossInput::new(Tensor::from_data(losses, &Device::flex()))
}
