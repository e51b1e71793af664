//! The networks against PyTorch and against the reference's figures.

#![allow(clippy::unwrap_used)]

mod file;
mod golden;
mod unet;
mod wgpu;
