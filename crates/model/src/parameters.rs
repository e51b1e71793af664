//! Sources of a network's parameters: a seed, or a state dict with PyTorch's names.
//!
//! A network is built once, by asking a [`ParameterSource`] for each parameter by name. Values are
//! made on the host, so that one seed gives the same network on every device.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Parameters by PyTorch's name, such as `eblocks.0.conv.weight`.
pub type StateDict = BTreeMap<String, TensorData>;

/// Distribution of the initial values of a parameter.
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
    /// Constant.
    Constant {
        /// The value.
        value: f32,
    },
}

/// Mismatch between a state dict and a network.
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
    /// The values of the parameter known under all of `names` (several if a block is shared).
    ///
    /// # Errors
    /// When the source lacks a parameter of that shape.
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

/// Every float parameter of a module under its path, by PyTorch's names.
pub(crate) fn named_parameters(module: &impl Module) -> Vec<(String, TensorData)> {
    let mut visitor = NamedParameters::default();
    module.visit(&mut visitor);
    visitor.found
}

/// Whether a container is part of a parameter's name: the choice of an implementation is not.
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
            // PyTorch names for a PReLU's slope, and for a normalization's scale and shift.
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
