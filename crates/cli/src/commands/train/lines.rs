//! A run as plain lines, where there is no terminal for the dashboard.

use std::io::Write;
use std::time::{Duration, Instant};

use n2n_data::quality::Psnr;
use n2n_train::Event;
use n2n_train::event::{Start, Step};

/// Time between two lines of an interval.
const INTERVAL: Duration = Duration::from_secs(2);

/// Writes progress to standard error: images, loss, PSNR, learning rate, speed, time left.
pub struct ProgressLines {
    max_images: usize,
    before_run: usize,
    start: Instant,
    printed: Option<Instant>,
    last: Option<Step>,
    psnr: Option<Psnr>,
}

impl ProgressLines {
    /// Starts with a run.
    pub fn new(start: &Start) -> Self {
        Self {
            max_images: start.max_images,
            before_run: start.images,
            start: Instant::now(),
            printed: None,
            last: None,
            psnr: None,
        }
    }

    /// Shows an event.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Step(step) => {
                self.last = Some(*step);
                let due = |printed: Instant| printed.elapsed() >= INTERVAL;
                if self.printed.is_none_or(due) {
                    self.print();
                }
            }
            Event::Validation(record) => {
                self.psnr = Some(record.psnr.into());
                self.print();
            }
            _ => {}
        }
    }

    fn print(&mut self) {
        let Some(step) = self.last else {
            return;
        };
        let seconds = self.start.elapsed().as_secs_f64();
        let speed = step.images.saturating_sub(self.before_run) as f64 / seconds;
        let left = self.max_images.saturating_sub(step.images) as f64 / speed;
        let psnr = self.psnr.and_then(Psnr::db);
        let psnr = psnr.map_or_else(|| "-".to_owned(), |db| format!("{db:.2}"));
        // A terminal that is closed does not end the run.
        let _ = writeln!(
            std::io::stderr(),
            "{}/{} images  loss {:.5}  PSNR {psnr} dB  lr {:e}  {speed:.0} images/s  ETA {}",
            step.images,
            self.max_images,
            step.loss,
            step.lr as f32,
            minutes(left),
        );
        self.printed = Some(Instant::now());
    }
}

/// Formats a duration in seconds as `minutes:seconds`.
pub(crate) fn minutes(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
