//! Hand-written Burn ops with explicit backward passes.
//!
//! Start reading at [`ConvGeometry`]: the sizes, and the conditions under which they exist, that
//! every convolution and transposed convolution shares.

mod geometry;

pub use geometry::{ConvGeometry, GeometryError};
