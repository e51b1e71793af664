//! The convolutions of `n2n_kernels` on tensors.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use n2n_kernels::winograd::{self, Source};
use n2n_kernels::{Epilogue, Gradients, Images, Saved, direct};

use super::Host;
use super::pool::{max_pool2x2, max_pool2x2_backward};
use super::values::{Values, batch, images, tensor};
use crate::conv_block::{BlockGradients, Convolution, Direction, Inputs, Parameters};
use crate::ops::size;

/// Smallest slope by which an output is divided to recover the input of the activation.
const SMALLEST_SLOPE: f32 = 1e-3;

/// One slope for each channel.
fn slopes(values: &[f32], channels: usize) -> Vec<f32> {
    match values {
        [slope] => vec![*slope; channels],
        _ => values.to_vec(),
    }
}

/// The algorithm for a convolution.
enum Algorithm {
    /// A 3x3 kernel, stride 1, padding 1.
    Winograd,
    Direct(direct::Geometry),
    DirectTransposed(direct::Geometry),
}

impl Algorithm {
    /// For an input of this shape.
    fn new(convolution: &Convolution, input: [usize; 4]) -> Self {
        let Convolution {
            direction,
            geometry,
            size,
        } = *convolution;
        if *convolution == Convolution::same3x3(size) {
            return Self::Winograd;
        }
        let [batch_size, _, height, width] = input;
        let ([height, width], positions) = match direction {
            Direction::Forward => ([height, width], size),
            Direction::Transposed => (size, [height, width]),
        };
        let [[top, _], [left, _]] = geometry.padding();
        let geometry = direct::Geometry {
            frame: Images {
                batch_size,
                height,
                width,
            },
            positions,
            kernel: geometry.kernel_size(),
            stride: geometry.stride(),
            dilation: geometry.dilation(),
            padding: [top, left],
        };
        match direction {
            Direction::Forward => Self::Direct(geometry),
            Direction::Transposed => Self::DirectTransposed(geometry),
        }
    }
}

/// A [`conv_block`](mod@crate::conv_block) as slices.
struct Block<B: Host> {
    sources: Vec<(Values<B>, [usize; 4])>,
    upsampled: bool,
    algorithm: Algorithm,
    /// Of the output.
    shape: [usize; 4],
    weight: Values<B>,
    bias: Values<B>,
    slope: Vec<f32>,
}

impl<B: Host> Block<B> {
    fn new(
        (x, skip): Inputs<B>,
        (weight, bias, slope): Parameters<B>,
        convolution: &Convolution,
    ) -> Self {
        let channels = bias.shape()[0];
        let input: [usize; 4] = x.shape().dims();
        let [height, width] = convolution.size;
        let upsampled = skip.is_some();
        let sources = [Some(x), skip].into_iter().flatten();
        Self {
            sources: sources
                .map(|x| {
                    let shape = x.shape().dims();
                    (Values::images(x), shape)
                })
                .collect(),
            upsampled,
            algorithm: Algorithm::new(convolution, input),
            shape: [input[0], channels, height, width],
            weight: Values::new(weight),
            bias: Values::new(bias),
            slope: slopes(Values::<B>::new(slope).get(), channels),
        }
    }

    fn sources(&self) -> Vec<Source<'_>> {
        let sources = self.sources.iter().enumerate();
        let source = sources.map(|(i, (values, shape))| Source {
            values: values.get(),
            channels: shape[1],
            upsampled: self.upsampled && i == 0,
        });
        source.collect()
    }

    fn forward(&self, slope: &[f32]) -> Vec<f32> {
        let (sources, weight) = (self.sources(), self.weight.get());
        let bias = self.bias.get();
        let epilogue = Epilogue { bias, slope };
        let x = sources[0].values;
        match self.algorithm {
            Algorithm::Winograd => winograd::forward(batch(self.shape), &sources, weight, epilogue),
            Algorithm::Direct(geometry) => direct::conv2d(geometry, x, weight, epilogue),
            Algorithm::DirectTransposed(geometry) => {
                direct::conv_transpose2d(geometry, x, weight, epilogue)
            }
        }
    }

    fn backward(&self, saved: Saved, wanted: [bool; 2]) -> Gradients {
        let (sources, weight) = (self.sources(), self.weight.get());
        let x = sources[0].values;
        match self.algorithm {
            Algorithm::Winograd => {
                let wanted = &wanted[..sources.len()];
                winograd::backward(batch(self.shape), &sources, wanted, weight, saved)
            }
            Algorithm::Direct(geometry) => {
                direct::conv2d_backward(geometry, x, wanted[0], weight, saved)
            }
            Algorithm::DirectTransposed(geometry) => {
                direct::conv_transpose2d_backward(geometry, x, wanted[0], weight, saved)
            }
        }
    }
}

/// See [`crate::ScratchOps::conv_block`].
pub(crate) fn conv_block<B: Host>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    convolution: Convolution,
) -> FloatTensor<B> {
    block::<B>((x, None), (weight, bias, slope), convolution)
}

/// See [`crate::ScratchOps::conv_block_kept`]: the output is kept.
pub(crate) fn conv_block_kept<B: Host>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    convolution: Convolution,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let y = conv_block::<B>(x, weight, bias, slope, convolution);
    (y.clone(), y)
}

/// See [`crate::ScratchOps::conv_block_backward`].
#[allow(clippy::too_many_arguments)] // As the op.
pub(crate) fn conv_block_backward<B: Host>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    kept: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    convolution: Convolution,
    [x_wanted, slope_wanted]: [bool; 2],
) -> BlockGradients<B> {
    block_backward::<B>(
        (x, None),
        (weight, bias, slope),
        (kept, output_grad),
        convolution,
        [x_wanted, false, slope_wanted],
    )
}

/// See [`crate::ScratchOps::pooled_conv_block`].
pub(crate) fn pooled_conv_block<B: Host>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
) -> FloatTensor<B> {
    pooled_conv_block_kept::<B>(x, weight, bias, slope).0
}

/// See [`crate::ScratchOps::pooled_conv_block_kept`]: the images before the pooling are kept.
pub(crate) fn pooled_conv_block_kept<B: Host>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let convolution = Convolution::same3x3(size::<B>(&x));
    let y = conv_block::<B>(x, weight, bias, slope, convolution);
    (max_pool2x2::<B>(y.clone()), y)
}

/// See [`crate::ScratchOps::pooled_conv_block_backward`].
pub(crate) fn pooled_conv_block_backward<B: Host>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    kept: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    wanted: [bool; 2],
) -> BlockGradients<B> {
    let convolution = Convolution::same3x3(size::<B>(&x));
    let grad = max_pool2x2_backward::<B>(kept.clone(), output_grad);
    conv_block_backward::<B>(x, weight, bias, slope, kept, grad, convolution, wanted)
}

/// See [`crate::ScratchOps::upsampled_conv_block`].
pub(crate) fn upsampled_conv_block<B: Host>(
    x: FloatTensor<B>,
    skip: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
) -> FloatTensor<B> {
    let convolution = Convolution::same3x3(size::<B>(&skip));
    block::<B>((x, Some(skip)), (weight, bias, slope), convolution)
}

/// See [`crate::ScratchOps::upsampled_conv_block_kept`]: the output is kept.
pub(crate) fn upsampled_conv_block_kept<B: Host>(
    x: FloatTensor<B>,
    skip: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let y = upsampled_conv_block::<B>(x, skip, weight, bias, slope);
    (y.clone(), y)
}

/// See [`crate::ScratchOps::upsampled_conv_block_backward`].
#[allow(clippy::too_many_arguments)] // As the op.
pub(crate) fn upsampled_conv_block_backward<B: Host>(
    x: FloatTensor<B>,
    skip: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    slope: FloatTensor<B>,
    kept: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    wanted: [bool; 3],
) -> BlockGradients<B> {
    let convolution = Convolution::same3x3(size::<B>(&skip));
    block_backward::<B>(
        (x, Some(skip)),
        (weight, bias, slope),
        (kept, output_grad),
        convolution,
        wanted,
    )
}

fn block<B: Host>(
    inputs: Inputs<B>,
    parameters: Parameters<B>,
    convolution: Convolution,
) -> FloatTensor<B> {
    let device = inputs.0.device();
    let block = Block::<B>::new(inputs, parameters, &convolution);
    images::<B>(block.forward(&block.slope), block.shape, &device)
}

/// See [`crate::ScratchOps::convolution_backward`].
pub(crate) fn convolution_backward<B: Host>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    convolution: Convolution,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (device, channels) = (x.device(), output_grad.shape()[1]);
    // The backward pass of the identity does not read the output: the gradient takes its place.
    let ones = || tensor::<B>(vec![1.0; channels], Shape::new([channels]), &device);
    let gradients = block_backward::<B>(
        (x, None),
        (weight, ones(), ones()),
        (output_grad.clone(), output_grad),
        convolution,
        [true, false, false],
    );
    match gradients {
        BlockGradients::WithInput {
            x, weight, bias, ..
        } => (x, weight, bias),
        _ => unreachable!("that by the input was wanted, and there is one input"),
    }
}

/// Gradients of [`block`]; `wanted` are those by `x`, `skip` and slope.
fn block_backward<B: Host>(
    inputs: Inputs<B>,
    parameters: Parameters<B>,
    (output, output_grad): (FloatTensor<B>, FloatTensor<B>),
    convolution: Convolution,
    wanted: [bool; 3],
) -> BlockGradients<B> {
    let device = inputs.0.device();
    let (weight_shape, slope_shape) = (parameters.0.shape(), parameters.2.shape());
    let block = Block::<B>::new(inputs, parameters, &convolution);
    let [x_wanted, skip_wanted, slope_wanted] = wanted;
    let smallest = block.slope.iter().copied().fold(f32::INFINITY, f32::min);
    let recoverable = smallest >= SMALLEST_SLOPE || (smallest >= 0.0 && !slope_wanted);
    let linear = vec![1.0; block.slope.len()];
    let (output, inverse) = if recoverable {
        let inverse = block.slope.iter().map(|slope| 1.0 / slope).collect();
        (Values::<B>::images(output), inverse)
    } else {
        (Values::Copied(block.forward(&linear)), linear)
    };
    let grad = Values::<B>::images(output_grad);
    let saved = Saved {
        output: output.get(),
        inverse: &inverse,
        slope: &block.slope,
        grad: grad.get(),
    };
    let gradients = block.backward(saved, [x_wanted, skip_wanted]);
    let slope = match slope_shape[0] {
        1 => vec![gradients.slope.iter().sum()],
        _ => gradients.slope,
    };
    let sources = gradients.sources.into_iter().zip(&block.sources);
    let mut sources = sources.map(|(grad, (_, shape))| Some(images::<B>(grad?, *shape, &device)));
    BlockGradients::new(
        sources.next().flatten(),
        sources.next().flatten(),
        (
            tensor::<B>(gradients.weight, weight_shape, &device),
            tensor::<B>(gradients.bias, Shape::new([block.slope.len()]), &device),
            tensor::<B>(slope, slope_shape, &device),
        ),
    )
}
