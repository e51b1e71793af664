//! Tensors for kernels to write to, and places in images.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::{self, prelude::*};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::ops::permute_nhwc_to_nchw;

/// Elements from a multiple of which on a [`view`] is possible.
pub(crate) const ALIGNMENT: usize = 64;

/// A tensor without values, on the device of another and of its element type.
pub(crate) fn empty(like: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_as(like, shape, like.dtype)
}

fn empty_as(like: &CubeTensor, shape: Shape, dtype: DType) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, shape, dtype)
}

/// Elements of a vector as a tensor, in the vector's memory.
///
/// Devices bind buffers from multiples of some number of bytes, at most 256, on.
///
/// # Panics
/// If they are not elements of the vector, or start at no multiple of 64.
pub fn view(vector: &CubeTensor, start: usize, shape: Shape) -> CubeTensor {
    let (end, all) = (start + shape.num_elements(), vector.shape().num_elements());
    assert!(
        end <= all,
        "expected elements below {all}, got {start}..{end}"
    );
    assert!(
        start.is_multiple_of(ALIGNMENT),
        "expected a multiple of {ALIGNMENT}, got {start}"
    );
    let bytes = |elements: usize| (elements * vector.dtype.size()) as u64;
    let handle = vector.handle.clone();
    let handle = handle
        .offset_start(bytes(start))
        .offset_end(bytes(all - end));
    let (client, device) = (vector.client.clone(), vector.device.clone());
    CubeTensor::new_contiguous(client, device, shape, handle, vector.dtype)
}

/// Images without values, channels-last in memory, on the device of another tensor and of its element type.
pub(crate) fn empty_images(like: &CubeTensor, shape: [usize; 4]) -> CubeTensor {
    empty_images_as(like, shape, like.dtype)
}

/// The same of another element type.
pub(crate) fn empty_images_as(
    like: &CubeTensor,
    [images, channels, height, width]: [usize; 4],
    dtype: DType,
) -> CubeTensor {
    let shape = Shape::new([images, height, width, channels]);
    permute_nhwc_to_nchw(empty_as(like, shape, dtype))
}

/// The element types of tensors, as kernels ask for them.
pub(crate) fn types<const N: usize>(tensors: [&CubeTensor; N]) -> [ElemType; N] {
    tensors.map(|tensor| dtype_to_storage_type(tensor.dtype))
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

/// The place of an element of images, counted with the channels first.
#[cube]
pub(crate) fn place<F: Float>(images: &Tensor<F>, at: usize) -> usize {
    let (channels, height, width) = (images.shape(1), images.shape(2), images.shape(3));
    let pixel = at / channels;
    let line = pixel / width;
    offset(
        images,
        line / height,
        at % channels,
        line % height,
        pixel % width,
    )
}
