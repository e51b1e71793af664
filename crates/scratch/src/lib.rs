//! Hand-written Burn ops with explicit backward passes: convolutions by unfold and fold, on every
//! backend.
//!
//! Start reading at [`conv2d()`], then at the file of its gradients, `conv2d.rs`.

mod activation;
mod autodiff;
mod conv2d;
mod conv_block;
mod conv_transpose2d;
mod functions;
mod geometry;
pub mod gradcheck;
mod host;
pub mod layers;
mod loss;
mod modules;
mod ops;
mod pool;
mod tiles;
mod unfold;

pub use conv_block::{Convolution, Direction};
pub use functions::{
    Activation, conv_transpose2d, conv_transpose2d_activated, conv2d, conv2d_activated, fold,
    has_fused_kernels, max_pool2x2, mse, prelu, relu, sigmoid, unfold, upsampled_conv2d_activated,
};
pub use geometry::{ConvGeometry, GeometryError};
pub use modules::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
pub use ops::ScratchOps;
pub use tiles::MAX_TILE_ELEMENTS;

/// The README's code is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
