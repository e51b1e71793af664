//! Printing that a closed terminal, a closed pipe or a full disk does not end.
//!
//! These macros stand in for those of the standard library, which panic there: hours of work matter more
//! than a line that nobody reads. Standard output that finds no room is told at the end ([`lost`]).

use std::io;
use std::sync::OnceLock;

/// The first error of standard output that found no room.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// What went wrong with lines for standard output that somebody wanted to have: a file of them that the disk has
/// no room for. A reader that closed its pipe or terminal has seen enough.
pub fn lost() -> Option<&'static io::Error> {
    LOST.get()
}

/// Remembers a failure of standard output.
pub fn to_stdout(written: io::Result<()>) {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};

    if let Err(error) = written
        && matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
    {
        // Only the first one counts.
        let _ = LOST.set(error);
    }
}

/// Prints a line to standard output, if it can be written.
macro_rules! println {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        $crate::say::to_stdout(writeln!(std::io::stdout(), $($part)*));
    }};
}

/// Prints to standard output, if it can be written.
macro_rules! print {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        $crate::say::to_stdout(write!(std::io::stdout(), $($part)*));
    }};
}

/// Prints a line to standard error, if it can be written.
macro_rules! eprintln {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($part)*);
    }};
}
