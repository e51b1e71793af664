//! The dashboard's terminal, in which Ctrl-C stops the run as it does elsewhere.
//!
//! burn-train's dashboard puts the terminal into raw mode, where Ctrl-C is a key like any other, and
//! one that it does not know.

#[cfg(unix)]
pub use unix::{Terminal, give_endless_input, is_gone};

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{IsTerminal, Write, pipe, stdout};
    use std::time::{Duration, Instant};

    use nix::libc::_POSIX_VDISABLE;
    use nix::sys::termios::{
        LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
    };
    use nix::unistd::dup2_stdin;

    /// Longest wait for the dashboard, which opens on another thread within milliseconds.
    const OPENS_WITHIN: Duration = Duration::from_secs(5);

    /// Time between two looks at whether it has.
    const LOOKS: Duration = Duration::from_millis(2);

    /// The mouse is no longer reported, the screen before the dashboard is back, and so is the
    /// cursor.
    const LEAVE: &str =
        "\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1049l\x1b[?25h";

    /// Whether the terminal that standard output was has been closed.
    pub fn is_gone() -> bool {
        !stdout().is_terminal()
    }

    /// Has reads of standard input wait for ever. From a closed terminal they return at once, and the dashboard's
    /// thread would try again and again.
    pub fn give_endless_input() {
        if let Ok((reader, writer)) = pipe()
            && dup2_stdin(reader).is_ok()
        {
            // An input whose other end is closed would end.
            std::mem::forget(writer);
        }
    }

    /// The terminal as it was before the dashboard.
    pub struct Terminal {
        file: File,
        before: Termios,
    }

    impl Terminal {
        /// The terminal of this process, before the dashboard opens; nothing if no keys of it can
        /// send signals here.
        pub fn before_dashboard() -> Option<Self> {
            let mut options = File::options();
            let file = options.read(true).write(true).open("/dev/tty").ok()?;
            let before = tcgetattr(&file).ok()?;
            Some(Self { file, before })
        }

        /// Waits for the dashboard, and has Ctrl-C send its signal again. The other keys that send
        /// one stay off: a suspended dashboard would leave its screen behind.
        ///
        /// # Errors
        /// When the terminal is gone.
        pub fn let_interrupt(&self) -> nix::Result<()> {
            let start = Instant::now();
            while start.elapsed() < OPENS_WITHIN {
                let mut modes = tcgetattr(&self.file)?;
                if !modes.local_flags.contains(LocalFlags::ICANON) {
                    modes.local_flags.insert(LocalFlags::ISIG);
                    for key in [
                        SpecialCharacterIndices::VQUIT,
                        SpecialCharacterIndices::VSUSP,
                    ] {
                        modes.control_chars[key as usize] = _POSIX_VDISABLE;
                    }
                    return tcsetattr(&self.file, SetArg::TCSANOW, &modes);
                }
                std::thread::sleep(LOOKS);
            }
            Ok(())
        }

        /// Puts everything back, for a process that ends while the dashboard is open.
        pub fn restore(&mut self) {
            // The process ends now: there is nobody to tell of an error.
            let _ = tcsetattr(&self.file, SetArg::TCSANOW, &self.before);
            let _ = self.file.write_all(LEAVE.as_bytes());
        }
    }
}

/// Elsewhere a terminal that is closed ends its processes.
#[cfg(not(unix))]
pub fn is_gone() -> bool {
    false
}

#[cfg(not(unix))]
pub fn give_endless_input() {}

/// Elsewhere Ctrl-C needs no help: nothing to do.
#[cfg(not(unix))]
pub struct Terminal;

#[cfg(not(unix))]
impl Terminal {
    pub fn before_dashboard() -> Option<Self> {
        None
    }

    pub fn let_interrupt(&self) -> std::io::Result<()> {
        Ok(())
    }

    pub fn restore(&mut self) {}
}
