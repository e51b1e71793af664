//! The loss.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::loss::mse;
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
