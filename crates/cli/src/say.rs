//! Printing that a closed terminal, a closed pipe or a full disk does not end.
//!
//! These macros stand in for those of the standard library, which panic there: hours of work matter more
//! than a line that nobody reads.

/// Prints a line to standard output, if it can be written.
macro_rules! println {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($part)*);
    }};
}

/// Prints to standard output, if it can be written.
macro_rules! print {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stdout(), $($part)*);
    }};
}

/// Prints a line to standard error, if it can be written.
macro_rules! eprintln {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($part)*);
    }};
}
