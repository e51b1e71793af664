//! The ops on tensors in the host's memory: loops over slices in place of backend primitives.
//!
//! The versions over primitives compute the same for every other backend and element type, and are the oracle
//! of these.

// The ndarray backend is deprecated in favour of flex, and kept for comparison.
#![allow(deprecated)]

mod conv_block;
mod elementwise;
mod pool;
mod unfold;
mod values;

use burn::backend::Backend;
use burn::backend::flex::Flex;
use burn::backend::ndarray::{NdArray, NdArrayTensor};
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Element, read_sync};

pub(crate) use self::conv_block::{
    conv_block, conv_block_backward, conv_block_kept, convolution_backward, pooled_conv_block,
    pooled_conv_block_backward, pooled_conv_block_kept, upsampled_conv_block,
    upsampled_conv_block_backward, upsampled_conv_block_kept,
};
pub(crate) use self::elementwise::{mse, mse_backward, pointwise};
pub(crate) use self::pool::{max_pool2x2, max_pool2x2_backward};
pub(crate) use self::unfold::{fold, unfold};
use crate::ops::ScratchOps;

/// A backend whose tensors are in the host's memory.
pub(crate) trait Host: ScratchOps {
    /// The values of a tensor, in place; `None` if they are not contiguous f32.
    fn values(x: &FloatTensor<Self>) -> Option<&[f32]>;
}

impl Host for NdArray {
    fn values(x: &FloatTensor<Self>) -> Option<&[f32]> {
        match x {
            NdArrayTensor::F32(storage) => storage.view().to_slice(),
            _ => None,
        }
    }
}

impl Host for Flex {
    fn values(x: &FloatTensor<Self>) -> Option<&[f32]> {
        let layout = x.layout();
        let in_order = x.dtype() == DType::F32 && layout.is_contiguous();
        let start = layout.start_offset();
        in_order.then(|| &x.storage()[start..start + layout.num_elements()])
    }
}

/// A contiguous copy of the values of a tensor.
fn copy<B: Backend, E: Element>(x: FloatTensor<B>) -> Vec<E> {
    let data = read_sync(B::float_into_data(x));
    let data = data.unwrap_or_else(|error| unreachable!("the host's memory is readable: {error}"));
    let values = data.try_into_vec();
    values.unwrap_or_else(|error| unreachable!("the element type was matched: {error:?}"))
}
