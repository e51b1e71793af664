//! Sources, examples and batches together.

mod batches;
mod examples;
mod files;
mod find;
mod numbered;
mod open;
