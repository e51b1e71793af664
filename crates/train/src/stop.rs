//! Asking a run to stop, from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::train::Interrupter;

/// Handle that stops a run: clone it into a signal handler, a window or burn-train's dashboard.
#[derive(Clone, Default)]
pub struct Stop {
    interrupter: Interrupter,
    aborted: Arc<AtomicBool>,
}

impl Stop {
    /// Makes a handle that has not been used.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to end after the present step, to validate and to save.
    pub fn stop(&self) {
        self.interrupter.stop(None);
    }

    /// Asks the run to end after the present batch, without validating and saving: it then ends with
    /// [`TrainError::Aborted`](crate::TrainError::Aborted), and its last checkpoint stays.
    pub fn abort(&self) {
        self.aborted.store(true, Ordering::Relaxed);
    }

    /// Returns burn-train's handle for the same stop, as its dashboard takes it.
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// Returns whether the run is to end.
    pub fn is_stopped(&self) -> bool {
        self.interrupter.should_stop()
    }

    /// Returns whether the run is to end without saving.
    pub fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Relaxed)
    }
}
