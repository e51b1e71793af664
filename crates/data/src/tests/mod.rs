//! Sources, examples and batches together.

mod arrays;
mod batches;
mod evaluation;
mod examples;
mod files;
mod find;
mod numbered;
mod open;
