//! Hand-written Burn ops with explicit backward passes: convolutions by unfold and fold, on every
//! backend.
//!
//! Start reading at [`conv2d()`], then at the file of its gradients, `conv2d.rs`.

mod activation;
mod autodiff;
mod channels_last;
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

pub use functions::{
    conv_transpose2d, conv2d, conv2d_prelu, fold, max_pool2x2, mse, prelu, relu, sigmoid, unfold,
    upsampled_conv2d_prelu,
};
pub use geometry::{ConvGeometry, GeometryError};
pub use modules::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
pub use ops::ScratchOps;
pub use tiles::MAX_TILE_ELEMENTS;

/// The README's code is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
