//! Sources, examples and batches together.

use crate::{DataError, Opened};

mod arrays;
mod batches;
mod evaluation;
mod examples;
mod files;
mod find;
pub mod numbered;
mod on_device;
mod open;
mod regions;
mod series;
mod subsample;

/// The message of data that must not open.
fn error(opened: Result<Opened, DataError>) -> String {
    match opened {
        Ok(opened) => panic!("opened {}", opened.kind),
        Err(error) => error.to_string(),
    }
}
