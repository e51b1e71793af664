//! Ctrl-C and the other signals that end a run.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use n2n_train::Stop;

use super::INTERRUPTED;
use super::terminal::Terminal;

/// Signals closer together than this count as one: a terminal that closes sends two.
const ONE_STOP: Duration = Duration::from_secs(1);

/// Handler of signals: the first one stops the run after the present step, which validates and saves;
/// another one ends the program at once.
pub struct Signals {
    received: Arc<AtomicBool>,
    terminal: Arc<Mutex<Option<Terminal>>>,
}

impl Signals {
    /// Installs the handler.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn handle(stop: &Stop) -> anyhow::Result<Self> {
        let received = Arc::new(AtomicBool::new(false));
        let terminal: Arc<Mutex<Option<Terminal>>> = Arc::default();
        let signals = Self {
            received: received.clone(),
            terminal: terminal.clone(),
        };
        let stop = stop.clone();
        let mut first: Option<Instant> = None;
        ctrlc::set_handler(move || match first {
            None => {
                first = Some(Instant::now());
                received.store(true, Ordering::Relaxed);
                stop.stop();
                if lock(&terminal).is_none() {
                    // The reader of these lines may be gone, which the signal may tell.
                    let _ = writeln!(
                        std::io::stderr(),
                        "stopping: validating and saving; once more to quit at once"
                    );
                }
            }
            Some(first) if first.elapsed() < ONE_STOP => {}
            Some(_) => {
                if let Some(terminal) = lock(&terminal).as_mut() {
                    terminal.restore();
                }
                std::process::exit(i32::from(INTERRUPTED));
            }
        })
        .context("cannot handle Ctrl-C")?;
        Ok(signals)
    }

    /// Returns whether a signal came.
    pub fn received(&self) -> bool {
        self.received.load(Ordering::Relaxed)
    }

    /// Tells the handler that a dashboard owns the screen of this terminal.
    pub fn guard_terminal(&self, guarded: Option<Terminal>) {
        *lock(&self.terminal) = guarded;
    }
}

fn lock(terminal: &Mutex<Option<Terminal>>) -> std::sync::MutexGuard<'_, Option<Terminal>> {
    terminal.lock().unwrap_or_else(PoisonError::into_inner)
}
