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

/// Leaves alone what other programs leave alone: a hangup that is ignored since the start of the program, as
/// under `nohup`, and the signal of a file that grows beyond its limit, which becomes an error of the write.
///
/// To be called before the first thread starts: threads inherit what is held back.
#[cfg(unix)]
pub fn hold_back() {
    use nix::sys::signal::{SigSet, Signal};

    let mut held_back = SigSet::empty();
    held_back.add(Signal::SIGXFSZ);
    if ignores_hangups() {
        held_back.add(Signal::SIGHUP);
    }
    // Where the system refuses, signals do what they do without this.
    let _ = held_back.thread_block();
}

/// Elsewhere there are no such signals.
#[cfg(not(unix))]
pub fn hold_back() {}

/// Whether this process ignores hangups, where the system tells it: on Linux, by the mask of its ignored signals
/// in hexadecimal.
#[cfg(unix)]
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let hangup = 1 << (nix::sys::signal::Signal::SIGHUP as u32 - 1);
    mask.is_some_and(|mask| mask & hangup != 0)
}

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
