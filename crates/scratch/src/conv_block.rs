//! A 3x3 convolution of the networks with what stands around it: upsampling and joining before,
//! bias and PReLU after.
//!
//! The versions here are compositions of the other ops, for any backend and element type. On the CPU
//! in f32 they are the oracle of `n2n_kernels`, which never holds the upsampled or joined images.

use std::ops::Range;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Slice;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};

use crate::ConvGeometry;
use crate::activation::{prelu_alpha_backward, prelu_x_backward};
use crate::conv2d::{bias_backward, conv2d_weight_backward, conv2d_x_backward};
use crate::ops::ScratchOps;
use crate::unfold::full;

/// `x`; or `x`, to be doubled, and what is then joined to its channels.
pub(crate) type Inputs<B> = (FloatTensor<B>, Option<FloatTensor<B>>);

/// Weight `[channels_out, channels_in, 3, 3]`, bias `[channels_out]`, slope `[1]` or `[channels_out]`.
pub(crate) type Parameters<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// Stride 1, one row of zeros around the image.
pub(crate) fn geometry() -> ConvGeometry {
    ConvGeometry::new([3, 3])
        .unwrap_or_else(|error| unreachable!("no axis is zero: {error}"))
        .with_padding([[1, 1], [1, 1]])
}

/// `prelu(conv2d(x, weight) + bias, slope)`, where `x` may be `cat(upsample(x), skip)`.
pub(crate) fn conv_block<B: ScratchOps>(
    inputs: Inputs<B>,
    (weight, bias, slope): Parameters<B>,
) -> FloatTensor<B> {
    let z = pre_activation::<B>(joined::<B>(inputs), weight, bias);
    <B as ScratchOps>::prelu(z, slope)
}

/// Gradients of [`conv_block`] by inputs and parameters in their order.
pub(crate) fn conv_block_backward<B: ScratchOps>(
    inputs: Inputs<B>,
    (weight, bias, slope): Parameters<B>,
    output_grad: FloatTensor<B>,
) -> Vec<Option<FloatTensor<B>>> {
    let (x, skip) = inputs.clone();
    let joined = joined::<B>(inputs);
    let z = pre_activation::<B>(joined.clone(), weight.clone(), bias);
    let slopes = slope.shape()[0];
    let slope_grad = prelu_alpha_backward::<B>(z.clone(), output_grad.clone(), slopes);
    let z_grad = prelu_x_backward::<B>(z, slope, output_grad);
    let [_, _, height, width] = joined.shape().dims();
    let size = [height, width];
    let weight_grad = conv2d_weight_backward::<B>(joined, z_grad.clone(), geometry());
    let bias_grad = bias_backward::<B>(z_grad.clone());
    let joined_grad = conv2d_x_backward::<B>(weight, z_grad, geometry(), size);
    let mut gradients = match skip {
        None => vec![Some(joined_grad)],
        Some(skip) => {
            let channels = x.shape()[1];
            let part = |range: Range<usize>| {
                let mut slices = full(&joined_grad.shape());
                slices[1] = Slice::from(range);
                B::float_slice(joined_grad.clone(), &slices)
            };
            let skip_grad = part(channels..channels + skip.shape()[1]);
            let x_grad = B::interpolate_backward(x, part(0..channels), size, nearest());
            vec![Some(x_grad), Some(skip_grad)]
        }
    };
    gradients.extend([weight_grad, bias_grad, slope_grad].map(Some));
    gradients
}

fn joined<B: ScratchOps>((x, skip): Inputs<B>) -> FloatTensor<B> {
    let Some(skip) = skip else {
        return x;
    };
    let [_, _, height, width] = skip.shape().dims();
    B::float_cat(vec![B::interpolate(x, [height, width], nearest()), skip], 1)
}

fn pre_activation<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
) -> FloatTensor<B> {
    let [_, _, height, width] = x.shape().dims();
    let z = <B as ScratchOps>::conv2d(x, weight, geometry(), [height, width]);
    <B as ScratchOps>::add_bias(z, bias)
}

fn nearest() -> InterpolateOptions {
    InterpolateOptions::new(InterpolateMode::Nearest)
}
