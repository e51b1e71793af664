//! The networks against PyTorch and against the reference's figures.

#![allow(clippy::unwrap_used)]

mod file;
mod golden;
mod gradients;
mod graph;
mod implementations;
mod loss;
mod receptive_field;
mod simple_net;
mod trajectory;
mod unet;
mod wgpu;
