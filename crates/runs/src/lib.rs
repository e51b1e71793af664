//! Runs that are read from their folders, to be compared: under way, ended or killed, of this version or an earlier
//! one.
//!
//! [`find`] names the run directories of a sweep, [`Run::read`] reads one, [`variants`] says which runs differ in
//! their seed only and what to call them, [`Statistics`] what they came to, and [`plot`] draws
//! them. Nothing is changed in a folder.

mod error;
mod find;
mod labels;
mod natural;
pub mod plot;
mod report;
mod run;
mod statistics;
mod table;
#[cfg(test)]
mod testing;

pub use self::error::RunsError;
pub use self::find::find;
pub use self::labels::{Variant, labels, variants};
pub use self::natural::compare;
pub use self::report::report;
pub use self::run::{FINAL_SHARE, Run};
pub use self::statistics::Statistics;
pub use self::table::{Member, Row, Table};
