//! The ops against four independent oracles: PyTorch's vectors, Burn's own ops, algebraic
//! properties and central differences.

#![allow(clippy::unwrap_used)]

mod golden;

use burn::tensor::Device;

/// The CPU backends.
fn devices() -> [Device; 2] {
    #[allow(deprecated)]
    [Device::flex(), Device::ndarray()]
}
