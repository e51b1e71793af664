//! Activations as layers.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use super::{Gradients, Layer, Vjp};
use crate::activation::{relu, sigmoid};
use crate::ops::ScratchOps;

/// Rectified linear unit: `max(x, 0)`.
#[derive(Clone, Copy, Debug)]
pub struct ReLU;

impl Layer for ReLU {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        relu(x)
    }

    fn forward_and_vjp(&self, x: Tensor<4>) -> (Tensor<4>, Vjp) {
        let y = relu(x.clone());
        let vjp = move |dy: Tensor<4>| {
            let dx = <Dispatch as ScratchOps>::relu_backward(x.into_dispatch(), dy.into_dispatch());
            Gradients::of_input(Tensor::from_dispatch(dx))
        };
        (y, Box::new(vjp))
    }
}

/// Logistic function: `1 / (1 + exp(-x))`.
#[derive(Clone, Copy, Debug)]
pub struct Sigmoid;

impl Layer for Sigmoid {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        sigmoid(x)
    }

    fn forward_and_vjp(&self, x: Tensor<4>) -> (Tensor<4>, Vjp) {
        let y = sigmoid(x);
        let output = y.clone();
        let vjp = move |dy: Tensor<4>| {
            let dx = <Dispatch as ScratchOps>::sigmoid_backward(
                output.into_dispatch(),
                dy.into_dispatch(),
            );
            Gradients::of_input(Tensor::from_dispatch(dx))
        };
        (y, Box::new(vjp))
    }
}
