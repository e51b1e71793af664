//! Layers over the ops: Burn's parameter names, shapes and initialization.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::functions::{
    Activation, conv_transpose2d, conv_transpose2d_activated, conv2d, conv2d_activated,
    upsampled_conv2d_activated,
};
use crate::{ConvGeometry, GeometryError};

/// What Burn starts convolutions from, which is PyTorch's default: uniform in `±1/sqrt(fan_in)`.
fn default_initializer() -> Initializer {
    Initializer::KaimingUniform {
        gain: 1.0 / 3.0_f64.sqrt(),
        fan_out_only: false,
    }
}

/// Configuration of a [`Conv2d`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use n2n_scratch::Conv2dConfig;
///
/// # fn main() -> Result<(), n2n_scratch::GeometryError> {
/// let device = Device::flex();
/// let config = Conv2dConfig::new([2, 4], [3, 2]).with_stride([2, 1]);
/// let y = config.init(&device)?.forward(Tensor::ones([1, 2, 7, 5], &device));
/// assert_eq!(y.dims(), [1, 4, 3, 4]);
/// # Ok(())
/// # }
/// ```
#[derive(Config, Debug)]
pub struct Conv2dConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Size of the kernel.
    pub kernel_size: [usize; 2],
    /// Stride of the kernel.
    #[config(default = "[1, 1]")]
    pub stride: [usize; 2],
    /// Spacing between kernel elements.
    #[config(default = "[1, 1]")]
    pub dilation: [usize; 2],
    /// Groups of channels that are convolved apart.
    #[config(default = "1")]
    pub groups: usize,
    /// Zero padding, `[[top, bottom], [left, right]]`.
    #[config(default = "[[0, 0], [0, 0]]")]
    pub padding: [[usize; 2]; 2],
    /// Whether a bias is added to each output channel.
    #[config(default = true)]
    pub bias: bool,
    /// What weight and bias start from.
    #[config(default = "default_initializer()")]
    pub initializer: Initializer,
}

impl Conv2dConfig {
    /// A layer with initial parameters, drawn on the device.
    ///
    /// # Errors
    /// When an option makes no convolution.
    pub fn init(&self, device: &Device) -> Result<Conv2d, GeometryError> {
        let [channels_in, channels_out] = self.channels;
        let geometry = ConvGeometry::new(self.kernel_size)?
            .with_stride(self.stride)?
            .with_dilation(self.dilation)?
            .with_groups(self.groups, channels_in, channels_out)?
            .with_padding(self.padding);
        let [height, width] = self.kernel_size;
        let fan = |channels: usize| Some(channels / self.groups * height * width);
        let (fan_in, fan_out) = (fan(channels_in), fan(channels_out));
        let initializer = &self.initializer;
        let shape = [channels_out, channels_in / self.groups, height, width];
        let weight = initializer.init_with(shape, fan_in, fan_out, device);
        let bias = self
            .bias
            .then(|| initializer.init_with([channels_out], fan_in, fan_out, device));
        Conv2d::new(weight, bias, geometry)
    }
}

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
        // Drawn in Burn's order, the weight first.
        let (kernel, values) = (weight.val(), bias.as_ref().map(Param::val));
        check_conv2d(&geometry, &kernel, values.as_ref())?;
        Ok(Self {
            weight,
            bias,
            geometry,
        })
    }

    /// The convolved batch.
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

    /// The convolved batch through an activation, see [`conv2d_activated`].
    pub fn forward_activated(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        conv2d_activated(x, self.weight.val(), bias, activation, &self.geometry)
    }

    /// The convolution of `x`, doubled and joined with `skip`, through an activation, see
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

/// Configuration of a [`ConvTranspose2d`].
#[derive(Config, Debug)]
pub struct ConvTranspose2dConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Size of the kernel.
    pub kernel_size: [usize; 2],
    /// Stride of the kernel.
    #[config(default = "[1, 1]")]
    pub stride: [usize; 2],
    /// Spacing between kernel elements.
    #[config(default = "[1, 1]")]
    pub dilation: [usize; 2],
    /// Groups of channels that are convolved apart.
    #[config(default = "1")]
    pub groups: usize,
    /// What is cropped from the output, `[[top, bottom], [left, right]]`.
    #[config(default = "[[0, 0], [0, 0]]")]
    pub padding: [[usize; 2]; 2],
    /// Rows and columns added at the end of the output.
    #[config(default = "[0, 0]")]
    pub padding_out: [usize; 2],
    /// Whether a bias is added to each output channel.
    #[config(default = true)]
    pub bias: bool,
    /// What weight and bias start from.
    #[config(default = "default_initializer()")]
    pub initializer: Initializer,
}

impl ConvTranspose2dConfig {
    /// A layer with initial parameters, drawn on the device.
    ///
    /// # Errors
    /// When an option makes no transposed convolution.
    pub fn init(&self, device: &Device) -> Result<ConvTranspose2d, GeometryError> {
        let [channels_in, channels_out] = self.channels;
        let geometry = ConvGeometry::new(self.kernel_size)?
            .with_stride(self.stride)?
            .with_dilation(self.dilation)?
            .with_groups(self.groups, channels_in, channels_out)?
            .with_padding(self.padding);
        let [height, width] = self.kernel_size;
        // PyTorch reads the fan from the weight's second dimension, here the output's.
        let fan_in = Some(channels_out / self.groups * height * width);
        let initializer = &self.initializer;
        let shape = [channels_in, channels_out / self.groups, height, width];
        let weight = initializer.init_with(shape, fan_in, None, device);
        let bias = self
            .bias
            .then(|| initializer.init_with([channels_out], fan_in, None, device));
        ConvTranspose2d::new(weight, bias, geometry, self.padding_out)
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

    /// The batch, convolved the other way round.
    ///
    /// # Shapes
    /// - `x`: `[batch_size, channels_in, height, width]`
    /// - output: `[batch_size, channels_out, height_out, width_out]`
    ///
    /// # Panics
    /// If `x` has other channels, or the padding leaves nothing of the output.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let bias = self.bias.as_ref().map(Param::val);
        let weight = self.weight.val();
        conv_transpose2d(x, weight, bias, &self.geometry, self.padding_out)
    }

    /// The same through an activation, see [`conv_transpose2d_activated`].
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
    use super::*;

    #[test]
    fn parameters_that_do_not_fit_are_named_with_both_values() {
        let device = Device::flex();
        let weight = || Param::from_tensor(Tensor::<4>::zeros([4, 2, 3, 2], &device));
        let bias = |size| Some(Param::from_tensor(Tensor::<1>::zeros([size], &device)));
        let geometry = |kernel| ConvGeometry::new(kernel).expect("no axis is zero");

        let kernel = Conv2d::new(weight(), None, geometry([2, 3])).expect_err("turned kernel");
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
        let config = ConvTranspose2dConfig::new([2, 4], [3, 2]).with_padding_out([0, 1]);
        assert_eq!(
            config
                .init(&device)
                .expect_err("output padding")
                .to_string(),
            "output_padding along the width is 1, but must be smaller than the stride 1 or the dilation 1"
        );
    }

    #[test]
    fn names_shapes_and_start_are_burns() {
        use burn::nn::conv;
        let device = Device::flex();
        let ours = Conv2dConfig::new([4, 6], [3, 2]).with_groups(2);
        let burns = conv::Conv2dConfig::new([4, 6], [3, 2]).with_groups(2);
        device.seed(5);
        let ours = ours.init(&device).expect("2 divides 4 and 6");
        device.seed(5);
        let burns = burns.init(&device);
        assert_eq!(ours.weight.to_data(), burns.weight.to_data());
        assert_eq!(
            ours.bias.expect("by default").to_data(),
            burns.bias.expect("by default").to_data()
        );

        let ours = ConvTranspose2dConfig::new([4, 6], [3, 2]).with_groups(2);
        let burns = conv::ConvTranspose2dConfig::new([4, 6], [3, 2]).with_groups(2);
        device.seed(6);
        let ours = ours.init(&device).expect("2 divides 4 and 6");
        device.seed(6);
        let burns = burns.init(&device);
        assert_eq!(ours.weight.to_data(), burns.weight.to_data());
        assert_eq!(
            ours.bias.expect("by default").to_data(),
            burns.bias.expect("by default").to_data()
        );
    }
}
