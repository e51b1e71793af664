//! The ops of `n2n_kernels` on tensors in the host's memory.
//!
//! Results are stored channels-last and seen as `[batch_size, channels, height, width]`, so that one
//! op hands its images to the next as they are. Whatever is stored otherwise is copied first.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Shape, TensorData};
use n2n_kernels::pool;
use n2n_kernels::winograd::{self, Epilogue, Images, Saved, Source};

use crate::conv_block::{self, Inputs, Parameters};
use crate::host::{Host, copy};

/// Smallest slope by which an output is divided to get back what it was before the activation.
const SMALLEST_SLOPE: f32 = 1e-3;

/// The values of a tensor: where they lie, or a copy of them in order.
enum Values<B: Host> {
    There(FloatTensor<B>),
    Copied(Vec<f32>),
}

impl<B: Host> Values<B> {
    fn new(x: FloatTensor<B>) -> Self {
        match B::values(&x) {
            Some(_) => Self::There(x),
            None => Self::Copied(copy::<B, f32>(x)),
        }
    }

    /// Of images `[batch_size, channels, height, width]`, channels-last.
    fn images(x: FloatTensor<B>) -> Self {
        Self::new(B::float_permute(x, &[0, 2, 3, 1]))
    }

    fn get(&self) -> &[f32] {
        match self {
            Self::There(x) => B::values(x).unwrap_or_default(),
            Self::Copied(values) => values,
        }
    }
}

/// Channels-last values as `[batch_size, channels, height, width]`.
fn images<B: Host>(values: Vec<f32>, shape: [usize; 4], device: &B::Device) -> FloatTensor<B> {
    let [batch_size, channels, height, width] = shape;
    let stored = Shape::new([batch_size, height, width, channels]);
    let x = B::float_from_data(TensorData::new(values, stored), device);
    B::float_permute(x, &[0, 3, 1, 2])
}

fn tensor<B: Host>(values: Vec<f32>, shape: Shape, device: &B::Device) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(values, shape), device)
}

fn batch(shape: [usize; 4]) -> Images {
    let [batch_size, _, height, width] = shape;
    Images {
        batch_size,
        height,
        width,
    }
}

/// One slope for each channel.
fn slopes(values: &[f32], channels: usize) -> Vec<f32> {
    match values {
        [slope] => vec![*slope; channels],
        _ => values.to_vec(),
    }
}

/// A [`conv_block`](mod@conv_block) whose values are at hand.
struct Block<B: Host> {
    sources: Vec<(Values<B>, [usize; 4])>,
    upsampled: bool,
    images: Images,
    weight: Values<B>,
    bias: Values<B>,
    slope: Vec<f32>,
}

impl<B: Host> Block<B> {
    fn new((x, skip): Inputs<B>, (weight, bias, slope): Parameters<B>) -> Self {
        let channels = bias.shape()[0];
        let largest: [usize; 4] = skip.as_ref().unwrap_or(&x).shape().dims();
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
            images: batch(largest),
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
        let bias = self.bias.get();
        winograd::forward(
            self.images,
            &self.sources(),
            self.weight.get(),
            Epilogue { bias, slope },
        )
    }
}

/// See [`conv_block::conv_block`].
pub(crate) fn conv_block<B: Host>(inputs: Inputs<B>, parameters: Parameters<B>) -> FloatTensor<B> {
    if inputs.0.dtype() != DType::F32 {
        return conv_block::conv_block::<B>(inputs, parameters);
    }
    let device = inputs.0.device();
    let block = Block::<B>::new(inputs, parameters);
    let Images {
        batch_size,
        height,
        width,
    } = block.images;
    let shape = [batch_size, block.slope.len(), height, width];
    images::<B>(block.forward(&block.slope), shape, &device)
}

/// See [`conv_block::conv_block_backward`]; `wanted` are the gradients by `x`, `skip` and slope.
pub(crate) fn conv_block_backward<B: Host>(
    inputs: Inputs<B>,
    parameters: Parameters<B>,
    output: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    wanted: [bool; 3],
) -> Vec<Option<FloatTensor<B>>> {
    if inputs.0.dtype() != DType::F32 {
        return conv_block::conv_block_backward::<B>(inputs, parameters, output_grad);
    }
    let device = inputs.0.device();
    let (weight_shape, slope_shape) = (parameters.0.shape(), parameters.2.shape());
    let block = Block::<B>::new(inputs, parameters);
    let smallest = block.slope.iter().copied().fold(f32::INFINITY, f32::min);
    let recoverable = smallest >= SMALLEST_SLOPE || (smallest >= 0.0 && !wanted[2]);
    let linear = vec![1.0; block.slope.len()];
    let (output, inverse) = match recoverable {
        true => {
            let inverse = block.slope.iter().map(|slope| 1.0 / slope).collect();
            (Values::<B>::images(output), inverse)
        }
        false => (Values::Copied(block.forward(&linear)), linear),
    };
    let grad = Values::<B>::images(output_grad);
    let gradients = winograd::backward(
        block.images,
        &block.sources(),
        &wanted[..block.sources.len()],
        block.weight.get(),
        Saved {
            output: output.get(),
            inverse: &inverse,
            slope: &block.slope,
            grad: grad.get(),
        },
    );
    let slope = match slope_shape[0] {
        1 => vec![gradients.slope.iter().sum()],
        _ => gradients.slope,
    };
    let sources = gradients.sources.into_iter().zip(&block.sources);
    let sources = sources.map(|(grad, (_, shape))| Some(images::<B>(grad?, *shape, &device)));
    let parameters = [
        (gradients.weight, weight_shape),
        (gradients.bias, Shape::new([block.slope.len()])),
        (slope, slope_shape),
    ];
    let parameters = parameters.map(|(grad, shape)| Some(tensor::<B>(grad, shape, &device)));
    sources.chain(parameters).collect()
}

/// Max-pooling by 2 of f32.
pub(crate) fn max_pool2x2<B: Host>(x: FloatTensor<B>) -> FloatTensor<B> {
    let (device, shape) = (x.device(), x.shape().dims());
    let [batch_size, channels, height, width] = shape;
    let values = pool::max_pool(batch(shape), channels, Values::<B>::images(x).get());
    images::<B>(
        values,
        [batch_size, channels, height / 2, width / 2],
        &device,
    )
}

/// Its gradient.
pub(crate) fn max_pool2x2_backward<B: Host>(
    x: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let (device, shape) = (x.device(), x.shape().dims());
    let (x, grad) = (Values::<B>::images(x), Values::<B>::images(output_grad));
    let values = pool::max_pool_backward(batch(shape), shape[1], x.get(), grad.get());
    images::<B>(values, shape, &device)
}
