//! GPU kernels in CubeCL, over the tensors of Burn's GPU backends: convolutions with what surrounds them
//! in the networks, and their gradients.
//!
//! A step of a small network takes a GPU as long as its launches, so a kernel does as much as it can: bias,
//! activation, pooling, upsampling and concatenation belong to the convolution. Nothing is tuned: the first step
//! compiles a few kernels and searches for none.
//!
//! Images are stored channels-last (NHWC) under shapes `[batch_size, channels, height, width]`; images in any
//! other order are read as they are.
//!
//! A cube has at most 256 units and 21 KiB of shared memory. WebGPU promises 256 units and 16 KiB only.
//!
//! Start at `conv3x3/mod.rs`.

#![allow(unsafe_code)] // Kernels are launched without checks; each launch says why it is sound.

pub mod activation;
pub mod conv3x3;
pub mod direct;
mod flat;
pub mod loss;
pub mod pairs;
mod parts;
mod sources;
mod tensors;

pub use self::flat::{Convolved, FlatGradients, Starts};
pub use self::tensors::view;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::Shape;
use burn_cubecl::ops::numeric::ones_client;

/// Weight, bias `[channels_out]` and slope `[1]` or `[channels_out]` of a convolution.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// The kernel: `[channels_out, channels_in, height, width]`, a transposed convolution's
    /// `[channels_in, channels_out, height, width]`.
    pub weight: CubeTensor,
    /// The bias.
    pub bias: CubeTensor,
    /// Factor of values that are not positive.
    pub slope: CubeTensor,
}

impl Parameters {
    /// A kernel without activation, for gradients, which do not depend on a bias.
    pub fn linear(weight: CubeTensor, channels_out: usize) -> Self {
        let ones = |count| {
            let (client, device) = (weight.client.clone(), weight.device.clone());
            ones_client(client, device, Shape::new([count]), weight.dtype)
        };
        Self {
            bias: ones(channels_out),
            slope: ones(1),
            weight,
        }
    }
}
