//! Networks of convolution blocks as one op: the loss of a training step, and its gradient by all parameters at
//! once.
//!
//! A tape keeps a gradient for each use of a block or an image, and adds them up in further ops, which a graphics
//! device takes as long for as for convolutions. Here the blocks are walked backwards by hand: parameters lie one
//! after another in one vector, and so do their gradients.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata};
use burn::tensor::{FloatDType, Shape, Slice, Tensor, TensorData};

use crate::ConvGeometry;
use crate::conv_block::{Convolution, Direction, Inputs, Parameters};
use crate::ops::{ScratchOps, size};

/// Blocks in the order of their computation, and what becomes of the last one's images.
#[derive(Clone, Debug)]
pub struct Graph {
    blocks: Arc<[Block]>,
    head: Head,
    /// What blocks store, but for the last one.
    stored: FloatDType,
}

/// A convolution, an activation, and what surrounds them.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The convolution's geometry.
    pub kernel: Kernel,
    /// What it reads.
    pub x: Source,
    /// Images that are concatenated to `x`, which is upsampled by 2 (nearest neighbour) for that, with
    /// [`Kernel::Same3x3`] only.
    pub skip: Option<Source>,
    /// Whether 2x2 max-pooling follows, with [`Kernel::Same3x3`] and without a skip only.
    pub pooled: bool,
    /// The kernel: `[channels_out, channels_in, height, width]`, a transposed convolution's
    /// `[channels_in, channels_out, height, width]`.
    pub weight: Place<4>,
    /// The bias: `[channels_out]`.
    pub bias: Place<1>,
    /// The factor of values that are not positive.
    pub slope: Slope,
}

/// What a convolution does to the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// 3x3, stride 1, padding 1.
    Same3x3,
    /// Any other, without groups.
    Other(Direction, ConvGeometry),
}

/// Images that a block reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The network's input.
    Input,
    /// The output of a block before, by its index.
    Block(usize),
}

/// The elements of one parameter among those of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<const D: usize> {
    /// Index of the first one.
    pub start: usize,
    /// The parameter's shape.
    pub shape: [usize; D],
}

/// The factor of values that are not positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slope {
    /// One parameter, or one for each channel.
    Learned(Place<1>),
    /// A constant: 0 is a ReLU, 1 no activation.
    Constant(f32),
}

/// The network's output, given the last block's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// The logistic function of it.
    Sigmoid,
    /// The network's input plus it.
    Residual,
    /// As it is.
    Linear,
}

impl<const D: usize> Place<D> {
    fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    fn of<B: ScratchOps, S: Sums<B>>(&self, parameters: &FloatTensor<B>) -> FloatTensor<B> {
        S::parameter(parameters, self.start, Shape::new(self.shape))
    }
}

impl Graph {
    /// A network of these blocks.
    ///
    /// # Panics
    /// If there is no block, or one reads a block that is not before it, or has a skip or pooling or groups where it
    /// may not.
    pub fn new(blocks: Vec<Block>, head: Head) -> Self {
        assert!(!blocks.is_empty(), "expected blocks");
        for (index, block) in blocks.iter().enumerate() {
            let sources = [Some(block.x), block.skip];
            let is_before = |source| match source {
                Some(Source::Block(read)) => read < index,
                _ => true,
            };
            assert!(
                sources.into_iter().all(is_before),
                "block {index} reads {sources:?}"
            );
            let is_possible = match block.kernel {
                Kernel::Same3x3 => !(block.pooled && block.skip.is_some()),
                Kernel::Other(_, geometry) => {
                    !block.pooled && block.skip.is_none() && geometry.groups() == 1
                }
            };
            assert!(is_possible, "block {index} is no op: {block:?}");
        }
        Self {
            blocks: blocks.into(),
            head,
            stored: FloatDType::F32,
        }
    }

    /// The same with the outputs of blocks, and what they keep for their gradients, stored as another type, which
    /// the last one's output is not; sums and gradients stay f32.
    #[must_use]
    pub fn storing(self, stored: FloatDType) -> Self {
        Self { stored, ..self }
    }

    /// The mean squared error of the network's output for a batch, and its gradient by the parameters.
    ///
    /// # Shapes
    /// - `parameters`, the gradient: `[parameters]`, without autodiff
    /// - `input`, `target`: `[batch_size, channels, height, width]`
    /// - the loss: `[1]`
    ///
    /// # Panics
    /// If shapes do not fit.
    pub fn loss_and_gradient(
        &self,
        parameters: Tensor<1>,
        input: Tensor<4>,
        target: Tensor<4>,
    ) -> (Tensor<1>, Tensor<1>) {
        let (loss, gradient) = <Dispatch as ScratchOps>::graph_step(
            input.into_dispatch(),
            target.into_dispatch(),
            parameters.into_dispatch(),
            self.clone(),
        );
        (Tensor::from_dispatch(loss), Tensor::from_dispatch(gradient))
    }
}

/// How parameters are taken from their vector, and gradients by them are added up.
pub(crate) trait Sums<B: ScratchOps>: Sized {
    /// The parameter of a shape whose elements start at an index.
    fn parameter(parameters: &FloatTensor<B>, start: usize, shape: Shape) -> FloatTensor<B>;

    /// The output of a block, rounded to a type, and what its gradients need.
    fn forward(
        block: &Block,
        read: Inputs<B>,
        parameters: Parameters<B>,
        stored: FloatDType,
    ) -> (FloatTensor<B>, FloatTensor<B>);

    /// No gradients yet; of each block, what it reads.
    fn new(blocks: &[Block], reads: &[Inputs<B>], parameters: &FloatTensor<B>) -> Self;

    /// The gradients of a block by what it reads, as far as they are wanted, given what it kept and the gradient
    /// of its output; those by its parameters are added.
    fn backward(
        &mut self,
        block: &Block,
        read: Inputs<B>,
        parameters: Parameters<B>,
        kept: (FloatTensor<B>, FloatTensor<B>),
        wanted: [bool; 2],
    ) -> [Option<FloatTensor<B>>; 2];

    /// The sums, as the parameters lie; zeros where there is no parameter.
    fn gradient(self) -> FloatTensor<B>;
}

/// See [`Graph::loss_and_gradient`].
pub(crate) fn graph_step<B: ScratchOps>(
    input: FloatTensor<B>,
    target: FloatTensor<B>,
    parameters: FloatTensor<B>,
    graph: Graph,
) -> (FloatTensor<B>, FloatTensor<B>) {
    step::<B, Pieces<B>>(input, target, parameters, &graph)
}

/// [`graph_step`] with sums of a kind.
pub(crate) fn step<B: ScratchOps, S: Sums<B>>(
    input: FloatTensor<B>,
    target: FloatTensor<B>,
    parameters: FloatTensor<B>,
    graph: &Graph,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let Trace { reads, kept, last } = Trace::<B>::forward::<S>(graph, &input, &parameters);
    let (loss, last_grad) = graph.head.loss_and_gradient::<B>(input, last, target);
    let mut sums = S::new(&graph.blocks, &reads, &parameters);
    let mut gradients: Vec<Option<FloatTensor<B>>> = vec![None; graph.blocks.len() - 1];
    gradients.push(Some(last_grad));
    let blocks = graph.blocks.iter().zip(reads).zip(kept).rev();
    for ((block, read), kept) in blocks {
        let Some(dy) = gradients.pop().flatten() else {
            continue; // Nothing reads it.
        };
        let sources = [Some(block.x), block.skip];
        let wanted = sources.map(|source| matches!(source, Some(Source::Block(_))));
        let by_reads = sums.backward(
            block,
            read,
            block.parameters::<B, S>(&parameters),
            (kept, dy),
            wanted,
        );
        for (source, gradient) in sources.into_iter().zip(by_reads) {
            if let (Some(Source::Block(index)), Some(gradient)) = (source, gradient) {
                gradients[index] = Some(match gradients[index].take() {
                    Some(before) => B::float_add(before, gradient),
                    None => gradient,
                });
            }
        }
    }
    (loss, sums.gradient())
}

/// A forward pass: what each block read and kept, and the last one's images.
struct Trace<B: Backend> {
    reads: Vec<Inputs<B>>,
    kept: Vec<FloatTensor<B>>,
    last: FloatTensor<B>,
}

impl<B: ScratchOps> Trace<B> {
    fn forward<S: Sums<B>>(
        graph: &Graph,
        input: &FloatTensor<B>,
        parameters: &FloatTensor<B>,
    ) -> Self {
        let (mut reads, mut kept) = (Vec::new(), Vec::new());
        let mut outputs: Vec<FloatTensor<B>> = Vec::new();
        for (index, block) in graph.blocks.iter().enumerate() {
            let images = |source| match source {
                Source::Input => input.clone(),
                Source::Block(index) => outputs[index].clone(),
            };
            let read = (images(block.x), block.skip.map(images));
            let is_last = index + 1 == graph.blocks.len();
            let stored = if is_last {
                FloatDType::F32
            } else {
                graph.stored
            };
            let own = block.parameters::<B, S>(parameters);
            let (y, of_y) = S::forward(block, read.clone(), own, stored);
            reads.push(read);
            kept.push(of_y);
            outputs.push(y);
        }
        // Others that are needed are among the reads.
        let last = outputs.pop();
        Self {
            reads,
            kept,
            last: last.unwrap_or_else(|| unreachable!("there are blocks")),
        }
    }
}

impl Block {
    fn parameters<B: ScratchOps, S: Sums<B>>(&self, parameters: &FloatTensor<B>) -> Parameters<B> {
        let slope = match self.slope {
            Slope::Learned(place) => place.of::<B, S>(parameters),
            Slope::Constant(value) => constant::<B>(value, parameters),
        };
        let (weight, bias) = (self.weight, self.bias);
        (
            weight.of::<B, S>(parameters),
            bias.of::<B, S>(parameters),
            slope,
        )
    }

    /// The convolution of images of a size.
    ///
    /// # Panics
    /// If they are smaller than the kernel.
    pub(crate) fn convolution(&self, size: [usize; 2]) -> Convolution {
        let Kernel::Other(direction, geometry) = self.kernel else {
            return Convolution::same3x3(size);
        };
        let size = match direction {
            Direction::Forward => geometry.output_size(size),
            Direction::Transposed => geometry.transposed_size(size, [0, 0]),
        };
        Convolution {
            direction,
            geometry,
            size: size.unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// The output, and what the gradients need besides the arguments.
    fn forward<B: ScratchOps>(
        &self,
        (x, skip): Inputs<B>,
        (weight, bias, slope): Parameters<B>,
    ) -> (FloatTensor<B>, FloatTensor<B>) {
        match skip {
            Some(skip) => B::upsampled_conv_block_kept(x, skip, weight, bias, slope),
            None if self.pooled => B::pooled_conv_block_kept(x, weight, bias, slope),
            None => {
                let convolution = self.convolution(size::<B>(&x));
                B::conv_block_kept(x, weight, bias, slope, convolution)
            }
        }
    }

    /// Its gradients by what it reads, as far as they are wanted, and by its parameters.
    fn backward<B: ScratchOps>(
        &self,
        (x, skip): Inputs<B>,
        (weight, bias, slope): Parameters<B>,
        (kept, dy): (FloatTensor<B>, FloatTensor<B>),
        [x_wanted, skip_wanted]: [bool; 2],
    ) -> ([Option<FloatTensor<B>>; 2], Parameters<B>) {
        let slope_wanted = matches!(self.slope, Slope::Learned(_));
        let gradients = match skip {
            Some(skip) => {
                // That by `skip` comes with that by `x`.
                let wanted = [x_wanted || skip_wanted, skip_wanted, slope_wanted];
                B::upsampled_conv_block_backward(x, skip, weight, bias, slope, kept, dy, wanted)
            }
            None if self.pooled => {
                let wanted = [x_wanted, slope_wanted];
                B::pooled_conv_block_backward(x, weight, bias, slope, kept, dy, wanted)
            }
            None => {
                let convolution = self.convolution(size::<B>(&x));
                let wanted = [x_wanted, slope_wanted];
                B::conv_block_backward(x, weight, bias, slope, kept, dy, convolution, wanted)
            }
        };
        let (x, skip, parameters) = gradients.into_parts();
        ([x, skip], parameters)
    }
}

impl Head {
    /// The mean squared error, and its gradient by the last block's output.
    fn loss_and_gradient<B: ScratchOps>(
        self,
        input: FloatTensor<B>,
        last: FloatTensor<B>,
        target: FloatTensor<B>,
    ) -> (FloatTensor<B>, FloatTensor<B>) {
        let output = match self {
            Self::Sigmoid => <B as ScratchOps>::sigmoid(last),
            Self::Residual => B::float_add(input, last),
            Self::Linear => last,
        };
        let loss = B::mse(output.clone(), target.clone());
        let one = constant::<B>(1.0, &output);
        let output_grad = B::mse_backward(output.clone(), target, one);
        let last_grad = match self {
            Self::Sigmoid => <B as ScratchOps>::sigmoid_backward(output, output_grad),
            Self::Residual | Self::Linear => output_grad,
        };
        (loss, last_grad)
    }
}

/// A vector of one, on the device of another tensor.
fn constant<B: Backend>(value: f32, like: &FloatTensor<B>) -> FloatTensor<B> {
    let data = TensorData::new(vec![value], [1]).convert_dtype(like.dtype());
    B::float_from_data(data, &like.device())
}

/// Numbers as they are after they were stored as f16, if that is what they are stored as.
fn rounded<B: Backend>(x: FloatTensor<B>, stored: FloatDType) -> FloatTensor<B> {
    if stored != FloatDType::F16 {
        return x;
    }
    let own = FloatDType::from(x.dtype());
    B::float_cast(B::float_cast(x, stored), own)
}

/// Gradients of parameters, each a vector, by where they start.
struct Pieces<B: Backend> {
    pieces: BTreeMap<usize, FloatTensor<B>>,
    zeros: FloatTensor<B>,
}

impl<B: Backend> Pieces<B> {
    fn add<const D: usize>(&mut self, place: Place<D>, gradient: FloatTensor<B>) {
        let gradient = B::float_reshape(gradient, Shape::new([place.elements()]));
        let sum = match self.pieces.remove(&place.start) {
            Some(before) => B::float_add(before, gradient),
            None => gradient,
        };
        self.pieces.insert(place.start, sum);
    }
}

impl<B: ScratchOps> Sums<B> for Pieces<B> {
    fn parameter(parameters: &FloatTensor<B>, start: usize, shape: Shape) -> FloatTensor<B> {
        let range = Slice::from(start..start + shape.num_elements());
        B::float_reshape(B::float_slice(parameters.clone(), &[range]), shape)
    }

    fn forward(
        block: &Block,
        read: Inputs<B>,
        parameters: Parameters<B>,
        stored: FloatDType,
    ) -> (FloatTensor<B>, FloatTensor<B>) {
        let (y, kept) = block.forward::<B>(read, parameters);
        (rounded::<B>(y, stored), kept)
    }

    fn new(_blocks: &[Block], _reads: &[Inputs<B>], parameters: &FloatTensor<B>) -> Self {
        let (shape, device) = (parameters.shape(), parameters.device());
        let zeros = TensorData::zeros::<f32, _>(shape).convert_dtype(parameters.dtype());
        Self {
            pieces: BTreeMap::new(),
            zeros: B::float_from_data(zeros, &device),
        }
    }

    fn backward(
        &mut self,
        block: &Block,
        read: Inputs<B>,
        parameters: Parameters<B>,
        kept: (FloatTensor<B>, FloatTensor<B>),
        wanted: [bool; 2],
    ) -> [Option<FloatTensor<B>>; 2] {
        let (by_reads, (weight, bias, slope)) = block.backward::<B>(read, parameters, kept, wanted);
        self.add(block.weight, weight);
        self.add(block.bias, bias);
        if let Slope::Learned(place) = block.slope {
            self.add(place, slope);
        }
        by_reads
    }

    fn gradient(self) -> FloatTensor<B> {
        let mut gradient = Vec::new();
        let mut end = 0;
        let zeros = |from: usize, to: usize| {
            let range = Slice::from(from..to);
            (from < to).then(|| B::float_slice(self.zeros.clone(), &[range]))
        };
        for (start, piece) in self.pieces {
            gradient.extend(zeros(end, start));
            end = start + piece.shape().num_elements();
            gradient.push(piece);
        }
        gradient.extend(zeros(end, self.zeros.shape().num_elements()));
        B::float_cat(gradient, 0)
    }
}
