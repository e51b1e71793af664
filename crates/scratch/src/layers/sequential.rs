//! Layers one after the other.

use burn::tensor::Tensor;

use super::{Layer, Parameters};

/// Layers one after the other.
#[derive(Debug)]
pub struct Sequential {
    layers: Vec<Box<dyn Layer>>,
}

impl Sequential {
    /// These layers, the first one first.
    pub fn new(layers: Vec<Box<dyn Layer>>) -> Self {
        Self { layers }
    }

    /// The last layer's output.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.layers.iter().fold(x, |x, layer| layer.forward(x))
    }

    /// A forward and a backward pass: fills `d_weight` and `d_bias` of every layer, and returns the
    /// loss and dL/dx.
    ///
    /// `vjp_loss` turns the output into the loss and dL/doutput, see
    /// [`Mse::forward_and_vjp`](super::Mse::forward_and_vjp).
    pub fn forward_and_vjp(
        &mut self,
        x: Tensor<4>,
        vjp_loss: impl FnOnce(Tensor<4>) -> (Tensor<1>, Tensor<4>),
    ) -> (Tensor<1>, Tensor<4>) {
        let mut vjps = Vec::with_capacity(self.layers.len());
        let mut y = x;
        for layer in &self.layers {
            let (output, vjp) = layer.forward_and_vjp(y);
            vjps.push(vjp);
            y = output;
        }
        let (loss, mut grad) = vjp_loss(y);
        for (layer, vjp) in self.layers.iter_mut().zip(vjps).rev() {
            let gradients = vjp(grad);
            if let Some(parameters) = layer.parameters() {
                parameters.d_weight = gradients.weight;
                parameters.d_bias = gradients.bias;
            }
            grad = gradients.x;
        }
        (loss, grad)
    }

    /// Parameters of the layers that have any, the first one first.
    pub fn parameters(&mut self) -> impl Iterator<Item = &mut Parameters> {
        self.layers
            .iter_mut()
            .filter_map(|layer| layer.parameters())
    }
}
