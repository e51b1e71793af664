//! The ops in the kernels of `n2n_gpu`.

mod graph;
pub(crate) mod specs;

use burn::backend::TensorMetadata;
use burn::backend::wgpu::{CubeBackend, CubeTensor};
use n2n_gpu::conv3x3::{self, Inputs};
use n2n_gpu::{Parameters, direct};

pub(crate) use self::graph::graph_step;
use crate::conv_block::{self, BlockGradients, Convolution, Direction};

/// Which kernels compute a convolution.
enum Algorithm {
    /// A 3x3 kernel, stride 1, padding 1.
    Tiled {
        pooled: bool,
    },
    Direct(direct::Geometry),
}

impl Algorithm {
    fn new(convolution: &Convolution) -> Self {
        let Convolution {
            direction,
            geometry,
            size,
        } = *convolution;
        if *convolution == Convolution::same3x3(size) {
            return Self::Tiled { pooled: false };
        }
        let [[top, _], [left, _]] = geometry.padding();
        Self::Direct(direct::Geometry {
            transposed: direction == Direction::Transposed,
            stride: geometry.stride(),
            padding: [top, left],
            dilation: geometry.dilation(),
            size,
        })
    }

    fn forward(
        &self,
        (x, skip): conv_block::Inputs<CubeBackend>,
        parameters: conv_block::Parameters<CubeBackend>,
        keep: bool,
    ) -> (CubeTensor, Option<CubeTensor>) {
        let (parameters, dtype) = (named(parameters), x.dtype);
        match *self {
            Self::Tiled { pooled } => {
                conv3x3::conv3x3(Inputs { x, skip }, parameters, pooled, keep, dtype)
            }
            Self::Direct(geometry) => direct::convolution(x, parameters, geometry, keep, dtype),
        }
    }

    fn forward_kept(
        &self,
        inputs: conv_block::Inputs<CubeBackend>,
        parameters: conv_block::Parameters<CubeBackend>,
    ) -> (CubeTensor, CubeTensor) {
        match self.forward(inputs, parameters, true) {
            (y, Some(kept)) => (y, kept),
            (_, None) => unreachable!("it was to be kept"),
        }
    }

    fn backward(
        &self,
        (x, skip): conv_block::Inputs<CubeBackend>,
        parameters: Parameters,
        (kept, grad): (CubeTensor, CubeTensor),
        [x_wanted, skip_wanted]: [bool; 2],
    ) -> BlockGradients<CubeBackend> {
        let (k, dy) = (kept.clone(), grad.clone());
        let ((x_grad, skip_grad), gradients) = match *self {
            Self::Tiled { pooled } => {
                let inputs = Inputs { x, skip };
                let by_inputs = if x_wanted {
                    let (x, skip) = conv3x3::input_gradient(&inputs, &parameters, k, dy, pooled);
                    (Some(x), skip.filter(|_| skip_wanted))
                } else {
                    (None, None)
                };
                let by_parameters =
                    conv3x3::parameter_gradients(inputs, &parameters, kept, grad, pooled);
                (by_inputs, by_parameters)
            }
            Self::Direct(geometry) => {
                let by_x =
                    x_wanted.then(|| direct::input_gradient(&x, &parameters, k, dy, geometry));
                let by_parameters =
                    direct::parameter_gradients(x, &parameters, kept, grad, geometry);
                ((by_x, None), by_parameters)
            }
        };
        let Parameters {
            weight,
            bias,
            slope,
        } = gradients;
        BlockGradients::new(x_grad, skip_grad, (weight, bias, slope))
    }
}

fn named((weight, bias, slope): conv_block::Parameters<CubeBackend>) -> Parameters {
    Parameters {
        weight,
        bias,
        slope,
    }
}

/// See [`crate::ScratchOps::convolution_backward`].
pub(crate) fn convolution_backward(
    x: CubeTensor,
    weight: CubeTensor,
    output_grad: CubeTensor,
    convolution: Convolution,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    if convolution.geometry.groups() != 1 {
        return conv_block::convolution_backward::<CubeBackend>(
            x,
            weight,
            output_grad,
            convolution,
        );
    }
    let parameters = Parameters::linear(weight, output_grad.shape()[1]);
    // The backward pass of the identity does not depend on its input: the gradient takes its place.
    let gradients = (output_grad.clone(), output_grad);
    let algorithm = Algorithm::new(&convolution);
    match algorithm.backward((x, None), parameters, gradients, [true, false]) {
        BlockGradients::WithInput {
            x, weight, bias, ..
        } => (x, weight, bias),
        _ => unreachable!("that by the input was wanted, and there is one input"),
    }
}

/// See [`crate::ScratchOps::conv_block`].
pub(crate) fn conv_block(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    slope: CubeTensor,
    convolution: Convolution,
) -> CubeTensor {
    let algorithm = Algorithm::new(&convolution);
    algorithm.forward((x, None), (weight, bias, slope), false).0
}

/// See [`crate::ScratchOps::conv_block_kept`].
pub(crate) fn conv_block_kept(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    slope: CubeTensor,
    convolution: Convolution,
) -> (CubeTensor, CubeTensor) {
    Algorithm::new(&convolution).forward_kept((x, None), (weight, bias, slope))
}

/// See [`crate::ScratchOps::conv_block_backward`].
#[allow(clippy::too_many_arguments)] // As the op.
pub(crate) fn conv_block_backward(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    slope: CubeTensor,
    kept: CubeTensor,
    output_grad: CubeTensor,
    convolution: Convolution,
    [x_wanted, _]: [bool; 2],
) -> BlockGradients<CubeBackend> {
    let (inputs, parameters) = ((x, None), named((weight, bias, slope)));
    let wanted = [x_wanted, false];
    Algorithm::new(&convolution).backward(inputs, parameters, (kept, output_grad), wanted)
}

const POOLED: Algorithm = Algorithm::Tiled { pooled: true };

/// See [`crate::ScratchOps::pooled_conv_block`].
pub(crate) fn pooled_conv_block(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    slope: CubeTensor,
) -> CubeTensor {
    POOLED.forward((x, None), (weight, bias, slope), false).0
}

/// See [`crate::ScratchOps::pooled_conv_block_kept`].
pub(crate) fn pooled_conv_block_kept(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    slope: CubeTensor,
) -> (CubeTensor, CubeTensor) {
    POOLED.forward_kept((x, None), (weight, bias, slope))
}

/// See [`crate::ScratchOps::pooled_conv_block_backward`].
pub(crate) fn pooled_conv_block_backward(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    slope: CubeTensor,
    kept: CubeTensor,
    output_grad: CubeTensor,
    [x_wanted, _]: [bool; 2],
) -> BlockGradients<CubeBackend> {
    let (inputs, parameters) = ((x, None), named((weight, bias, slope)));
    POOLED.backward(inputs, parameters, (kept, output_grad), [x_wanted, false])
}

const UPSAMPLED: Algorithm = Algorithm::Tiled { pooled: false };

/// See [`crate::ScratchOps::upsampled_conv_block`].
pub(crate) fn upsampled_conv_block(
    x: CubeTensor,
    skip: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    slope: CubeTensor,
) -> CubeTensor {
    let inputs = (x, Some(skip));
    UPSAMPLED.forward(inputs, (weight, bias, slope), false).0
}

/// See [`crate::ScratchOps::upsampled_conv_block_kept`].
pub(crate) fn upsampled_conv_block_kept(
    x: CubeTensor,
    skip: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    slope: CubeTensor,
) -> (CubeTensor, CubeTensor) {
    UPSAMPLED.forward_kept((x, Some(skip)), (weight, bias, slope))
}

/// See [`crate::ScratchOps::upsampled_conv_block_backward`].
#[allow(clippy::too_many_arguments)] // As the op.
pub(crate) fn upsampled_conv_block_backward(
    x: CubeTensor,
    skip: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    slope: CubeTensor,
    kept: CubeTensor,
    output_grad: CubeTensor,
    [x_wanted, skip_wanted, _]: [bool; 3],
) -> BlockGradients<CubeBackend> {
    let (inputs, parameters) = ((x, Some(skip)), named((weight, bias, slope)));
    let wanted = [x_wanted, skip_wanted];
    UPSAMPLED.backward(inputs, parameters, (kept, output_grad), wanted)
}
