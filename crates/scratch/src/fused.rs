//! The ops that the CPU's kernels compute: the one place that decides.
//!
//! In the host's memory, a convolution without groups is one op together with what surrounds it. Its f32
//! values take the kernels of `n2n_kernels`; other element types take the primitives of the backend, as
//! everything does on other devices.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, DispatchDevice, TensorMetadata};
use burn::tensor::{DType, Device, Tensor};

use crate::ConvGeometry;

/// Whether a device has kernels for convolutions together with their activations: the CPU.
pub fn has_fused_kernels(device: &Device) -> bool {
    matches!(
        device.clone().inner().as_dispatch(),
        DispatchDevice::Flex(_) | DispatchDevice::NdArray(_)
    )
}

/// Whether a convolution of `x` is one op together with its bias and activation.
pub(crate) fn is_fused(x: &Tensor<4>, geometry: &ConvGeometry) -> bool {
    geometry.groups() == 1 && has_fused_kernels(&x.device())
}

/// Whether the CPU's kernels compute an op of these tensors, with these groups.
pub(crate) fn has_kernel<B: Backend>(tensors: &[&FloatTensor<B>], groups: &[usize]) -> bool {
    tensors.iter().all(|x| x.dtype() == DType::F32) && groups.iter().all(|&groups| groups == 1)
}
