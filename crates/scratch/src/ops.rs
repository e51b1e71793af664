//! The ops as an extension of Burn's backends. Glue only: the maths is in the files named after it.
//!
//! Every op has a default body over the backend's own primitives, so it runs on any backend; a
//! backend with a faster kernel overrides the method.

// The ndarray backend is deprecated in favour of flex, and kept for comparison.
#![allow(deprecated)]

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::CubeBackend;
use burn::backend::{Backend, Flex, NdArray, TensorMetadata, backend_extension};
use burn::tensor::DType;

use crate::conv_block::Convolution;
use crate::{
    ConvGeometry, activation, conv_block, conv_transpose2d, conv2d, host, loss, pool, unfold,
};

/// The hand-written ops, on primitives.
#[backend_extension(Autodiff, Cube, Flex, NdArray, Fusion)]
pub trait ScratchOps: Backend {
    /// Columns of a frame, see [`crate::unfold()`].
    #[fusion(default)]
    fn unfold(frame: FloatTensor<Self>, geometry: ConvGeometry) -> FloatTensor<Self> {
        unfold::unfold::<Self>(frame, geometry)
    }

    /// The frame of columns, see [`crate::fold()`].
    #[fusion(default)]
    fn fold(
        columns: FloatTensor<Self>,
        geometry: ConvGeometry,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        unfold::fold::<Self>(columns, geometry, size)
    }

    /// See [`crate::conv2d()`]; without bias, at so many positions of the kernel.
    #[fusion(default)]
    fn conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        geometry: ConvGeometry,
        positions: [usize; 2],
    ) -> FloatTensor<Self> {
        conv2d::conv2d::<Self>(x, weight, geometry, positions)
    }

    /// See [`crate::conv_transpose2d()`]; without bias, for an output of `size`.
    #[fusion(default)]
    fn conv_transpose2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        geometry: ConvGeometry,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        conv_transpose2d::conv_transpose2d::<Self>(x, weight, geometry, size)
    }

    /// Adds `bias[c]` to every pixel of channel `c`.
    #[fusion(default)]
    fn add_bias(x: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        conv2d::add_bias::<Self>(x, bias)
    }

    /// See [`crate::relu()`].
    #[fusion(default)]
    fn relu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::relu::<Self>(x)
    }

    /// Gradient of [`relu`](Self::relu).
    #[fusion(default)]
    fn relu_backward(x: FloatTensor<Self>, output_grad: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::relu_backward::<Self>(x, output_grad)
    }

    /// See [`crate::prelu()`].
    #[fusion(default)]
    fn prelu(x: FloatTensor<Self>, alpha: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::prelu::<Self>(x, alpha)
    }

    /// See [`crate::sigmoid()`].
    #[fusion(default)]
    fn sigmoid(x: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::sigmoid::<Self>(x)
    }

    /// Gradient of [`sigmoid`](Self::sigmoid), from its output.
    #[fusion(default)]
    fn sigmoid_backward(
        output: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        activation::sigmoid_backward::<Self>(output, output_grad)
    }

    /// Gradients of a convolution by `x`, weight and bias.
    #[fusion(default)]
    fn convolution_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
        convolution: Convolution,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        conv_block::convolution_backward::<Self>(x, weight, output_grad, convolution)
    }

    /// `prelu(convolution(x, weight) + bias, slope)`
    #[fusion(default)]
    fn conv_block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        let parameters = (weight, bias, slope);
        conv_block::conv_block::<Self>((x, None), parameters, convolution)
    }

    /// Gradients of [`conv_block`](Self::conv_block) by its tensors in their order, given its output;
    /// those by `x` and slope only if `wanted`.
    #[fusion(default)]
    #[allow(clippy::too_many_arguments)] // Tensors are dispatched one by one.
    fn conv_block_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
        _output: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
        convolution: Convolution,
        _wanted: [bool; 2],
    ) -> Vec<Option<FloatTensor<Self>>> {
        let parameters = (weight, bias, slope);
        conv_block::conv_block_backward::<Self>((x, None), parameters, output_grad, convolution)
    }

    /// [`conv_block`](Self::conv_block) of `x`, doubled (nearest neighbour) and joined with `skip`; for
    /// a 3x3 kernel, stride 1, padding 1.
    #[fusion(default)]
    fn upsampled_conv_block(
        x: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let parameters = (weight, bias, slope);
        let convolution = Convolution::same3x3(size::<Self>(&skip));
        conv_block::conv_block::<Self>((x, Some(skip)), parameters, convolution)
    }

    /// Gradients of [`upsampled_conv_block`](Self::upsampled_conv_block) by its arguments in their
    /// order, given its output; those by `x`, `skip` and slope only if `wanted`.
    #[fusion(default)]
    #[allow(clippy::too_many_arguments)] // Tensors are dispatched one by one.
    fn upsampled_conv_block_backward(
        x: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
        _output: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
        _wanted: [bool; 3],
    ) -> Vec<Option<FloatTensor<Self>>> {
        let parameters = (weight, bias, slope);
        let convolution = Convolution::same3x3(size::<Self>(&skip));
        let inputs = (x, Some(skip));
        conv_block::conv_block_backward::<Self>(inputs, parameters, output_grad, convolution)
    }

    /// See [`crate::max_pool2x2()`].
    #[fusion(default)]
    fn max_pool2x2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        pool::max_pool2x2::<Self>(x)
    }

    /// Gradient of [`max_pool2x2`](Self::max_pool2x2).
    #[fusion(default)]
    fn max_pool2x2_backward(
        x: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        pool::max_pool2x2_backward::<Self>(x, output_grad)
    }

    /// See [`crate::mse()`].
    #[fusion(default)]
    fn mse(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        loss::mse::<Self>(x, y)
    }

    /// Gradient of [`mse`](Self::mse) by `x`.
    #[fusion(default)]
    fn mse_backward(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        loss::mse_backward::<Self>(x, y, output_grad)
    }
}

impl ScratchOps for CubeBackend {}

/// Unfold and fold are copies, which the host makes faster itself; the others have kernels for f32.
macro_rules! on_host {
    ($backend:ident) => {
        impl ScratchOps for $backend {
            fn unfold(frame: FloatTensor<Self>, geometry: ConvGeometry) -> FloatTensor<Self> {
                host::unfold::<Self>(frame, geometry)
            }

            fn fold(
                columns: FloatTensor<Self>,
                geometry: ConvGeometry,
                size: [usize; 2],
            ) -> FloatTensor<Self> {
                host::fold::<Self>(columns, geometry, size)
            }

            fn relu(x: FloatTensor<Self>) -> FloatTensor<Self> {
                host::relu::<Self>(x)
            }

            fn relu_backward(
                x: FloatTensor<Self>,
                output_grad: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                host::relu_backward::<Self>(x, output_grad)
            }

            fn sigmoid(x: FloatTensor<Self>) -> FloatTensor<Self> {
                host::sigmoid::<Self>(x)
            }

            fn sigmoid_backward(
                output: FloatTensor<Self>,
                output_grad: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                host::sigmoid_backward::<Self>(output, output_grad)
            }

            fn mse(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
                host::mse::<Self>(x, y)
            }

            fn mse_backward(
                x: FloatTensor<Self>,
                y: FloatTensor<Self>,
                output_grad: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                host::mse_backward::<Self>(x, y, output_grad)
            }

            fn convolution_backward(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                output_grad: FloatTensor<Self>,
                convolution: Convolution,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                host::convolution_backward::<Self>(x, weight, output_grad, convolution)
            }

            fn conv_block(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                slope: FloatTensor<Self>,
                convolution: Convolution,
            ) -> FloatTensor<Self> {
                let parameters = (weight, bias, slope);
                host::conv_block::<Self>((x, None), parameters, convolution)
            }

            fn conv_block_backward(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                slope: FloatTensor<Self>,
                output: FloatTensor<Self>,
                output_grad: FloatTensor<Self>,
                convolution: Convolution,
                [x_wanted, slope_wanted]: [bool; 2],
            ) -> Vec<Option<FloatTensor<Self>>> {
                let inputs = (x, None);
                let parameters = (weight, bias, slope);
                host::conv_block_backward::<Self>(
                    inputs,
                    parameters,
                    (output, output_grad),
                    convolution,
                    [x_wanted, false, slope_wanted],
                )
            }

            fn upsampled_conv_block(
                x: FloatTensor<Self>,
                skip: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                slope: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                let parameters = (weight, bias, slope);
                let convolution = Convolution::same3x3(size::<Self>(&skip));
                host::conv_block::<Self>((x, Some(skip)), parameters, convolution)
            }

            fn upsampled_conv_block_backward(
                x: FloatTensor<Self>,
                skip: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                slope: FloatTensor<Self>,
                output: FloatTensor<Self>,
                output_grad: FloatTensor<Self>,
                wanted: [bool; 3],
            ) -> Vec<Option<FloatTensor<Self>>> {
                let convolution = Convolution::same3x3(size::<Self>(&skip));
                let inputs = (x, Some(skip));
                let parameters = (weight, bias, slope);
                host::conv_block_backward::<Self>(
                    inputs,
                    parameters,
                    (output, output_grad),
                    convolution,
                    wanted,
                )
            }

            fn max_pool2x2(x: FloatTensor<Self>) -> FloatTensor<Self> {
                match x.dtype() {
                    DType::F32 => host::max_pool2x2::<Self>(x),
                    _ => pool::max_pool2x2::<Self>(x),
                }
            }

            fn max_pool2x2_backward(
                x: FloatTensor<Self>,
                output_grad: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                match x.dtype() {
                    DType::F32 => host::max_pool2x2_backward::<Self>(x, output_grad),
                    _ => pool::max_pool2x2_backward::<Self>(x, output_grad),
                }
            }
        }
    };
}

on_host!(NdArray);
on_host!(Flex);

/// Height and width.
pub(crate) fn size<B: ScratchOps>(x: &FloatTensor<B>) -> [usize; 2] {
    let shape = x.shape();
    [shape[2], shape[3]]
}
