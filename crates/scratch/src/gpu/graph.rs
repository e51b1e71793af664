//! The gradients of a graph by its parameters, all added up at once.

use burn::backend::wgpu::{CubeBackend, CubeTensor};
use burn::tensor::Shape;
use n2n_gpu::conv3x3::{self, Inputs};
use n2n_gpu::{FlatGradients, Starts};

use super::named;
use crate::conv_block;
use crate::graph::{self, Block, Graph, Slope, Sums};

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

    fn new(
        blocks: &[Block],
        reads: &[conv_block::Inputs<CubeBackend>],
        parameters: &CubeTensor,
    ) -> Self {
        let inputs: Vec<Inputs> = reads.iter().cloned().map(inputs).collect();
        let weights = blocks.iter().map(|block| block.weight.shape);
        Self(FlatGradients::new(inputs.iter().zip(weights), parameters))
    }

    fn backward(
        &mut self,
        block: &Block,
        read: conv_block::Inputs<CubeBackend>,
        parameters: conv_block::Parameters<CubeBackend>,
        (kept, dy): (CubeTensor, CubeTensor),
        [x_wanted, skip_wanted]: [bool; 2],
    ) -> [Option<CubeTensor>; 2] {
        let (inputs, parameters) = (inputs(read), named(parameters));
        let by_inputs = if x_wanted || skip_wanted {
            let (kept, dy) = (kept.clone(), dy.clone());
            let (x, skip) = conv3x3::input_gradient(&inputs, &parameters, kept, dy, block.pooled);
            [Some(x), skip]
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
        self.0
            .add(inputs, &parameters, (kept, dy), block.pooled, starts);
        by_inputs
    }

    fn gradient(self) -> CubeTensor {
        self.0.summed()
    }
}

fn inputs((x, skip): conv_block::Inputs<CubeBackend>) -> Inputs {
    Inputs { x, skip }
}
