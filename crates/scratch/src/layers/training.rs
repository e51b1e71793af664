//! The loss and the update rule.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use super::Sequential;
use crate::functions::mse;
use crate::ops::ScratchOps;

/// Mean squared error: `mean((x - y)^2)` over all elements.
#[derive(Clone, Copy, Debug)]
pub struct Mse;

impl Mse {
    /// The loss, a vector of one element.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn forward(&self, x: Tensor<4>, y: Tensor<4>) -> Tensor<1> {
        mse(x, y)
    }

    /// The loss and its gradient with respect to `x`: `2 * (x - y) / numel`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn forward_and_vjp(&self, x: Tensor<4>, y: Tensor<4>) -> (Tensor<1>, Tensor<4>) {
        let loss = mse(x.clone(), y.clone());
        let (x, y, one) = (x.into_dispatch(), y.into_dispatch(), loss.ones_like());
        let dx = <Dispatch as ScratchOps>::mse_backward(x, y, one.into_dispatch());
        (loss, Tensor::from_dispatch(dx))
    }
}

/// Stochastic gradient descent: `w <- w - lr * dL/dw`.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    /// Learning rate.
    pub lr: f64,
}

impl Sgd {
    /// Moves every parameter that has a gradient, and takes the gradients away.
    pub fn step(&self, network: &mut Sequential) {
        for parameters in network.parameters() {
            if let Some(gradient) = parameters.d_weight.take() {
                parameters.weight = parameters.weight.clone() - gradient * self.lr;
            }
            if let (Some(bias), Some(gradient)) = (&mut parameters.bias, parameters.d_bias.take()) {
                *bias = bias.clone() - gradient * self.lr;
            }
        }
    }
}
