//! The facade as a program uses it.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used)]

mod errors;
mod model;
mod rules;
mod tiled;
