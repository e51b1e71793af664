//! Waits that say now and then how far they are.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A wait that is longer than this says how far it is, and so often.
const INTERVAL: Duration = Duration::from_secs(2);

/// A wait that says now and then how far it is.
pub struct Waiting {
    told: Mutex<Instant>,
}

impl Waiting {
    /// A wait that begins now.
    pub fn new() -> Self {
        Self {
            told: Mutex::new(Instant::now()),
        }
    }

    /// Writes a line to standard error, if there was none for two seconds.
    pub fn tell(&self, line: impl FnOnce() -> String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() > INTERVAL {
            *told = Instant::now();
            eprintln!("{}", line());
        }
    }
}
