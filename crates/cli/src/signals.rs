//! Ctrl-C and the other signals that end a command.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

/// A shell's code for a program that ended on Ctrl-C: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// Signals closer together than this count as one: a terminal that closes sends two.
const ONE_STOP: Duration = Duration::from_secs(1);

/// The exit code of an interrupted command.
pub fn interrupted() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}

/// Handles signals: the first one sets the flag that is returned, and calls `first`; another one calls
/// `before_exit`, and ends the program at once.
///
/// # Errors
/// When the system refuses.
pub fn handle(
    mut first: impl FnMut() + Send + 'static,
    mut before_exit: impl FnMut() + Send + 'static,
) -> anyhow::Result<Arc<AtomicBool>> {
    let received = Arc::new(AtomicBool::new(false));
    let flag = received.clone();
    let mut since: Option<Instant> = None;
    ctrlc::set_handler(move || match since {
        None => {
            since = Some(Instant::now());
            flag.store(true, Ordering::Relaxed);
            first();
        }
        Some(since) if since.elapsed() < ONE_STOP => {}
        Some(_) => {
            before_exit();
            std::process::exit(i32::from(INTERRUPTED));
        }
    })
    .context("cannot handle Ctrl-C")?;
    Ok(received)
}
