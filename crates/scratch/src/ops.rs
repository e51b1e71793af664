//! The table of ops: each entry is an op as an extension of Burn's backends, on the CPU and on the tape. Glue
//! only: the maths is in the files named after the ops.

// The ndarray backend is deprecated in favour of flex, and kept for comparison.
#![allow(deprecated)]

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::CubeBackend;
use burn::backend::{Autodiff, Backend, Flex, NdArray, TensorMetadata, backend_extension};
use n2n_kernels::elementwise;

use crate::autodiff::record;
use crate::conv_block::{BlockGradients, Convolution};
use crate::{
    ConvGeometry, Graph, activation, conv_block, conv_transpose2d, conv2d, fused, gpu, graph, host,
    loss, pool, unfold,
};

ops! {
    /// Columns of a frame, see [`crate::unfold()`].
    fn unfold(frame; geometry: ConvGeometry) -> [FloatTensor<Self>] {
        any: unfold::unfold,
        cpu: always(host::unfold),
        tape: Unfold {
            saved: (),
            with extent: [usize; 2] = size::<B>(&frame),
            |dy| [B::fold(dy, geometry, extent)]
        },
    }

    /// The frame of columns, see [`crate::fold()`].
    fn fold(columns; geometry: ConvGeometry, size: [usize; 2]) -> [FloatTensor<Self>] {
        any: unfold::fold,
        cpu: always(host::fold),
        tape: Fold { saved: (), |dy| [B::unfold(dy, geometry)] },
    }

    /// See [`crate::conv2d()`]; without bias, `positions` is the size of the output.
    fn conv2d(x, weight; geometry: ConvGeometry, positions: [usize; 2]) -> [FloatTensor<Self>] {
        any: conv2d::conv2d,
        tape: Conv2d {
            saved: (x, weight),
            |dy| [
                conv2d::conv2d_x_backward::<B>(weight.clone(), dy, geometry, size::<B>(x)),
                conv2d::conv2d_weight_backward::<B>(x.clone(), dy, geometry),
            ]
        },
    }

    /// See [`crate::conv_transpose2d()`]; without bias, for an output of `size`.
    fn conv_transpose2d(
        x, weight; geometry: ConvGeometry, output_size: [usize; 2]
    ) -> [FloatTensor<Self>] {
        any: conv_transpose2d::conv_transpose2d,
        tape: ConvTranspose2d {
            saved: (x, weight),
            |dy| [
                conv_transpose2d::conv_transpose2d_x_backward::<B>(weight.clone(), dy, geometry, size::<B>(x)),
                conv_transpose2d::conv_transpose2d_weight_backward::<B>(x.clone(), dy, geometry),
            ]
        },
    }

    /// Adds `bias[c]` to every pixel of channel `c`.
    fn add_bias(x, bias) -> [FloatTensor<Self>] {
        any: conv2d::add_bias,
        tape: AddBias { saved: (), |dy| [dy, conv2d::bias_backward::<B>(dy)] },
    }

    /// See [`crate::relu()`].
    fn relu(x) -> [FloatTensor<Self>] {
        any: activation::relu_forward,
        cpu: pointwise(elementwise::relu),
        tape: Relu { saved: (x), |dy| [<B as ScratchOps>::relu_backward(x.clone(), dy)] },
    }

    /// Gradient of [`relu`](Self::relu).
    fn relu_backward(x, output_grad) -> [FloatTensor<Self>] {
        any: activation::relu_backward,
        cpu: pointwise(elementwise::relu_backward),
    }

    /// See [`crate::prelu()`].
    fn prelu(x, alpha) -> [FloatTensor<Self>] {
        any: activation::prelu_forward,
        tape: PRelu {
            saved: (x, alpha),
            |dy| [
                activation::prelu_x_backward::<B>(x.clone(), alpha.clone(), dy),
                activation::prelu_alpha_backward::<B>(x.clone(), dy, alpha.shape()[0]),
            ]
        },
    }

    /// See [`crate::sigmoid()`].
    fn sigmoid(x) -> [FloatTensor<Self>] {
        any: activation::sigmoid_forward,
        cpu: pointwise(elementwise::sigmoid),
        gpu: (n2n_gpu::activation::sigmoid, gpu::specs::sigmoid),
        tape: Sigmoid {
            saved: (),
            output: y,
            |dy| [<B as ScratchOps>::sigmoid_backward(y.clone(), dy)]
        },
    }

    /// Gradient of [`sigmoid`](Self::sigmoid), from its output.
    fn sigmoid_backward(output, output_grad) -> [FloatTensor<Self>] {
        any: activation::sigmoid_backward,
        cpu: pointwise(elementwise::sigmoid_backward),
        gpu: (n2n_gpu::activation::sigmoid_gradient, gpu::specs::sigmoid_backward),
    }

    /// Gradients of a convolution by `x`, weight and bias.
    fn convolution_backward(
        x, weight, output_grad; convolution: Convolution
    ) -> [(FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>)] {
        any: conv_block::convolution_backward,
        cpu: f32(host::convolution_backward, convolution.geometry.groups()),
        gpu: (gpu::convolution_backward, gpu::specs::convolution_backward),
    }

    /// `prelu(z, slope)`, where `z = convolution(x, weight) + bias`.
    fn conv_block(x, weight, bias, slope; convolution: Convolution) -> [FloatTensor<Self>] {
        any: conv_block::conv_block,
        cpu: f32(host::conv_block, convolution.geometry.groups()),
        gpu: (gpu::conv_block, gpu::specs::conv_block),
        tape: ConvBlock {
            saved: (x, weight, bias, slope),
            by conv_block_kept => kept,
            |dy, wanted| {
                let wanted = [wanted(0), wanted(3)];
                B::conv_block_backward(x, weight, bias, slope, kept, dy, convolution, wanted)
                    .into_arguments(1)
            }
        },
    }

    /// [`conv_block`](Self::conv_block), and what its gradients need besides its arguments, which each backend
    /// chooses.
    fn conv_block_kept(
        x, weight, bias, slope; convolution: Convolution
    ) -> [(FloatTensor<Self>, FloatTensor<Self>)] {
        any: conv_block::conv_block_kept,
        cpu: f32(host::conv_block_kept, convolution.geometry.groups()),
        gpu: (gpu::conv_block_kept, gpu::specs::conv_block_kept),
    }

    /// Gradients of [`conv_block`](Self::conv_block), given what was kept; that by `x` only if `wanted`, and
    /// that by the slope may be wrong if not.
    fn conv_block_backward(
        x, weight, bias, slope, kept, output_grad;
        convolution: Convolution, wanted: [bool; 2]
    ) -> [BlockGradients<Self>] {
        any: conv_block::conv_block_backward,
        cpu: f32(host::conv_block_backward, convolution.geometry.groups()),
        gpu: (gpu::conv_block_backward, gpu::specs::conv_block_backward),
    }

    /// [`max_pool2x2`](Self::max_pool2x2) of a [`conv_block`](Self::conv_block) with a 3x3 kernel, stride 1,
    /// padding 1.
    fn pooled_conv_block(x, weight, bias, slope) -> [FloatTensor<Self>] {
        any: conv_block::pooled_conv_block,
        cpu: f32(host::pooled_conv_block),
        gpu: (gpu::pooled_conv_block, gpu::specs::pooled_conv_block),
        tape: PooledConvBlock {
            saved: (x, weight, bias, slope),
            by pooled_conv_block_kept => kept,
            |dy, wanted| {
                let wanted = [wanted(0), wanted(3)];
                B::pooled_conv_block_backward(x, weight, bias, slope, kept, dy, wanted)
                    .into_arguments(1)
            }
        },
    }

    /// As [`conv_block_kept`](Self::conv_block_kept).
    fn pooled_conv_block_kept(
        x, weight, bias, slope
    ) -> [(FloatTensor<Self>, FloatTensor<Self>)] {
        any: conv_block::pooled_conv_block_kept,
        cpu: f32(host::pooled_conv_block_kept),
        gpu: (gpu::pooled_conv_block_kept, gpu::specs::pooled_conv_block_kept),
    }

    /// As [`conv_block_backward`](Self::conv_block_backward).
    fn pooled_conv_block_backward(
        x, weight, bias, slope, kept, output_grad; wanted: [bool; 2]
    ) -> [BlockGradients<Self>] {
        any: conv_block::pooled_conv_block_backward,
        cpu: f32(host::pooled_conv_block_backward),
        gpu: (gpu::pooled_conv_block_backward, gpu::specs::pooled_conv_block_backward),
    }

    /// [`conv_block`](Self::conv_block) of `x`, upsampled by 2 (nearest neighbour) and concatenated with
    /// `skip`; for a 3x3 kernel, stride 1, padding 1.
    fn upsampled_conv_block(x, skip, weight, bias, slope) -> [FloatTensor<Self>] {
        any: conv_block::upsampled_conv_block,
        cpu: f32(host::upsampled_conv_block),
        gpu: (gpu::upsampled_conv_block, gpu::specs::upsampled_conv_block),
        tape: UpsampledConvBlock {
            saved: (x, skip, weight, bias, slope),
            by upsampled_conv_block_kept => kept,
            |dy, wanted| {
                // That by `skip` comes with that by `x`.
                let wanted = [wanted(0) || wanted(1), wanted(1), wanted(4)];
                B::upsampled_conv_block_backward(x, skip, weight, bias, slope, kept, dy, wanted)
                    .into_arguments(2)
            }
        },
    }

    /// As [`conv_block_kept`](Self::conv_block_kept).
    fn upsampled_conv_block_kept(
        x, skip, weight, bias, slope
    ) -> [(FloatTensor<Self>, FloatTensor<Self>)] {
        any: conv_block::upsampled_conv_block_kept,
        cpu: f32(host::upsampled_conv_block_kept),
        gpu: (gpu::upsampled_conv_block_kept, gpu::specs::upsampled_conv_block_kept),
    }

    /// As [`conv_block_backward`](Self::conv_block_backward); that by `skip` is wanted only with that by `x`.
    fn upsampled_conv_block_backward(
        x, skip, weight, bias, slope, kept, output_grad; wanted: [bool; 3]
    ) -> [BlockGradients<Self>] {
        any: conv_block::upsampled_conv_block_backward,
        cpu: f32(host::upsampled_conv_block_backward),
        gpu: (gpu::upsampled_conv_block_backward, gpu::specs::upsampled_conv_block_backward),
    }

    /// See [`crate::max_pool2x2()`].
    fn max_pool2x2(x) -> [FloatTensor<Self>] {
        any: pool::max_pool2x2_forward,
        cpu: f32(host::max_pool2x2),
        tape: MaxPool { saved: (x), |dy| [B::max_pool2x2_backward(x.clone(), dy)] },
    }

    /// Gradient of [`max_pool2x2`](Self::max_pool2x2).
    fn max_pool2x2_backward(x, output_grad) -> [FloatTensor<Self>] {
        any: pool::max_pool2x2_backward,
        cpu: f32(host::max_pool2x2_backward),
    }

    /// See [`crate::mse()`].
    fn mse(x, y) -> [FloatTensor<Self>] {
        any: loss::mse_forward,
        cpu: f32(host::mse),
        gpu: (n2n_gpu::loss::mse, gpu::specs::mse),
        tape: Mse {
            saved: (x, y),
            |dl| [
                B::mse_backward(x.clone(), y.clone(), dl),
                B::mse_backward(y.clone(), x.clone(), dl),
            ]
        },
    }

    /// See [`crate::mse_per_image()`].
    fn mse_per_image(x, y) -> [FloatTensor<Self>] {
        any: loss::mse_per_image_forward,
        gpu: (n2n_gpu::loss::mse_per_image, gpu::specs::mse_per_image),
    }

    /// Gradient of [`mse`](Self::mse) by `x`.
    fn mse_backward(x, y, output_grad) -> [FloatTensor<Self>] {
        any: loss::mse_backward,
        cpu: f32(host::mse_backward),
        gpu: (n2n_gpu::loss::mse_gradient, gpu::specs::mse_backward),
    }

    /// See [`Graph::loss_and_gradient`]; the parameters and the gradient are vectors.
    fn graph_step(
        input, target, parameters; graph: Graph
    ) -> [(FloatTensor<Self>, FloatTensor<Self>)] {
        any: graph::graph_step,
        gpu: (gpu::graph_step, gpu::specs::graph_step),
    }
}

/// Height and width.
pub(crate) fn size<B: ScratchOps>(x: &FloatTensor<B>) -> [usize; 2] {
    let shape = x.shape();
    [shape[2], shape[3]]
}
