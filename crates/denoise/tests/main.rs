//! The facade as a program uses it.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used)]

mod errors;
mod model;
mod parts;
mod rules;
mod tiled;
