//! Where a network's parameters come from: drawn from a seed, or read under PyTorch's names.
//!
//! A network is built once, by asking a [`ParameterSource`] for each parameter by name. Values are
//! made on the host, so that one seed gives the same network on every device.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::conv::{Conv2dConfig, ConvTranspose2dConfig};
use burn::nn::{self, PRelu, PReluConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};
use n2n_scratch::{ConvGeometry, GeometryError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::Init;
use crate::conv::{Conv2d, ConvTranspose2d};

/// Parameters by PyTorch's name, such as `eblocks.0.conv.weight`.
pub type StateDict = BTreeMap<String, TensorData>;

/// The distribution a parameter starts from where nothing else is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initializer {
    /// Uniform in `[-bound, bound]`.
    Uniform {
        /// Half the width of the interval.
        bound: f32,
    },
    /// Normal, with mean 0.
    Normal {
        /// Standard deviation.
        std: f32,
    },
    /// One value everywhere.
    Constant {
        /// The value.
        value: f32,
    },
}

/// Why a state dict does not fit a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// A parameter of the network is not in the state dict.
    #[error("parameter {name} is missing")]
    Missing {
        /// PyTorch's name.
        name: String,
    },

    /// A parameter has another shape than the network's.
    #[error("parameter {name} has shape {got:?}, but the network expects {expected:?}")]
    Shape {
        /// PyTorch's name.
        name: String,
        /// Shape in the network.
        expected: Vec<usize>,
        /// Shape in the state dict.
        got: Vec<usize>,
    },

    /// Two names of one shared parameter hold different values.
    #[error("{first} and {second} differ, but the network shares them; set share_weights = false")]
    NotShared {
        /// One of the names.
        first: String,
        /// The other.
        second: String,
    },

    /// The state dict has parameters that the network lacks.
    #[error("the network has no parameter {name}")]
    Unexpected {
        /// PyTorch's name.
        name: String,
    },
}

/// Gives a network its parameters, in the order in which the network asks for them.
pub trait ParameterSource {
    /// The values of the parameter known under all of `names` (several where a block is shared).
    ///
    /// # Errors
    /// When the source has no such parameter of that shape.
    fn parameter(
        &mut self,
        names: &[String],
        shape: &[usize],
        initializer: Initializer,
    ) -> Result<TensorData, ParameterError>;
}

/// Draws every parameter from its initializer: a pure function of the seed and the order.
pub struct RandomInit {
    rng: ChaCha8Rng,
}

impl RandomInit {
    /// Draws from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }
}

impl ParameterSource for RandomInit {
    fn parameter(
        &mut self,
        _names: &[String],
        shape: &[usize],
        initializer: Initializer,
    ) -> Result<TensorData, ParameterError> {
        let count = shape.iter().product();
        let values: Vec<f32> = match initializer {
            Initializer::Uniform { bound } => (0..count)
                .map(|_| self.rng.random_range(-bound..=bound))
                .collect(),
            Initializer::Normal { std } => (0..count)
                .map(|_| std * self.rng.sample::<f32, _>(StandardNormal))
                .collect(),
            Initializer::Constant { value } => vec![value; count],
        };
        Ok(TensorData::new(values, shape.to_vec()))
    }
}

impl ParameterSource for StateDict {
    fn parameter(
        &mut self,
        names: &[String],
        shape: &[usize],
        _initializer: Initializer,
    ) -> Result<TensorData, ParameterError> {
        let mut found: Option<(&String, TensorData)> = None;
        for name in names {
            let data = self
                .remove(name)
                .ok_or_else(|| ParameterError::Missing { name: name.clone() })?;
            if data.shape().as_slice() != shape {
                return Err(ParameterError::Shape {
                    name: name.clone(),
                    expected: shape.to_vec(),
                    got: data.shape().as_slice().to_vec(),
                });
            }
            match &found {
                Some((first, values)) if *values != data => {
                    return Err(ParameterError::NotShared {
                        first: (*first).clone(),
                        second: name.clone(),
                    });
                }
                Some(_) => {}
                None => found = Some((name, data)),
            }
        }
        let (_, data) = found.unwrap_or_else(|| unreachable!("a parameter has at least one name"));
        Ok(data)
    }
}

/// What a convolution is, less its parameters.
pub(crate) struct Shape {
    /// Input and output channels.
    pub channels: [usize; 2],
    pub kernel_size: [usize; 2],
    pub stride: [usize; 2],
    /// Zero padding, `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
}

impl Shape {
    fn geometry(&self) -> Result<ConvGeometry, GeometryError> {
        let geometry = ConvGeometry::new(self.kernel_size)?.with_stride(self.stride)?;
        Ok(geometry.with_padding(self.padding))
    }
}

/// Builds layers on one device out of one source.
pub(crate) struct Builder<'a, S> {
    pub source: &'a mut S,
    pub device: &'a Device,
    /// Whether the layers are those of `n2n_scratch`, or else Burn's.
    pub scratch: bool,
    /// What kernels start from, and the gain.
    pub init: (Init, Option<f64>),
}

impl<S: ParameterSource> Builder<'_, S> {
    /// A convolution that keeps the size.
    pub fn same_convolution(
        &mut self,
        names: &[String],
        channels: [usize; 2],
        kernel_size: [usize; 2],
    ) -> Result<Conv2d, ParameterError> {
        let shape = Shape {
            channels,
            kernel_size,
            stride: [1, 1],
            // Of an even kernel, the larger half comes after the image.
            padding: kernel_size.map(|size| [(size - 1) / 2, size / 2]),
        };
        self.convolution(names, &shape)
    }

    /// A convolution.
    pub fn convolution(
        &mut self,
        names: &[String],
        shape: &Shape,
    ) -> Result<Conv2d, ParameterError> {
        let [channels_in, channels_out] = shape.channels;
        let [height, width] = shape.kernel_size;
        let kernel = [channels_out, channels_in, height, width];
        let (init, gain) = self.init;
        let start = init.initializers(gain, kernel);
        let weight = self.tensor(names, "weight", &kernel, start.weight)?;
        let bias = self.tensor(names, "bias", &[channels_out], start.bias)?;
        Ok(match self.scratch {
            false => {
                let [[top, bottom], [left, right]] = shape.padding;
                let layer = Conv2dConfig::new(shape.channels, shape.kernel_size)
                    .with_stride(shape.stride)
                    .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
                    .init(self.device);
                Conv2d::Burn(nn::conv::Conv2d {
                    weight,
                    bias: Some(bias),
                    ..layer
                })
            }
            true => {
                let layer = shape
                    .geometry()
                    .and_then(|geometry| n2n_scratch::Conv2d::new(weight, Some(bias), geometry));
                Conv2d::Scratch(layer.unwrap_or_else(|error| unreachable!("shapes fit: {error}")))
            }
        })
    }

    /// A transposed convolution; padding is not for it.
    pub fn transposed(
        &mut self,
        names: &[String],
        shape: &Shape,
    ) -> Result<ConvTranspose2d, ParameterError> {
        let [channels_in, channels_out] = shape.channels;
        let [height, width] = shape.kernel_size;
        let kernel = [channels_in, channels_out, height, width];
        let (init, gain) = self.init;
        let start = init.initializers(gain, kernel);
        let weight = self.tensor(names, "weight", &kernel, start.weight)?;
        let bias = self.tensor(names, "bias", &[channels_out], start.bias)?;
        Ok(match self.scratch {
            false => {
                let layer = ConvTranspose2dConfig::new(shape.channels, shape.kernel_size)
                    .with_stride(shape.stride)
                    .init(self.device);
                ConvTranspose2d::Burn(nn::conv::ConvTranspose2d {
                    weight,
                    bias: Some(bias),
                    ..layer
                })
            }
            true => {
                let layer = shape.geometry().and_then(|geometry| {
                    n2n_scratch::ConvTranspose2d::new(weight, Some(bias), geometry, [0, 0])
                });
                let layer = layer.unwrap_or_else(|error| unreachable!("shapes fit: {error}"));
                ConvTranspose2d::Scratch(layer)
            }
        })
    }

    /// A PReLU with one slope, or one for each channel, starting at PyTorch's 0.25.
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

    pub fn tensor<const D: usize>(
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

/// Every float parameter of a module under its path, in PyTorch's words.
pub(crate) fn named_parameters(module: &impl Module) -> Vec<(String, TensorData)> {
    let mut visitor = NamedParameters::default();
    module.visit(&mut visitor);
    visitor.found
}

/// Whether a step into a container is part of a parameter's name: the choice of a convolution is not.
fn is_layer(container_type: &str) -> bool {
    !container_type.starts_with("Enum:")
}

#[derive(Default)]
struct NamedParameters {
    path: Vec<String>,
    found: Vec<(String, TensorData)>,
}

impl ModuleVisitor for NamedParameters {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        if is_layer(container_type) {
            // PyTorch's words for a PReLU's slope, and for a normalization's scale and shift.
            let name = match name {
                "alpha" | "gamma" => "weight",
                "beta" => "bias",
                name => name,
            };
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        if is_layer(container_type) {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found
            .push((self.path.join("."), param.val().into_data()));
    }
}
