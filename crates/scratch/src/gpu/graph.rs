//! The gradients of a graph by its parameters, all added up at once.

use burn::backend::wgpu::{CubeBackend, CubeTensor};
use burn::tensor::{FloatDType, Shape};
use n2n_gpu::conv3x3::Inputs;
use n2n_gpu::{Convolved, FlatGradients, Starts};

use super::{Algorithm, named};
use crate::conv_block;
use crate::graph::{self, Block, Graph, Slope, Sums};
use crate::ops::size;

/// See [`crate::ScratchOps::graph_step`].
pub(crate) fn graph_step(
    input: CubeTensor,
    target: CubeTensor,
    parameters: CubeTensor,
    graph: Graph,
) -> (CubeTensor, CubeTensor) {
    graph::step::<CubeBackend, Parts>(input, target, parameters, &graph)
}

struct Parts(FlatGradients);

impl Sums<CubeBackend> for Parts {
    fn parameter(parameters: &CubeTensor, start: usize, shape: Shape) -> CubeTensor {
        n2n_gpu::view(parameters, start, shape)
    }

    fn forward(
        block: &Block,
        read: conv_block::Inputs<CubeBackend>,
        parameters: conv_block::Parameters<CubeBackend>,
        stored: FloatDType,
    ) -> (CubeTensor, CubeTensor) {
        of(block, read).forward(named(parameters), stored.into())
    }

    fn new(
        blocks: &[Block],
        reads: &[conv_block::Inputs<CubeBackend>],
        parameters: &CubeTensor,
    ) -> Self {
        let convolved = blocks.iter().zip(reads.iter().cloned());
        let convolved: Vec<_> = convolved.map(|(block, read)| of(block, read)).collect();
        let shapes = blocks
            .iter()
            .map(|block| (block.weight.shape, block.bias.shape[0]));
        let convolutions = convolved.iter().zip(shapes);
        let convolutions =
            convolutions.map(|(convolved, (weight, channels))| (convolved, weight, channels));
        Self(FlatGradients::new(convolutions, parameters))
    }

    fn backward(
        &mut self,
        block: &Block,
        read: conv_block::Inputs<CubeBackend>,
        parameters: conv_block::Parameters<CubeBackend>,
        kept: (CubeTensor, CubeTensor),
        [x_wanted, skip_wanted]: [bool; 2],
    ) -> [Option<CubeTensor>; 2] {
        let (convolved, parameters) = (of(block, read), named(parameters));
        let by_inputs = if x_wanted || skip_wanted {
            convolved.input_gradient(&parameters, kept.clone())
        } else {
            [None, None]
        };
        let starts = Starts {
            weight: block.weight.start,
            bias: block.bias.start,
            slope: match block.slope {
                Slope::Learned(place) => Some(place.start),
                Slope::Constant(_) => None,
            },
        };
        self.0.add(convolved, &parameters, kept, starts);
        by_inputs
    }

    fn gradient(self) -> CubeTensor {
        self.0.summed()
    }
}

/// The kernels of a block.
fn of(block: &Block, (x, skip): conv_block::Inputs<CubeBackend>) -> Convolved {
    let convolution = block.convolution(size::<CubeBackend>(&x));
    match Algorithm::new(&convolution) {
        Algorithm::Tiled { .. } => Convolved::Tiled {
            inputs: Inputs { x, skip },
            pooled: block.pooled,
        },
        Algorithm::Direct(geometry) => Convolved::Direct { x, geometry },
    }
}
