//! Convolution and transposed convolution as layers.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use super::{Gradients, Layer, Parameters, Vjp};
use crate::conv_block::{Convolution, Direction};
use crate::functions::{conv_transpose2d, conv2d};
use crate::modules::{check_conv_transpose2d, check_conv2d};
use crate::ops::ScratchOps;
use crate::{ConvGeometry, GeometryError};

/// Two-dimensional convolution, see [`conv2d()`](crate::conv2d()).
#[derive(Clone, Debug)]
pub struct Conv2d {
    parameters: Parameters,
    geometry: ConvGeometry,
}

impl Conv2d {
    /// A layer with these parameters.
    ///
    /// # Shapes
    /// - `weight`: `[channels_out, channels_in / groups, kernel_height, kernel_width]`
    /// - `bias`: `[channels_out]`
    ///
    /// # Errors
    /// When weight, bias and geometry do not fit each other.
    pub fn new(
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        geometry: ConvGeometry,
    ) -> Result<Self, GeometryError> {
        check_conv2d(&geometry, &weight, bias.as_ref())?;
        Ok(Self {
            parameters: Parameters::new(weight, bias),
            geometry,
        })
    }
}

impl Layer for Conv2d {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let Parameters { weight, bias, .. } = self.parameters.clone();
        conv2d(x, weight, bias, &self.geometry)
    }

    fn forward_and_vjp(&self, x: Tensor<4>) -> (Tensor<4>, Vjp) {
        let y = self.forward(x.clone());
        let vjp = self
            .parameters
            .vjp(x, &y, Direction::Forward, self.geometry);
        (y, vjp)
    }

    fn parameters(&mut self) -> Option<&mut Parameters> {
        Some(&mut self.parameters)
    }
}

/// Two-dimensional transposed convolution, see [`conv_transpose2d()`](crate::conv_transpose2d()).
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    parameters: Parameters,
    geometry: ConvGeometry,
    padding_out: [usize; 2],
}

impl ConvTranspose2d {
    /// A layer with these parameters.
    ///
    /// # Shapes
    /// - `weight`: `[channels_in, channels_out / groups, kernel_height, kernel_width]`
    /// - `bias`: `[channels_out]`
    ///
    /// # Errors
    /// When weight, bias and geometry do not fit each other.
    pub fn new(
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        geometry: ConvGeometry,
        padding_out: [usize; 2],
    ) -> Result<Self, GeometryError> {
        check_conv_transpose2d(&geometry, &weight, bias.as_ref(), padding_out)?;
        Ok(Self {
            parameters: Parameters::new(weight, bias),
            geometry,
            padding_out,
        })
    }
}

impl Layer for ConvTranspose2d {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let Parameters { weight, bias, .. } = self.parameters.clone();
        conv_transpose2d(x, weight, bias, &self.geometry, self.padding_out)
    }

    fn forward_and_vjp(&self, x: Tensor<4>) -> (Tensor<4>, Vjp) {
        let y = self.forward(x.clone());
        let vjp = self
            .parameters
            .vjp(x, &y, Direction::Transposed, self.geometry);
        (y, vjp)
    }

    fn parameters(&mut self) -> Option<&mut Parameters> {
        Some(&mut self.parameters)
    }
}

impl Parameters {
    fn new(weight: Tensor<4>, bias: Option<Tensor<1>>) -> Self {
        Self {
            weight,
            bias,
            d_weight: None,
            d_bias: None,
        }
    }

    /// Turns dL/dy into the gradients of a convolution with these parameters.
    fn vjp(
        &self,
        x: Tensor<4>,
        y: &Tensor<4>,
        direction: Direction,
        geometry: ConvGeometry,
    ) -> Vjp {
        let [_, _, height, width] = y.dims();
        let convolution = Convolution {
            direction,
            geometry,
            size: [height, width],
        };
        let (weight, biased) = (self.weight.clone(), self.bias.is_some());
        Box::new(move |dy: Tensor<4>| {
            let (dx, d_weight, d_bias) = <Dispatch as ScratchOps>::convolution_backward(
                x.into_dispatch(),
                weight.into_dispatch(),
                dy.into_dispatch(),
                convolution,
            );
            Gradients {
                x: Tensor::from_dispatch(dx),
                weight: Some(Tensor::from_dispatch(d_weight)),
                bias: biased.then(|| Tensor::from_dispatch(d_bias)),
            }
        })
    }
}
