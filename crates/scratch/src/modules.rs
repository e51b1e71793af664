//! Burn modules over the ops, with the names and shapes of Burn's own.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::functions::{
    conv_transpose2d, conv_transpose2d_activated, conv2d, conv2d_activated,
    pooled_conv2d_activated, upsampled_conv2d_activated,
};
use crate::{ConvGeometry, GeometryError};

/// Two-dimensional convolution, see [`conv2d()`](crate::conv2d()).
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `[channels_out, channels_in / groups, kernel_height, kernel_width]`
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    geometry: ConvGeometry,
}

impl Conv2d {
    /// A layer with these parameters.
    ///
    /// # Errors
    /// When weight, bias and geometry do not fit each other.
    pub fn new(
        weight: Param<Tensor<4>>,
        bias: Option<Param<Tensor<1>>>,
        geometry: ConvGeometry,
    ) -> Result<Self, GeometryError> {
        // Lazy parameters are drawn in Burn's order, the weight first.
        let (kernel, values) = (weight.val(), bias.as_ref().map(Param::val));
        check_conv2d(&geometry, &kernel, values.as_ref())?;
        Ok(Self {
            weight,
            bias,
            geometry,
        })
    }

    /// Convolves a batch.
    ///
    /// # Shapes
    /// - `x`: `[batch_size, channels_in, height, width]`
    /// - output: `[batch_size, channels_out, height_out, width_out]`
    ///
    /// # Panics
    /// If `x` has other channels, or is smaller than the kernel.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        conv2d(x, self.weight.val(), bias, &self.geometry)
    }

    /// The convolution and an activation, see [`conv2d_activated`].
    pub fn forward_activated(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        conv2d_activated(x, self.weight.val(), bias, activation, &self.geometry)
    }

    /// The convolution, an activation and 2x2 max-pooling, see [`pooled_conv2d_activated`]; kernel 3x3,
    /// stride 1, padding 1.
    pub fn forward_pooled(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        pooled_conv2d_activated(x, self.weight.val(), bias, activation)
    }

    /// The convolution of `x`, upsampled by 2 and concatenated with `skip`, and an activation, see
    /// [`upsampled_conv2d_activated`]; kernel 3x3, stride 1, padding 1.
    pub fn forward_upsampled(
        &self,
        x: Tensor<4>,
        skip: Tensor<4>,
        activation: Activation,
    ) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        upsampled_conv2d_activated(x, skip, self.weight.val(), bias, activation)
    }
}

/// Two-dimensional transposed convolution, see [`conv_transpose2d()`](crate::conv_transpose2d()).
#[derive(Module, Debug)]
pub struct ConvTranspose2d {
    /// `[channels_in, channels_out / groups, kernel_height, kernel_width]`
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    geometry: ConvGeometry,
    padding_out: [usize; 2],
}

impl ConvTranspose2d {
    /// A layer with these parameters.
    ///
    /// # Errors
    /// When weight, bias and geometry do not fit each other.
    pub fn new(
        weight: Param<Tensor<4>>,
        bias: Option<Param<Tensor<1>>>,
        geometry: ConvGeometry,
        padding_out: [usize; 2],
    ) -> Result<Self, GeometryError> {
        let (kernel, values) = (weight.val(), bias.as_ref().map(Param::val));
        check_conv_transpose2d(&geometry, &kernel, values.as_ref(), padding_out)?;
        Ok(Self {
            weight,
            bias,
            geometry,
            padding_out,
        })
    }

    /// Applies the transposed convolution to a batch.
    ///
    /// # Shapes
    /// - `x`: `[batch_size, channels_in, height, width]`
    /// - output: `[batch_size, channels_out, height_out, width_out]`
    ///
    /// # Panics
    /// If `x` has other channels, or the padding removes the whole output.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        let weight = self.weight.val();
        conv_transpose2d(x, weight, bias, &self.geometry, self.padding_out)
    }

    /// The transposed convolution and an activation, see [`conv_transpose2d_activated`].
    pub fn forward_activated(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        let weight = self.weight.val();
        conv_transpose2d_activated(
            x,
            weight,
            bias,
            activation,
            &self.geometry,
            self.padding_out,
        )
    }
}

/// Whether weight, bias and geometry of a convolution fit each other.
pub(crate) fn check_conv2d(
    geometry: &ConvGeometry,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
) -> Result<(), GeometryError> {
    let [channels_out, channels_in_group, _, _] = weight.dims();
    let groups = geometry.groups();
    geometry.with_groups(groups, channels_in_group * groups, channels_out)?;
    check(geometry, weight, bias, channels_out)
}

/// Whether weight, bias and geometry of a transposed convolution fit each other.
pub(crate) fn check_conv_transpose2d(
    geometry: &ConvGeometry,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    padding_out: [usize; 2],
) -> Result<(), GeometryError> {
    let [channels_in, channels_out_group, _, _] = weight.dims();
    let groups = geometry.groups();
    let channels_out = channels_out_group * groups;
    geometry.with_groups(groups, channels_in, channels_out)?;
    geometry.check_output_padding(padding_out)?;
    check(geometry, weight, bias, channels_out)
}

/// Whether a kernel has the geometry's size, and a bias one value for each output channel.
fn check(
    geometry: &ConvGeometry,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    channels_out: usize,
) -> Result<(), GeometryError> {
    let [_, _, height, width] = weight.dims();
    if geometry.kernel_size() != [height, width] {
        return Err(GeometryError::Kernel {
            expected: geometry.kernel_size(),
            got: [height, width],
        });
    }
    match bias.map(|bias| bias.dims()) {
        Some([got]) if got != channels_out => Err(GeometryError::Bias {
            expected: channels_out,
            got,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn mismatched_parameters_are_errors_with_both_values() {
        let device = Device::flex();
        let weight = || Param::from_tensor(Tensor::<4>::zeros([4, 2, 3, 2], &device));
        let bias = |size| Some(Param::from_tensor(Tensor::<1>::zeros([size], &device)));
        let geometry = |kernel| ConvGeometry::new(kernel).expect("no axis is zero");

        let kernel = Conv2d::new(weight(), None, geometry([2, 3])).expect_err("rotated kernel");
        assert_eq!(
            kernel.to_string(),
            "the geometry's kernel is [2, 3], but the weight's is [3, 2]"
        );
        let bias_error = Conv2d::new(weight(), bias(3), geometry([3, 2])).expect_err("short bias");
        assert_eq!(
            bias_error.to_string(),
            "there are 4 output channels, but 3 biases"
        );
        let transposed = ConvTranspose2d::new(weight(), bias(4), geometry([3, 2]), [0, 0]);
        assert_eq!(
            transposed.expect_err("long bias").to_string(),
            "there are 2 output channels, but 4 biases"
        );
        let padded = ConvTranspose2d::new(weight(), None, geometry([3, 2]), [0, 1]);
        assert_eq!(
            padded.expect_err("output padding").to_string(),
            "output_padding along the width is 1, but must be smaller than the stride 1 or the dilation 1"
        );
    }
}
