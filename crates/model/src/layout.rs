//! The parameters of a network as one vector.
//!
//! An optimizer takes a step on one vector in as many operations as on one parameter, and a graphics device is as
//! long at each of them.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use n2n_scratch::Place;

use crate::Network;

/// Parameters start at multiples of this many elements: the start of each is then a place from which every graphics
/// device can bind a buffer, and a parameter is a view of the vector.
const ALIGNMENT: usize = 64;

/// Where each parameter of a network lies in the vector of all; the elements between them are 0.
///
/// Parameters are those that have gradients, in the network's order. Running statistics are none.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pieces: Vec<Piece>,
    elements: usize,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// What autodiff and optimizers know it by.
    pub id: ParamId,
    /// Index of its first element in the vector.
    pub start: usize,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl Piece {
    /// Number of its elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Layout {
    /// The layout of a network on a device with autodiff.
    pub fn of(network: &Network) -> Self {
        let mut layout = Self {
            pieces: Vec::new(),
            elements: 0,
        };
        network.visit(&mut layout);
        layout
    }

    /// The parameters, in the order of the vector.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Elements of the vector.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// The place of a parameter, if it is one of the network's.
    ///
    /// # Panics
    /// If it has another rank.
    pub(crate) fn place<const D: usize>(&self, id: ParamId) -> Option<Place<D>> {
        let piece = self.pieces.iter().find(|piece| piece.id == id)?;
        let shape = <[usize; D]>::try_from(piece.shape.as_slice());
        Some(Place {
            start: piece.start,
            shape: shape.unwrap_or_else(|_| panic!("expected {D} axes, got {:?}", piece.shape)),
        })
    }

    /// The vector of a network's parameters, without autodiff.
    pub fn join(&self, network: &Network) -> Tensor<1> {
        let mut values = GradientsParams::new();
        network.visit(&mut Values(&mut values));
        self.join_gradients(network, values)
    }

    /// The vector of the gradients of a network's parameters; of those that have none, zeros.
    pub fn join_gradients(&self, network: &Network, gradients: GradientsParams) -> Tensor<1> {
        let mut join = Join {
            layout: self,
            gradients,
            parts: Vec::new(),
            end: 0,
        };
        network.visit(&mut join);
        let Join { mut parts, end, .. } = join;
        if end < self.elements {
            let device = network.devices().swap_remove(0).inner();
            parts.push(Tensor::zeros([self.elements - end], &device));
        }
        Tensor::cat(parts, 0)
    }

    /// The network with the parameters of the vector, on its device, with autodiff where it has it.
    pub fn split(&self, vector: &Tensor<1>, network: Network) -> Network {
        let mut split = Split {
            layout: self,
            vector,
        };
        network.map(&mut split)
    }

    fn piece(&self, id: ParamId) -> Option<&Piece> {
        self.pieces.iter().find(|piece| piece.id == id)
    }
}

impl ModuleVisitor for Layout {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if value.is_require_grad() {
            let shape = value.dims();
            self.pieces.push(Piece {
                id: param.id,
                start: self.elements,
                shape: shape.to_vec(),
            });
            let end = self.elements + shape.iter().product::<usize>();
            self.elements = end.next_multiple_of(ALIGNMENT);
        }
    }
}

/// Burn's only container for tensors of any rank is named after gradients.
struct Values<'a>(&'a mut GradientsParams);

impl ModuleVisitor for Values<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val().without_autodiff());
    }
}

struct Join<'a> {
    layout: &'a Layout,
    gradients: GradientsParams,
    parts: Vec<Tensor<1>>,
    end: usize,
}

impl Join<'_> {
    fn zeros_to(&mut self, start: usize, device: &Device) {
        if self.end < start {
            self.parts.push(Tensor::zeros([start - self.end], device));
        }
        self.end = start;
    }
}

impl ModuleVisitor for Join<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(piece) = self.layout.piece(param.id) else {
            return;
        };
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.zeros_to(piece.start, &gradient.device());
            self.parts.push(gradient.reshape([piece.elements()]));
            self.end += piece.elements();
        }
    }
}

struct Split<'a> {
    layout: &'a Layout,
    vector: &'a Tensor<1>,
}

impl ModuleMapper for Split<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(piece) = self.layout.piece(param.id) else {
            return param;
        };
        let range = piece.start..piece.start + piece.elements();
        let value = self.vector.clone().slice([range]);
        param.map(|before| {
            let value = value.reshape(before.shape());
            if before.is_autodiff() {
                value.autodiff().set_require_grad(before.is_require_grad())
            } else {
                value
            }
        })
    }
}
