//! Shapes and element types of what the ops return, which backends that fuse ops ask for before they run.

use burn::backend::fusion::custom::TensorSpec;
use burn::tensor::Shape;

use crate::Graph;
use crate::conv_block::{BlockGradientsMetadata, Convolution};

/// Of [`crate::ScratchOps::convolution_backward`].
pub(crate) fn convolution_backward(
    x: &TensorSpec,
    weight: &TensorSpec,
    output_grad: &TensorSpec,
    _convolution: &Convolution,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    let bias = TensorSpec::new(Shape::new([output_grad.shape[1]]), x.dtype);
    (x.clone(), weight.clone(), bias)
}

/// Of [`crate::ScratchOps::conv_block`].
pub(crate) fn conv_block(
    x: &TensorSpec,
    _weight: &TensorSpec,
    bias: &TensorSpec,
    _slope: &TensorSpec,
    convolution: &Convolution,
) -> TensorSpec {
    images(x, bias.shape[0], convolution.size)
}

/// Of [`crate::ScratchOps::conv_block_kept`].
pub(crate) fn conv_block_kept(
    x: &TensorSpec,
    weight: &TensorSpec,
    bias: &TensorSpec,
    slope: &TensorSpec,
    convolution: &Convolution,
) -> (TensorSpec, TensorSpec) {
    let y = conv_block(x, weight, bias, slope, convolution);
    (y.clone(), y)
}

/// Of [`crate::ScratchOps::conv_block_backward`].
#[allow(clippy::too_many_arguments)] // As the op.
pub(crate) fn conv_block_backward(
    x: &TensorSpec,
    weight: &TensorSpec,
    bias: &TensorSpec,
    slope: &TensorSpec,
    _kept: &TensorSpec,
    _output_grad: &TensorSpec,
    _convolution: &Convolution,
    [x_wanted, _]: &[bool; 2],
) -> BlockGradientsMetadata {
    gradients(x_wanted.then_some(x), None, [weight, bias, slope])
}

/// Of [`crate::ScratchOps::pooled_conv_block`].
pub(crate) fn pooled_conv_block(
    x: &TensorSpec,
    _weight: &TensorSpec,
    bias: &TensorSpec,
    _slope: &TensorSpec,
) -> TensorSpec {
    images(x, bias.shape[0], [x.shape[2] / 2, x.shape[3] / 2])
}

/// Of [`crate::ScratchOps::pooled_conv_block_kept`]: the places of the largest follow their values.
pub(crate) fn pooled_conv_block_kept(
    x: &TensorSpec,
    weight: &TensorSpec,
    bias: &TensorSpec,
    slope: &TensorSpec,
) -> (TensorSpec, TensorSpec) {
    let kept = images(x, 2 * bias.shape[0], [x.shape[2] / 2, x.shape[3] / 2]);
    (pooled_conv_block(x, weight, bias, slope), kept)
}

/// Of [`crate::ScratchOps::pooled_conv_block_backward`].
pub(crate) fn pooled_conv_block_backward(
    x: &TensorSpec,
    weight: &TensorSpec,
    bias: &TensorSpec,
    slope: &TensorSpec,
    _kept: &TensorSpec,
    _output_grad: &TensorSpec,
    [x_wanted, _]: &[bool; 2],
) -> BlockGradientsMetadata {
    gradients(x_wanted.then_some(x), None, [weight, bias, slope])
}

/// Of [`crate::ScratchOps::upsampled_conv_block`].
pub(crate) fn upsampled_conv_block(
    _x: &TensorSpec,
    skip: &TensorSpec,
    _weight: &TensorSpec,
    bias: &TensorSpec,
    _slope: &TensorSpec,
) -> TensorSpec {
    images(skip, bias.shape[0], [skip.shape[2], skip.shape[3]])
}

/// Of [`crate::ScratchOps::upsampled_conv_block_kept`].
pub(crate) fn upsampled_conv_block_kept(
    x: &TensorSpec,
    skip: &TensorSpec,
    weight: &TensorSpec,
    bias: &TensorSpec,
    slope: &TensorSpec,
) -> (TensorSpec, TensorSpec) {
    let y = upsampled_conv_block(x, skip, weight, bias, slope);
    (y.clone(), y)
}

/// Of [`crate::ScratchOps::upsampled_conv_block_backward`].
#[allow(clippy::too_many_arguments)] // As the op.
pub(crate) fn upsampled_conv_block_backward(
    x: &TensorSpec,
    skip: &TensorSpec,
    weight: &TensorSpec,
    bias: &TensorSpec,
    slope: &TensorSpec,
    _kept: &TensorSpec,
    _output_grad: &TensorSpec,
    [x_wanted, skip_wanted, _]: &[bool; 3],
) -> BlockGradientsMetadata {
    let (x, skip) = (x_wanted.then_some(x), skip_wanted.then_some(skip));
    gradients(x, skip, [weight, bias, slope])
}

/// Of [`crate::ScratchOps::sigmoid`].
pub(crate) fn sigmoid(x: &TensorSpec) -> TensorSpec {
    x.clone()
}

/// Of [`crate::ScratchOps::sigmoid_backward`].
pub(crate) fn sigmoid_backward(output: &TensorSpec, _output_grad: &TensorSpec) -> TensorSpec {
    output.clone()
}

/// Of [`crate::ScratchOps::mse`].
pub(crate) fn mse(x: &TensorSpec, _y: &TensorSpec) -> TensorSpec {
    TensorSpec::new(Shape::new([1]), x.dtype)
}

/// Of [`crate::ScratchOps::mse_per_image`].
pub(crate) fn mse_per_image(x: &TensorSpec, _y: &TensorSpec) -> TensorSpec {
    TensorSpec::new(Shape::new([x.shape[0]]), x.dtype)
}

/// Of [`crate::ScratchOps::mse_backward`].
pub(crate) fn mse_backward(
    x: &TensorSpec,
    _y: &TensorSpec,
    _output_grad: &TensorSpec,
) -> TensorSpec {
    x.clone()
}

/// `channels` for each image of `x`.
fn images(x: &TensorSpec, channels: usize, [height, width]: [usize; 2]) -> TensorSpec {
    TensorSpec::new(Shape::new([x.shape[0], channels, height, width]), x.dtype)
}

/// Gradients are as what they are by.
fn gradients(
    x: Option<&TensorSpec>,
    skip: Option<&TensorSpec>,
    parameters: [&TensorSpec; 3],
) -> BlockGradientsMetadata {
    let [weight, bias, slope] = parameters.map(Clone::clone);
    match (x.cloned(), skip.cloned()) {
        (Some(x), Some(skip)) => BlockGradientsMetadata::WithInputs {
            x,
            skip,
            weight,
            bias,
            slope,
        },
        (Some(x), None) => BlockGradientsMetadata::WithInput {
            x,
            weight,
            bias,
            slope,
        },
        (None, _) => BlockGradientsMetadata::Parameters {
            weight,
            bias,
            slope,
        },
    }
}

/// Of [`crate::ScratchOps::graph_step`].
pub(crate) fn graph_step(
    input: &TensorSpec,
    _target: &TensorSpec,
    parameters: &TensorSpec,
    _graph: &Graph,
) -> (TensorSpec, TensorSpec) {
    let loss = TensorSpec::new(Shape::new([1]), input.dtype);
    (loss, parameters.clone())
}

/// Of [`crate::pairs::PairOps::byte_pairs`].
pub(crate) fn byte_pairs(
    _bytes: &TensorSpec,
    places: &TensorSpec,
    numbers: &TensorSpec,
    &[height, width]: &[usize; 2],
) -> (TensorSpec, TensorSpec) {
    let shape = Shape::new([places.shape[0], numbers.shape[1], height, width]);
    let images = TensorSpec::new(shape, numbers.dtype);
    (images.clone(), images)
}
