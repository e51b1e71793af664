//! Tensors for kernels to write to, and places in images.

use burn::backend::wgpu::CubeTensor;
use burn::tensor::Shape;
use burn_cubecl::cubecl::{self, prelude::*};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::ops::permute_nhwc_to_nchw;

/// A tensor without values, on the device of another.
pub(crate) fn empty(like: &CubeTensor, shape: Shape) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, shape, like.dtype)
}

/// Images without values, channels-last in memory.
pub(crate) fn empty_images(
    like: &CubeTensor,
    [images, channels, height, width]: [usize; 4],
) -> CubeTensor {
    permute_nhwc_to_nchw(empty(like, Shape::new([images, height, width, channels])))
}

/// A pixel of a batch.
#[derive(CubeType, Clone, Copy)]
#[expand(derive(Clone, Copy))]
pub(crate) struct Pixel {
    pub image: usize,
    pub row: usize,
    pub column: usize,
    /// Whether it lies inside of the images.
    pub inside: bool,
}

/// The place of a value of images `[batch_size, channels, height, width]`.
#[cube]
pub(crate) fn offset<F: Float>(
    tensor: &Tensor<F>,
    image: usize,
    channel: usize,
    row: usize,
    column: usize,
) -> usize {
    image * tensor.stride(0)
        + channel * tensor.stride(1)
        + row * tensor.stride(2)
        + column * tensor.stride(3)
}
