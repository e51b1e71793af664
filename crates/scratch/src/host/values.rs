//! Tensors as slices.
//!
//! Results are stored channels-last and seen as `[batch_size, channels, height, width]`, so that one
//! op hands its images to the next as they are. Other layouts are copied first.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Shape, TensorData};
use n2n_kernels::{Images, layout};

use super::{Host, copy};

/// The values of a tensor, in place or copied in order.
pub(super) enum Values<B: Host> {
    There(FloatTensor<B>),
    Copied(Vec<f32>),
}

impl<B: Host> Values<B> {
    pub(super) fn new(x: FloatTensor<B>) -> Self {
        match B::values(&x) {
            Some(_) => Self::There(x),
            None => Self::Copied(copy::<B, f32>(x)),
        }
    }

    /// Of images `[batch_size, channels, height, width]`, channels-last.
    pub(super) fn images(x: FloatTensor<B>) -> Self {
        let last = B::float_permute(x.clone(), &[0, 2, 3, 1]);
        match (B::values(&last), B::values(&x)) {
            (Some(_), _) => Self::There(last),
            (None, Some(values)) => {
                let shape = x.shape().dims();
                Self::Copied(layout::channels_last(batch(shape), shape[1], values))
            }
            (None, None) => Self::Copied(copy::<B, f32>(last)),
        }
    }

    pub(super) fn get(&self) -> &[f32] {
        match self {
            Self::There(x) => B::values(x).unwrap_or_default(),
            Self::Copied(values) => values,
        }
    }
}

/// Channels-last values as `[batch_size, channels, height, width]`.
pub(super) fn images<B: Host>(
    values: Vec<f32>,
    shape: [usize; 4],
    device: &B::Device,
) -> FloatTensor<B> {
    let [batch_size, channels, height, width] = shape;
    let stored = Shape::new([batch_size, height, width, channels]);
    let x = B::float_from_data(TensorData::new(values, stored), device);
    B::float_permute(x, &[0, 3, 1, 2])
}

pub(super) fn tensor<B: Host>(
    values: Vec<f32>,
    shape: Shape,
    device: &B::Device,
) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(values, shape), device)
}

/// The size of images `[batch_size, channels, height, width]`.
pub(super) fn batch(shape: [usize; 4]) -> Images {
    let [batch_size, _, height, width] = shape;
    Images {
        batch_size,
        height,
        width,
    }
}
