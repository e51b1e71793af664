//! CPU kernels over plain slices, for the ops of `n2n-scratch`: no tensors, no backend.
//!
//! Images are channels-last, `[batch_size, height, width, channels]`, so that every kernel runs
//! along the channels with the widest vectors that the processor has, found at run time.

mod activation;

pub mod direct;
pub mod elementwise;
mod gemm;
mod images;
mod lanes;
pub mod layout;
mod output;
mod parallel;
pub mod pool;
mod vectors;
pub mod winograd;
mod workspace;

pub use activation::{Epilogue, Gradients, Saved};
pub use images::Images;
pub use parallel::threads;
