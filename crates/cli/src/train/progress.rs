//! What a run shows where there is no terminal for the dashboard: one plain line at a time.

use std::collections::HashMap;
use std::io::Write;
use std::time::{Duration, Instant};

use burn::train::LearnerSummary;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};

use super::psnr::{PSNR, PSNR_ESTIMATE};

/// Time between two lines of one stretch.
const INTERVAL: Duration = Duration::from_secs(2);

/// Writes progress to standard error: images, loss, PSNR, learning rate, speed, time left.
pub struct ProgressLines {
    max_images: usize,
    names: HashMap<MetricId, String>,
    train: HashMap<String, f64>,
    valid: HashMap<String, f64>,
    training: bool,
    before_run: usize,
    before_stretch: usize,
    in_stretch: usize,
    start: Instant,
    printed: Option<Instant>,
}

impl ProgressLines {
    /// For a run over `max_images` images that starts now, after so many images of it, and so many
    /// up to its last validation.
    pub fn new(max_images: usize, (before_run, before_stretch): (usize, usize)) -> Self {
        Self {
            max_images,
            names: HashMap::new(),
            train: HashMap::new(),
            valid: HashMap::new(),
            training: true,
            before_run,
            before_stretch,
            in_stretch: 0,
            start: Instant::now(),
            printed: None,
        }
    }

    fn print(&mut self) {
        let images = self.before_stretch + self.in_stretch;
        let seconds = self.start.elapsed().as_secs_f64();
        let speed = images.saturating_sub(self.before_run) as f64 / seconds;
        let left = self.max_images.saturating_sub(images) as f64 / speed;
        let value = |values: &HashMap<String, f64>, name, digits| match values.get(name) {
            Some(value) => format!("{value:.digits$}"),
            None => "-".to_owned(),
        };
        // A terminal that is closed does not end the run.
        let _ = writeln!(
            std::io::stderr(),
            "{images}/{} images  loss {}  PSNR {} dB  lr {:e}  {speed:.0} images/s  ETA {}",
            self.max_images,
            value(&self.train, "Loss", 5),
            match self.valid.contains_key(PSNR) {
                true => value(&self.valid, PSNR, 2),
                false => value(&self.valid, PSNR_ESTIMATE, 2),
            },
            // A mean of equal rates has a rounding error in its last digits; f32 has not.
            self.train.get("Learning Rate").map_or(0.0, |lr| *lr as f32),
            minutes(left),
        );
        self.printed = Some(Instant::now());
    }

    fn named(&self, state: MetricState) -> Option<(String, f64)> {
        let MetricState::Numeric(entry, Some(value)) = state else {
            return None;
        };
        let name = self.names.get(&entry.metric_id)?.clone();
        Some((name, NumericEntry::current(&value)))
    }
}

/// `minutes:seconds` of a duration in seconds.
pub(crate) fn minutes(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

impl MetricsRendererTraining for ProgressLines {
    fn update_train(&mut self, state: MetricState) {
        self.train.extend(self.named(state));
    }

    fn update_valid(&mut self, state: MetricState) {
        self.valid.extend(self.named(state));
    }

    fn on_train_end(
        &mut self,
        _summary: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }
}

impl TrainingProgressLogger for ProgressLines {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {
        self.start = Instant::now();
    }

    fn start_split(&mut self, split: &str, _total_items: usize) {
        self.training = split == "train";
    }

    fn update_split(&mut self, items_processed: usize) {
        if self.training {
            self.in_stretch = items_processed;
            let due = |printed: Instant| printed.elapsed() >= INTERVAL;
            if self.printed.is_none_or(due) {
                self.print();
            }
        }
    }

    fn update_epoch(&mut self, _epoch: usize) {
        self.before_stretch += self.in_stretch;
        self.in_stretch = 0;
        self.print();
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {}

    fn log_event_training(&mut self, _event: String) {}
}

// A training run has no test split; burn-train's trait asks for one all the same.
impl MetricsRendererEvaluation for ProgressLines {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for ProgressLines {
    fn start_global_progress(&mut self, _total_tests: usize) {}

    fn start_test(&mut self, _name: &str, _total_items: usize) {}

    fn update_test_progress(&mut self, _items_processed: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _event: String) {}
}

impl MetricsRenderer for ProgressLines {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.names
            .insert(definition.metric_id, definition.name.to_string());
    }
}
