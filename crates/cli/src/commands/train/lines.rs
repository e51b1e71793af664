//! A run as plain lines, where there is no terminal for the dashboard.

use std::time::{Duration, Instant};

use n2n_data::quality::Psnr;
use n2n_train::Event;
use n2n_train::event::{Start, Step};

use crate::progress::Pace;

/// Time between two lines of an interval.
const INTERVAL: Duration = Duration::from_secs(2);

/// Scenes left out that are named; their number is told at the end.
const SHOWN: usize = 3;

/// Writes progress to standard error: images, loss, PSNR, learning rate, speed, time left.
pub struct ProgressLines {
    max_images: usize,
    pace: Pace,
    printed: Option<Instant>,
    last: Option<Step>,
    psnr: Option<Psnr>,
    /// What the validation measures.
    name: &'static str,
    left_out: usize,
}

impl ProgressLines {
    /// Starts with a run; `name` is that of what its validation measures.
    pub fn new(start: &Start, name: &'static str) -> Self {
        Self {
            max_images: start.max_images,
            pace: Pace::new(start.max_images, start.images),
            printed: None,
            last: None,
            psnr: None,
            name,
            left_out: 0,
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
            Event::LeftOut(reason) => {
                self.left_out += 1;
                if self.left_out <= SHOWN {
                    let line = format!("warning: {reason}; it is left out from now on");
                    eprintln!("{line}");
                }
            }
            Event::Restarted(restart) => {
                self.psnr = None;
                self.pace = Pace::new(self.max_images, 0);
                eprintln!("{restart}");
            }
            _ => {}
        }
    }

    fn print(&mut self) {
        let Some(step) = self.last else {
            return;
        };
        let name = self.name;
        let psnr = self.psnr.and_then(Psnr::db);
        let psnr = psnr.map_or_else(|| "-".to_owned(), |db| format!("{db:.2}"));
        eprintln!(
            "{}/{} images  loss {:.5}  {name} {psnr} dB  lr {:e}  {:.0} images/s  {}",
            step.images,
            self.max_images,
            step.loss,
            step.lr as f32,
            self.pace.speed(step.images),
            self.pace.eta(step.images),
        );
        self.printed = Some(Instant::now());
    }
}

/// The images done and those of the whole run, in the last line that says so.
pub fn images_in(lines: &str) -> Option<(usize, usize)> {
    lines.lines().rev().find_map(|line| {
        let (images, _) = line.split_once(" images ")?;
        let (done, total) = images.split_once('/')?;
        Some((done.parse().ok()?, total.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_back_from_the_last_line() {
        let lines = "12 images/s: the run takes 90 images\n\
                     16/90 images  loss 0.1  PSNR - dB  lr 1e-1  58 images/s  ETA 0:26\n\
                     32/90 images  loss 0.1  PSNR - dB  lr 1e-1  58 images/s  ETA 0:26\n\
                     warning: 3 images are left out\n48/9";
        assert_eq!(images_in(lines), Some((32, 90)));
        assert_eq!(images_in("looking at images"), None);
    }
}
