//! Layers of a network out of one source of parameters.

use burn::module::{Param, RunningState};
use burn::nn::conv::{Conv2dConfig, ConvTranspose2dConfig};
use burn::nn::{self, PRelu, PReluConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use n2n_scratch::{ConvGeometry, GeometryError};

use crate::conv::{Conv2d, ConvTranspose2d};
use crate::norm::BatchNorm;
use crate::{Init, Initializer, ParameterError, ParameterSource};

/// Sizes of a convolution.
pub(crate) struct Shape {
    /// Input and output channels.
    pub channels: [usize; 2],
    pub kernel_size: [usize; 2],
    pub stride: [usize; 2],
    /// Zero padding, `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
}

impl Shape {
    /// A convolution of stride 1 that keeps the size.
    pub fn same(channels: [usize; 2], kernel_size: [usize; 2]) -> Self {
        Self {
            channels,
            kernel_size,
            stride: [1, 1],
            // Of an even kernel, the larger half comes after the image.
            padding: kernel_size.map(|size| [(size - 1) / 2, size / 2]),
        }
    }

    /// A convolution without padding whose stride is its kernel size.
    pub fn strided(channels: [usize; 2], kernel_size: [usize; 2]) -> Self {
        Self {
            channels,
            kernel_size,
            stride: kernel_size,
            padding: [[0, 0], [0, 0]],
        }
    }

    fn geometry(&self) -> Result<ConvGeometry, GeometryError> {
        let geometry = ConvGeometry::new(self.kernel_size)?.with_stride(self.stride)?;
        Ok(geometry.with_padding(self.padding))
    }
}

/// Kernel and bias.
type Kernel = (Param<Tensor<4>>, Param<Tensor<1>>);

/// Builds layers on one device out of one source.
pub(crate) struct Builder<'a> {
    pub source: &'a mut dyn ParameterSource,
    pub device: &'a Device,
    /// Whether the layers are those of `n2n_scratch`, or else Burn's.
    pub scratch: bool,
    /// Distribution of initial kernels, and its gain.
    pub init: (Init, Option<f64>),
}

impl Builder<'_> {
    /// A convolution.
    pub fn conv2d(&mut self, names: &[String], shape: &Shape) -> Result<Conv2d, ParameterError> {
        let [channels_in, channels_out] = shape.channels;
        let (weight, bias) = self.kernel(names, shape, [channels_out, channels_in])?;
        if self.scratch {
            let layer = shape
                .geometry()
                .and_then(|geometry| n2n_scratch::Conv2d::new(weight, Some(bias), geometry));
            let layer = layer.unwrap_or_else(|error| unreachable!("shapes fit: {error}"));
            return Ok(Conv2d::Scratch(layer));
        }
        let [[top, bottom], [left, right]] = shape.padding;
        let layer = Conv2dConfig::new(shape.channels, shape.kernel_size)
            .with_stride(shape.stride)
            .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
            .init(self.device);
        Ok(Conv2d::Burn(nn::conv::Conv2d {
            weight,
            bias: Some(bias),
            ..layer
        }))
    }

    /// A transposed convolution; its padding must be 0.
    pub fn conv_transpose2d(
        &mut self,
        names: &[String],
        shape: &Shape,
    ) -> Result<ConvTranspose2d, ParameterError> {
        let (weight, bias) = self.kernel(names, shape, shape.channels)?;
        if self.scratch {
            let layer = shape.geometry().and_then(|geometry| {
                n2n_scratch::ConvTranspose2d::new(weight, Some(bias), geometry, [0, 0])
            });
            let layer = layer.unwrap_or_else(|error| unreachable!("shapes fit: {error}"));
            return Ok(ConvTranspose2d::Scratch(layer));
        }
        let layer = ConvTranspose2dConfig::new(shape.channels, shape.kernel_size)
            .with_stride(shape.stride)
            .init(self.device);
        Ok(ConvTranspose2d::Burn(nn::conv::ConvTranspose2d {
            weight,
            bias: Some(bias),
            ..layer
        }))
    }

    /// A kernel with these channels on its first two axes, and a bias for each output channel.
    fn kernel(
        &mut self,
        names: &[String],
        shape: &Shape,
        [first, second]: [usize; 2],
    ) -> Result<Kernel, ParameterError> {
        let [height, width] = shape.kernel_size;
        let [_, channels_out] = shape.channels;
        let kernel = [first, second, height, width];
        let (init, gain) = self.init;
        let start = init.initializers(gain, kernel);
        let weight = self.tensor(names, "weight", &kernel, start.weight)?;
        let bias = self.tensor(names, "bias", &[channels_out], start.bias)?;
        Ok((weight, bias))
    }

    /// A PReLU with one slope, or one for each channel, initially PyTorch's 0.25.
    pub fn prelu(
        &mut self,
        names: &[String],
        num_parameters: usize,
    ) -> Result<PRelu, ParameterError> {
        let layer = PReluConfig::new()
            .with_num_parameters(num_parameters)
            .init(self.device);
        let initializer = Initializer::Constant {
            value: layer.alpha_value as f32,
        };
        let alpha = self.tensor(names, "weight", &[num_parameters], initializer)?;
        Ok(PRelu { alpha, ..layer })
    }

    /// Batch normalization, initially the identity.
    pub fn batch_norm(
        &mut self,
        names: &[String],
        channels: usize,
    ) -> Result<BatchNorm, ParameterError> {
        let mut start = |parameter, value| {
            let initializer = Initializer::Constant { value };
            self.tensor(names, parameter, &[channels], initializer)
        };
        let gamma = start("weight", 1.0)?;
        let beta = start("bias", 0.0)?;
        let running = |param: Param<Tensor<1>>| RunningState::new(param.val().detach());
        let running_mean = running(start("running_mean", 0.0)?);
        let running_var = running(start("running_var", 1.0)?);
        Ok(BatchNorm::new(gamma, beta, running_mean, running_var))
    }

    fn tensor<const D: usize>(
        &mut self,
        layers: &[String],
        parameter: &str,
        shape: &[usize],
        initializer: Initializer,
    ) -> Result<Param<Tensor<D>>, ParameterError> {
        let names: Vec<String> = layers
            .iter()
            .map(|layer| format!("{layer}.{parameter}"))
            .collect();
        let data = self.source.parameter(&names, shape, initializer)?;
        Ok(Param::from_data(data, self.device))
    }
}
