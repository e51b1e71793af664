//! A convolution of the networks together with the ops around it: upsampling and concatenation before, bias
//! and PReLU after.
//!
//! The versions here are compositions of the other ops, for any backend and element type. On the CPU
//! in f32 they are the oracle of `n2n_kernels`, which never stores the upsampled or concatenated images.

use std::ops::Range;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType, TensorMetadata};
use burn::tensor::Slice;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};

use crate::ConvGeometry;
use crate::activation::{prelu_alpha_backward, prelu_x_backward};
use crate::conv_transpose2d::{conv_transpose2d_weight_backward, conv_transpose2d_x_backward};
use crate::conv2d::{bias_backward, conv2d_weight_backward, conv2d_x_backward};
use crate::ops::{ScratchOps, size};
use crate::unfold::full;

/// `x`; or `x`, to be upsampled by 2, and the images that are concatenated to it.
pub(crate) type Inputs<B> = (FloatTensor<B>, Option<FloatTensor<B>>);

/// Weight, bias `[channels_out]`, slope `[1]` or `[channels_out]`.
pub(crate) type Parameters<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// Direction of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// As [`crate::conv2d()`].
    Forward,
    /// As [`crate::conv_transpose2d()`].
    Transposed,
}

/// The linear part of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Forward or transposed.
    pub direction: Direction,
    /// Kernel, stride, padding, dilation and groups.
    pub geometry: ConvGeometry,
    /// Height and width of the output.
    pub size: [usize; 2],
}

impl Convolution {
    /// A 3x3 kernel, stride 1, one row of zeros around images of `size`.
    pub(crate) fn same3x3(size: [usize; 2]) -> Self {
        let geometry = ConvGeometry::new([3, 3])
            .unwrap_or_else(|error| unreachable!("no axis is zero: {error}"))
            .with_padding([[1, 1], [1, 1]]);
        Self {
            direction: Direction::Forward,
            geometry,
            size,
        }
    }
}

/// Gradients of a block by its tensors.
#[derive(Debug, ExtensionType)]
#[extension_type(fusion)]
pub enum BlockGradients<B: Backend> {
    /// By the parameters.
    Parameters {
        /// By the weight.
        weight: FloatTensor<B>,
        /// By the bias.
        bias: FloatTensor<B>,
        /// By the slope.
        slope: FloatTensor<B>,
    },
    /// By `x` and the parameters.
    WithInput {
        /// By `x`.
        x: FloatTensor<B>,
        /// By the weight.
        weight: FloatTensor<B>,
        /// By the bias.
        bias: FloatTensor<B>,
        /// By the slope.
        slope: FloatTensor<B>,
    },
    /// By `x`, `skip` and the parameters.
    WithInputs {
        /// By `x`.
        x: FloatTensor<B>,
        /// By `skip`.
        skip: FloatTensor<B>,
        /// By the weight.
        weight: FloatTensor<B>,
        /// By the bias.
        bias: FloatTensor<B>,
        /// By the slope.
        slope: FloatTensor<B>,
    },
}

impl<B: Backend> BlockGradients<B> {
    /// Those by the parameters, and as many of the inputs' as there are.
    pub(crate) fn new(
        x: Option<FloatTensor<B>>,
        skip: Option<FloatTensor<B>>,
        (weight, bias, slope): Parameters<B>,
    ) -> Self {
        match (x, skip) {
            (Some(x), Some(skip)) => Self::WithInputs {
                x,
                skip,
                weight,
                bias,
                slope,
            },
            (Some(x), None) => Self::WithInput {
                x,
                weight,
                bias,
                slope,
            },
            (None, _) => Self::Parameters {
                weight,
                bias,
                slope,
            },
        }
    }

    /// In the order of a block's arguments: `inputs` of them, weight, bias and slope.
    pub(crate) fn into_arguments(self, inputs: usize) -> Vec<Option<FloatTensor<B>>> {
        let (x, skip, (weight, bias, slope)) = self.into_parts();
        let inputs = [x, skip].into_iter().take(inputs);
        inputs.chain([weight, bias, slope].map(Some)).collect()
    }

    /// Those by `x` and `skip`, as far as there are any, and by the parameters.
    pub(crate) fn into_parts(
        self,
    ) -> (
        Option<FloatTensor<B>>,
        Option<FloatTensor<B>>,
        Parameters<B>,
    ) {
        match self {
            Self::Parameters {
                weight,
                bias,
                slope,
            } => (None, None, (weight, bias, slope)),
            Self::WithInput {
                x,
                weight,
                bias,
                slope,
            } => (Some(x), None, (weight, bias, slope)),
            Self::WithInputs {
                x,
                skip,
                weight,
                bias,
                slope,
            } => (Some(x), Some(skip), (weight, bias, slope)),
        }
    }
}

/// See [`ScratchOps::conv_block`].
pub(crate) fn conv_block<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    convolution: Convolution,
) -> FloatTensor<B> {
    conv_block_kept::<B>(x, weight, bias, slope, convolution).0
}

/// See [`ScratchOps::conv_block_kept`]: `z` is kept.
pub(crate) fn conv_block_kept<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    convolution: Convolution,
) -> (FloatTensor<B>, FloatTensor<B>) {
    block::<B>((x, None), (weight, bias, slope), convolution)
}

/// See [`ScratchOps::conv_block_backward`].
#[allow(clippy::too_many_arguments)] // As the op.
pub(crate) fn conv_block_backward<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    _bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    kept: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    convolution: Convolution,
    [x_wanted, _]: [bool; 2],
) -> BlockGradients<B> {
    let wanted = [x_wanted, false];
    block_backward::<B>(
        (x, None),
        (weight, slope),
        (kept, output_grad),
        convolution,
        wanted,
    )
}

/// See [`ScratchOps::pooled_conv_block`].
pub(crate) fn pooled_conv_block<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
) -> FloatTensor<B> {
    pooled_conv_block_kept::<B>(x, weight, bias, slope).0
}

/// See [`ScratchOps::pooled_conv_block_kept`]: `z` is kept.
pub(crate) fn pooled_conv_block_kept<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let convolution = Convolution::same3x3(size::<B>(&x));
    let (y, z) = block::<B>((x, None), (weight, bias, slope), convolution);
    (<B as ScratchOps>::max_pool2x2(y), z)
}

/// See [`ScratchOps::pooled_conv_block_backward`].
#[allow(clippy::too_many_arguments)] // As the op.
pub(crate) fn pooled_conv_block_backward<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    kept: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    wanted: [bool; 2],
) -> BlockGradients<B> {
    let convolution = Convolution::same3x3(size::<B>(&x));
    let y = <B as ScratchOps>::prelu(kept.clone(), slope.clone());
    let grad = <B as ScratchOps>::max_pool2x2_backward(y, output_grad);
    conv_block_backward::<B>(x, weight, bias, slope, kept, grad, convolution, wanted)
}

/// See [`ScratchOps::upsampled_conv_block`].
pub(crate) fn upsampled_conv_block<B: ScratchOps>(
    x: FloatTensor<B>,
    skip: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
) -> FloatTensor<B> {
    upsampled_conv_block_kept::<B>(x, skip, weight, bias, slope).0
}

/// See [`ScratchOps::upsampled_conv_block_kept`]: `z` is kept.
pub(crate) fn upsampled_conv_block_kept<B: ScratchOps>(
    x: FloatTensor<B>,
    skip: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let convolution = Convolution::same3x3(size::<B>(&skip));
    block::<B>((x, Some(skip)), (weight, bias, slope), convolution)
}

/// See [`ScratchOps::upsampled_conv_block_backward`].
#[allow(clippy::too_many_arguments)] // As the op.
pub(crate) fn upsampled_conv_block_backward<B: ScratchOps>(
    x: FloatTensor<B>,
    skip: FloatTensor<B>,
    weight: FloatTensor<B>,
    _bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    kept: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    [x_wanted, skip_wanted, _]: [bool; 3],
) -> BlockGradients<B> {
    let convolution = Convolution::same3x3(size::<B>(&skip));
    block_backward::<B>(
        (x, Some(skip)),
        (weight, slope),
        (kept, output_grad),
        convolution,
        [x_wanted, skip_wanted],
    )
}

/// `prelu(z, slope)` and `z = convolution(x, weight) + bias`, where `x` may be `cat(upsample(x), skip)`.
fn block<B: ScratchOps>(
    inputs: Inputs<B>,
    (weight, bias, slope): Parameters<B>,
    convolution: Convolution,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let z = pre_activation::<B>(concatenated::<B>(inputs), weight, bias, convolution);
    (<B as ScratchOps>::prelu(z.clone(), slope), z)
}

/// Gradients of [`block`], given `z` and the gradient of its output; those by `x` and `skip` if wanted.
fn block_backward<B: ScratchOps>(
    inputs: Inputs<B>,
    (weight, slope): (FloatTensor<B>, FloatTensor<B>),
    (z, output_grad): (FloatTensor<B>, FloatTensor<B>),
    convolution: Convolution,
    [x_wanted, skip_wanted]: [bool; 2],
) -> BlockGradients<B> {
    let (x, skip) = inputs.clone();
    let concatenated = concatenated::<B>(inputs);
    let slopes = slope.shape()[0];
    let slope_grad = prelu_alpha_backward::<B>(z.clone(), output_grad.clone(), slopes);
    let z_grad = prelu_x_backward::<B>(z, slope, output_grad);
    let size = size::<B>(&concatenated);
    let (concatenated_grad, weight_grad, bias_grad) =
        B::convolution_backward(concatenated, weight, z_grad, convolution);
    let (x_grad, skip_grad) = match skip {
        None => (concatenated_grad, None),
        Some(skip) => {
            let channels = x.shape()[1];
            let part = |range: Range<usize>| {
                let mut slices = full(&concatenated_grad.shape());
                slices[1] = Slice::from(range);
                B::float_slice(concatenated_grad.clone(), &slices)
            };
            let skip_grad = part(channels..channels + skip.shape()[1]);
            let x_grad = B::interpolate_backward(x, part(0..channels), size, nearest());
            (x_grad, Some(skip_grad))
        }
    };
    BlockGradients::new(
        x_wanted.then_some(x_grad),
        skip_grad.filter(|_| skip_wanted),
        (weight_grad, bias_grad, slope_grad),
    )
}

/// Gradients of the linear part by `x`, weight and bias.
pub(crate) fn convolution_backward<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    convolution: Convolution,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let bias_grad = bias_backward::<B>(output_grad.clone());
    let (geometry, size) = (convolution.geometry, size::<B>(&x));
    let (x_grad, weight_grad) = match convolution.direction {
        Direction::Forward => (
            conv2d_x_backward::<B>(weight, output_grad.clone(), geometry, size),
            conv2d_weight_backward::<B>(x, output_grad, geometry),
        ),
        Direction::Transposed => (
            conv_transpose2d_x_backward::<B>(weight, output_grad.clone(), geometry, size),
            conv_transpose2d_weight_backward::<B>(x, output_grad, geometry),
        ),
    };
    (x_grad, weight_grad, bias_grad)
}

fn concatenated<B: ScratchOps>((x, skip): Inputs<B>) -> FloatTensor<B> {
    let Some(skip) = skip else {
        return x;
    };
    let x = B::interpolate(x, size::<B>(&skip), nearest());
    B::float_cat(vec![x, skip], 1)
}

fn pre_activation<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    convolution: Convolution,
) -> FloatTensor<B> {
    let Convolution {
        direction,
        geometry,
        size,
    } = convolution;
    let z = match direction {
        Direction::Forward => <B as ScratchOps>::conv2d(x, weight, geometry, size),
        Direction::Transposed => <B as ScratchOps>::conv_transpose2d(x, weight, geometry, size),
    };
    <B as ScratchOps>::add_bias(z, bias)
}

fn nearest() -> InterpolateOptions {
    InterpolateOptions::new(InterpolateMode::Nearest)
}
