//! The networks against PyTorch and against the reference's figures.

#![allow(clippy::unwrap_used)]

mod derivatives;
mod file;
mod golden;
mod simple_net;
mod trajectory;
mod unet;
mod wgpu;
