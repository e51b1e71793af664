//! Standard error while the dashboard owns the terminal.
//!
//! Lines on it would spoil the screen. And where the terminal is closed, writing to it fails, which
//! ratatui answers with a panic while it unwinds: the process would be aborted, and nothing saved.

#[cfg(unix)]
pub use unix::HeldBack;

#[cfg(unix)]
mod unix {
    use std::io::{IsTerminal, Read, Write, pipe, stderr};
    use std::os::fd::{AsFd, OwnedFd};
    use std::thread::JoinHandle;

    use nix::unistd::dup2_stderr;

    /// Keeps what is written to standard error, if that is a terminal, and writes it at the end.
    pub struct HeldBack {
        terminal: OwnedFd,
        reader: JoinHandle<Vec<u8>>,
    }

    impl HeldBack {
        /// Starts to hold back; nothing if standard error is no terminal, or the system refuses.
        pub fn start() -> Option<Self> {
            if !stderr().is_terminal() {
                return None;
            }
            let terminal = stderr().as_fd().try_clone_to_owned().ok()?;
            let (mut reader, writer) = pipe().ok()?;
            let read = move || {
                let mut text = Vec::new();
                // What was read before an error is shown.
                let _ = reader.read_to_end(&mut text);
                text
            };
            let reader = std::thread::spawn(read);
            // The pipe ends when standard error is the terminal again: there is no other writer then.
            dup2_stderr(writer).ok()?;
            Some(Self { terminal, reader })
        }

        /// Writes what was held back. A terminal that is gone does not matter.
        pub fn finish(self) {
            let _ = stderr().flush();
            if dup2_stderr(&self.terminal).is_ok()
                && let Ok(text) = self.reader.join()
            {
                let _ = stderr().write_all(&text);
            }
        }
    }
}

/// Elsewhere a terminal that is closed ends its processes.
#[cfg(not(unix))]
pub struct HeldBack;

#[cfg(not(unix))]
impl HeldBack {
    pub fn start() -> Option<Self> {
        None
    }

    pub fn finish(self) {}
}
