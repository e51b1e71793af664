//! Signals during a run: the first one stops it after the present step, which validates and saves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use n2n_train::Stop;

use super::terminal::Terminal;
use crate::signals;

/// Handler of signals that knows of the dashboard.
pub struct Signals {
    /// Stops the run: for signals, and for the dashboard.
    pub stop: Stop,
    received: Arc<AtomicBool>,
    terminal: Arc<Mutex<Option<Terminal>>>,
}

impl Signals {
    /// Installs the handler.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn handle() -> anyhow::Result<Self> {
        let stop = Stop::new();
        let terminal: Arc<Mutex<Option<Terminal>>> = Arc::default();
        let (asked, [first, last]) = (stop.clone(), [terminal.clone(), terminal.clone()]);
        let received = signals::handle(
            move || {
                asked.stop();
                if lock(&first).is_none() {
                    eprintln!("stopping: validating and saving; once more to quit at once");
                }
            },
            move || {
                if let Some(terminal) = lock(&last).as_mut() {
                    terminal.restore();
                }
            },
        )?;
        Ok(Self {
            stop,
            received,
            terminal,
        })
    }

    /// Returns whether a signal came.
    pub fn received(&self) -> bool {
        self.received.load(Ordering::Relaxed)
    }

    /// Returns the flag that a signal sets.
    pub fn flag(&self) -> &AtomicBool {
        &self.received
    }

    /// Tells the handler that a dashboard owns the screen of this terminal.
    pub fn guard_terminal(&self, guarded: Option<Terminal>) {
        *lock(&self.terminal) = guarded;
    }
}

fn lock(terminal: &Mutex<Option<Terminal>>) -> MutexGuard<'_, Option<Terminal>> {
    terminal.lock().unwrap_or_else(PoisonError::into_inner)
}
