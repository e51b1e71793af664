//! Progress on standard error, and how long it will take.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two lines.
const LINES: Duration = Duration::from_secs(2);

/// Time between two states of the line on a terminal.
const REDRAWS: Duration = Duration::from_millis(200);

/// Clears the line of a terminal and returns to its start.
const CLEAR: &str = "\r\x1b[K";

/// A line that is redrawn on a terminal, and written now and then elsewhere.
pub struct StatusLine {
    on_terminal: bool,
    interval: Duration,
    state: Mutex<State>,
}

struct State {
    shown: Instant,
    is_drawn: bool,
}

impl StatusLine {
    /// Starts with nothing shown: work that is over soon shows no line.
    pub fn new() -> Self {
        Self::with_lines_every(LINES)
    }

    /// Starts with nothing shown, and with this time between two lines elsewhere than on a terminal.
    pub fn with_lines_every(lines: Duration) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        Self {
            on_terminal,
            interval: if on_terminal { REDRAWS } else { lines },
            state: Mutex::new(State {
                shown: Instant::now(),
                is_drawn: false,
            }),
        }
    }

    /// Shows a line, unless the last one is recent.
    pub fn show(&self, line: impl FnOnce() -> String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.shown.elapsed() < self.interval {
            return;
        }
        state.shown = Instant::now();
        state.is_drawn = self.on_terminal;
        let (line, mut stderr) = (line(), std::io::stderr());
        // A closed terminal does not end the work.
        let _ = if self.on_terminal {
            write!(stderr, "{CLEAR}{line}").and_then(|()| stderr.flush())
        } else {
            writeln!(stderr, "{line}")
        };
    }

    /// Shows how many scenes were found.
    pub fn show_scenes(&self, scenes: usize) {
        self.show(|| format!("looking at images: {scenes} scenes so far"));
    }

    /// Clears the line for other text.
    pub fn clear(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut state.is_drawn) {
            let _ = write!(std::io::stderr(), "{CLEAR}");
        }
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The speed of work, and its remaining time.
pub struct Pace {
    start: Instant,
    before: usize,
    total: usize,
}

impl Pace {
    /// Starts now; `before` units of `total` were done earlier.
    pub fn new(total: usize, before: usize) -> Self {
        Self {
            start: Instant::now(),
            before,
            total,
        }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Units per second, with `done` units done.
    pub fn speed(&self, done: usize) -> f64 {
        done.saturating_sub(self.before) as f64 / self.seconds()
    }

    /// The remaining time as `ETA minutes:seconds`.
    pub fn eta(&self, done: usize) -> String {
        let left = self.total.saturating_sub(done) as f64 / self.speed(done);
        let seconds = left.round() as u64;
        format!("ETA {}:{:02}", seconds / 60, seconds % 60)
    }
}
