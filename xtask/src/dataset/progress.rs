//! How far a download has come, on standard error.

use std::time::{Duration, Instant};

/// Often enough to see that something happens, seldom enough for a log file.
const INTERVAL: Duration = Duration::from_secs(2);

/// Prints a line every two seconds, over all files of a set.
pub struct Progress {
    /// Bytes of all files, where they are known.
    total: Option<u64>,
    /// Which file it is.
    label: String,
    /// Bytes of the files before this one.
    before: u64,
    started: Instant,
    last: Instant,
    received: u64,
}

impl Progress {
    pub fn new(total: Option<u64>) -> Self {
        let now = Instant::now();
        Self {
            total,
            label: String::new(),
            before: 0,
            started: now,
            last: now,
            received: 0,
        }
    }

    /// Another file begins, after `before` bytes of others.
    pub fn begin(&mut self, label: String, before: u64) {
        self.label = label;
        self.before = before;
    }

    /// `new` more bytes came, which makes `have` of this file, whose size may be known only now.
    pub fn advance(&mut self, new: u64, have: u64, size: Option<u64>) {
        if let Some(line) = self.line_at(Instant::now(), new, have, size) {
            self.say(&line);
        }
    }

    fn line_at(&mut self, now: Instant, new: u64, have: u64, size: Option<u64>) -> Option<String> {
        self.received += new;
        if now.duration_since(self.last) < INTERVAL {
            return None;
        }
        self.last = now;
        let speed = self.received as f64 / now.duration_since(self.started).as_secs_f64();
        Some(line(self.before + have, self.total.or(size), speed))
    }

    /// Prints `text` at once, as a line of its own.
    pub fn say(&self, text: &str) {
        eprintln!("{}: {text}", self.label);
    }
}

/// `speed` is in bytes per second.
fn line(have: u64, total: Option<u64>, speed: f64) -> String {
    let rate = format!("{:.1} MB/s", speed / 1e6);
    let Some(total) = total else {
        return format!("{}, {rate}", megabytes(have));
    };
    let left = total.saturating_sub(have) as f64 / speed;
    let left = if left.is_finite() {
        format!("{left:.0} s left")
    } else {
        "stalled".to_owned()
    };
    format!(
        "{} of {}, {rate}, {left}",
        megabytes(have),
        megabytes(total)
    )
}

/// A size in millions of bytes.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_how_fast_and_how_long() {
        assert_eq!(
            line(45_200_000, Some(170_052_171), 12_300_000.0),
            "45.2 MB of 170.1 MB, 12.3 MB/s, 10 s left"
        );
        assert_eq!(line(45_200_000, None, 1_000_000.0), "45.2 MB, 1.0 MB/s");
        assert_eq!(
            line(0, Some(1_000_000), 0.0),
            "0.0 MB of 1.0 MB, 0.0 MB/s, stalled"
        );
    }

    #[test]
    fn lines_come_at_intervals_also_over_many_small_files() {
        let mut progress = Progress::new(Some(10_000_000));
        let start = progress.started;
        let mut lines = vec![];
        for file in 0..10 {
            progress.begin(format!("{file}.png"), file * 1_000_000);
            let now = start + Duration::from_millis(500 * (file + 1));
            lines.extend(progress.line_at(now, 1_000_000, 1_000_000, None));
        }
        let expected = [
            "4.0 MB of 10.0 MB, 2.0 MB/s, 3 s left",
            "8.0 MB of 10.0 MB, 2.0 MB/s, 1 s left",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_size_that_only_the_server_knows_is_shown() {
        let mut progress = Progress::new(None);
        let now = progress.started + INTERVAL;
        let line = progress.line_at(now, 2_000_000, 3_000_000, Some(5_000_000));
        assert_eq!(line.unwrap(), "3.0 MB of 5.0 MB, 1.0 MB/s, 2 s left");
    }
}
