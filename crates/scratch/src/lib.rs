//! Hand-written Burn ops with explicit backward passes: convolutions by unfold and fold, on every
//! backend.
//!
//! Start reading at [`conv2d()`], then at the file of its gradients, `conv2d.rs`. `ops.rs` is the table of all
//! ops: a new op is an entry there and a file, or a part of a file, with its maths.

#[macro_use]
mod table;

mod activation;
mod autodiff;
mod conv2d;
mod conv_block;
mod conv_transpose2d;
mod functions;
mod fused;
mod geometry;
mod gpu;
pub mod gradcheck;
mod graph;
mod host;
pub mod layers;
mod loss;
mod modules;
mod ops;
mod pairs;
mod pool;
mod tiles;
mod unfold;

pub use activation::{Activation, prelu, relu, sigmoid};
pub use conv_block::{BlockGradients, Convolution, Direction};
pub use functions::{
    conv_transpose2d, conv_transpose2d_activated, conv2d, conv2d_activated, fold,
    pooled_conv2d_activated, unfold, upsampled_conv2d_activated,
};
pub use fused::{has_fused_kernels, is_gpu};
pub use geometry::{ConvGeometry, GeometryError};
pub use graph::{Block, Graph, Head, Kernel, Place, Slope, Source};
pub use loss::{mse, mse_per_image};
pub use modules::{Conv2d, ConvTranspose2d};
pub use ops::ScratchOps;
pub use pairs::{ByteImages, PairPlace};
pub use pool::max_pool2x2;
pub use tiles::MAX_TILE_ELEMENTS;

/// The README's code is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
