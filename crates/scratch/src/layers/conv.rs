//! Convolution and transposed convolution as layers.

use burn::backend::Dispatch;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Tensor;

use super::{Gradients, Layer, Parameters, Vjp};
use crate::conv_transpose2d::{conv_transpose2d_weight_backward, conv_transpose2d_x_backward};
use crate::conv2d::{bias_backward, conv2d_weight_backward, conv2d_x_backward};
use crate::functions::{conv_transpose2d, conv2d};
use crate::modules::{check_conv_transpose2d, check_conv2d};
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
        let (geometry, weight) = (self.geometry, self.parameters.weight.clone());
        let biased = self.parameters.bias.is_some();
        let vjp = move |dy: Tensor<4>| {
            let [_, _, height, width] = x.dims();
            let (x, weight, dy) = (
                x.into_dispatch(),
                weight.into_dispatch(),
                dy.into_dispatch(),
            );
            let dx = conv2d_x_backward::<Dispatch>(weight, dy.clone(), geometry, [height, width]);
            let d_weight = conv2d_weight_backward::<Dispatch>(x, dy.clone(), geometry);
            let d_bias = biased.then(|| bias_backward::<Dispatch>(dy));
            Gradients::of_kernel(dx, d_weight, d_bias)
        };
        (y, Box::new(vjp))
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
        let (geometry, weight) = (self.geometry, self.parameters.weight.clone());
        let biased = self.parameters.bias.is_some();
        let vjp = move |dy: Tensor<4>| {
            let [_, _, height, width] = x.dims();
            let size = [height, width];
            let (x, weight, dy) = (
                x.into_dispatch(),
                weight.into_dispatch(),
                dy.into_dispatch(),
            );
            let dx = conv_transpose2d_x_backward::<Dispatch>(weight, dy.clone(), geometry, size);
            let d_weight = conv_transpose2d_weight_backward::<Dispatch>(x, dy.clone(), geometry);
            let d_bias = biased.then(|| bias_backward::<Dispatch>(dy));
            Gradients::of_kernel(dx, d_weight, d_bias)
        };
        (y, Box::new(vjp))
    }

    fn parameters(&mut self) -> Option<&mut Parameters> {
        Some(&mut self.parameters)
    }
}

impl Gradients {
    fn of_kernel(
        x: FloatTensor<Dispatch>,
        weight: FloatTensor<Dispatch>,
        bias: Option<FloatTensor<Dispatch>>,
    ) -> Self {
        Self {
            x: Tensor::from_dispatch(x),
            weight: Some(Tensor::from_dispatch(weight)),
            bias: bias.map(Tensor::from_dispatch),
        }
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
}
