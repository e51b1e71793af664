//! The ops against four independent oracles: PyTorch's vectors, Burn's own ops, algebraic
//! properties and central differences.

#![allow(clippy::unwrap_used)]

mod conv_block;
mod golden;
mod gradcheck;
mod graph;
mod layers;
mod memory;
mod pairs;
mod properties;
mod shapes;
