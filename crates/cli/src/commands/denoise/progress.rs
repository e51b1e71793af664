//! How far it is, on standard error.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::super::train::minutes;

/// Time between two lines.
const LINES: Duration = Duration::from_secs(2);

/// Time between two states of the one line of a terminal.
const REDRAWS: Duration = Duration::from_millis(200);

/// Clears the line of a terminal and goes back to its start.
const CLEAR: &str = "\r\x1b[K";

/// Megapixels of files, done and to do.
pub struct Progress {
    files: usize,
    pixels: usize,
    finished: usize,
    done: usize,
    start: Instant,
    shown: Instant,
    on_terminal: bool,
    is_drawn: bool,
}

impl Progress {
    /// Nothing of so many files and pixels is done.
    pub fn new(files: usize, pixels: usize) -> Self {
        let now = Instant::now();
        Self {
            files,
            pixels,
            finished: 0,
            done: 0,
            start: now,
            shown: now,
            on_terminal: std::io::stderr().is_terminal(),
            is_drawn: false,
        }
    }

    /// So many pixels of the present file are done.
    pub fn at(&mut self, pixels: usize, name: &str) {
        let interval = match self.on_terminal {
            true => REDRAWS,
            false => LINES,
        };
        if self.shown.elapsed() < interval {
            return;
        }
        self.shown = Instant::now();
        let speed = (self.done + pixels) as f64 / self.start.elapsed().as_secs_f64();
        let left = self.pixels.saturating_sub(self.done + pixels) as f64 / speed;
        let line = format!(
            "{}/{} files  {:.1}/{:.1} MP  {:.2} MP/s  ETA {}  {name}",
            self.finished,
            self.files,
            megapixels(self.done + pixels),
            megapixels(self.pixels),
            speed / 1e6,
            minutes(left),
        );
        // A terminal that is closed does not end the work.
        let mut stderr = std::io::stderr();
        let _ = match self.on_terminal {
            true => write!(stderr, "{CLEAR}{line}").and_then(|()| stderr.flush()),
            false => writeln!(stderr, "{line}"),
        };
        self.is_drawn = self.on_terminal;
    }

    /// A file is over, and with it so many pixels.
    pub fn finish(&mut self, pixels: usize) {
        self.finished += 1;
        self.done += pixels;
    }

    /// Leaves the line free for something else.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            let _ = write!(std::io::stderr(), "{CLEAR}");
        }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}

/// Pixels in millions.
pub fn megapixels(pixels: usize) -> f64 {
    pixels as f64 / 1e6
}
