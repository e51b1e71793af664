//! The convolutions that are one op together with what surrounds them: the one place that decides.
//!
//! These are all without groups. In the host's memory their f32 values take the kernels of `n2n_kernels`, and other
//! element types the primitives of the backend; a graphics device has those of `n2n_gpu`, in f32 only.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, DispatchDevice, TensorMetadata};
use burn::tensor::{DType, Device, Tensor};

use crate::ConvGeometry;

/// Whether a device has kernels for convolutions together with their activations.
pub fn has_fused_kernels(device: &Device) -> bool {
    in_host_memory(device) || is_gpu(device)
}

/// Whether the tensors of a device are in the host's memory.
pub(crate) fn in_host_memory(device: &Device) -> bool {
    matches!(
        device.clone().inner().as_dispatch(),
        DispatchDevice::Flex(_) | DispatchDevice::NdArray(_)
    )
}

/// Whether a device is a graphics device, for which each launch of a kernel takes time.
pub fn is_gpu(device: &Device) -> bool {
    matches!(
        device.clone().inner().as_dispatch(),
        DispatchDevice::Cube(_)
    )
}

/// Whether a convolution of `x` is one op together with its bias and activation.
pub(crate) fn is_fused(x: &Tensor<4>, geometry: &ConvGeometry) -> bool {
    let device = x.device();
    let on_device = in_host_memory(&device) || (is_gpu(&device) && x.dtype() == DType::F32);
    geometry.groups() == 1 && on_device
}

/// Whether the CPU's kernels compute an op of these tensors, with these groups.
pub(crate) fn has_kernel<B: Backend>(tensors: &[&FloatTensor<B>], groups: &[usize]) -> bool {
    tensors.iter().all(|x| x.dtype() == DType::F32) && groups.iter().all(|&groups| groups == 1)
}
