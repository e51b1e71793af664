//! Networks from hand-written layers, the reference's interface: each layer turns dL/dy into its own gradients,
//! without Burn's autodiff.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use n2n_scratch::ConvGeometry;
//! use n2n_scratch::layers::{Conv2d, Mse, ReLU, Sequential};
//!
//! # fn main() -> Result<(), n2n_scratch::GeometryError> {
//! let device = Device::flex();
//! let weight = Tensor::<4>::full([1, 2, 1, 3], 0.5, &device);
//! let conv = Conv2d::new(weight, None, ConvGeometry::new([1, 3])?)?;
//! let mut network = Sequential::new(vec![Box::new(conv), Box::new(ReLU)]);
//!
//! let (x, target) = (Tensor::ones([4, 2, 5, 6], &device), Tensor::ones([4, 1, 5, 4], &device));
//! let vjp_loss = |y| Mse.forward_and_vjp(y, target.clone());
//! let (before, _) = network.forward_and_vjp(x.clone(), vjp_loss);
//! for learned in network.parameters() {
//!     if let Some(gradient) = learned.d_weight.take() {
//!         learned.weight = learned.weight.clone() - gradient * 0.05;
//!     }
//! }
//! let after = Mse.forward(network.forward(x), target);
//! assert!(after.into_scalar::<f32>() < before.into_scalar::<f32>());
//! # Ok(())
//! # }
//! ```

mod activation;
mod conv;
mod loss;
mod sequential;

use std::fmt::Debug;

use burn::tensor::Tensor;

pub use activation::{ReLU, Sigmoid};
pub use conv::{Conv2d, ConvTranspose2d};
pub use loss::Mse;
pub use sequential::Sequential;

/// A layer with its backward pass.
pub trait Layer: Debug {
    /// The layer's output.
    fn forward(&self, x: Tensor<4>) -> Tensor<4>;

    /// The layer's output, and its vector-Jacobian product: a closure that turns dL/dy into the gradients of
    /// input and parameters.
    fn forward_and_vjp(&self, x: Tensor<4>) -> (Tensor<4>, Vjp);

    /// The layer's parameters, if it has any.
    fn parameters(&mut self) -> Option<&mut Parameters> {
        None
    }
}

/// Turns dL/dy into dL/dx, dL/dweight and dL/dbias.
pub type Vjp = Box<dyn FnOnce(Tensor<4>) -> Gradients>;

/// Gradients of a loss with respect to input and parameters of a layer.
#[derive(Debug)]
pub struct Gradients {
    /// dL/dx
    pub x: Tensor<4>,
    /// dL/dweight
    pub weight: Option<Tensor<4>>,
    /// dL/dbias
    pub bias: Option<Tensor<1>>,
}

impl Gradients {
    /// Of a layer without parameters.
    fn of_input(x: Tensor<4>) -> Self {
        Self {
            x,
            weight: None,
            bias: None,
        }
    }
}

/// Parameters of a layer, and their gradients by the last backward pass.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// The kernel.
    pub weight: Tensor<4>,
    /// One value for each output channel.
    pub bias: Option<Tensor<1>>,
    /// dL/dweight
    pub d_weight: Option<Tensor<4>>,
    /// dL/dbias
    pub d_bias: Option<Tensor<1>>,
}
