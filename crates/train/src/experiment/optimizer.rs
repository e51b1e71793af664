//! Optimizers, by config.

use serde::{Deserialize, Serialize};

use super::ExperimentError;
use super::range::{fraction, not_negative, positive};

/// Optimizer, with PyTorch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, without dampening.
    Sgd {
        /// Momentum.
        #[serde(default)]
        momentum: f64,
        /// Whether to use Nesterov momentum.
        #[serde(default)]
        nesterov: bool,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam.
    Adam {
        /// Decay rates of the two running means.
        #[serde(default = "adam_betas")]
        betas: [f64; 2],
        /// Added to the denominator.
        #[serde(default = "adam_eps")]
        eps: f64,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam with decoupled weight decay.
    AdamW {
        /// Decay rates of the two running means.
        #[serde(default = "adam_betas")]
        betas: [f64; 2],
        /// Added to the denominator.
        #[serde(default = "adam_eps")]
        eps: f64,
        /// Decoupled weight decay: a step scales weights by `1 - lr weight_decay`.
        #[serde(default = "adamw_weight_decay")]
        weight_decay: f64,
    },
    /// Adagrad.
    Adagrad {
        /// Learning rate decay: `lr / (1 + steps lr_decay)`.
        #[serde(default)]
        lr_decay: f64,
        /// Added to the denominator.
        #[serde(default = "adagrad_eps")]
        eps: f64,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
    /// RMSprop.
    RmsProp {
        /// Decay rate of the running mean of squares.
        #[serde(default = "rmsprop_alpha")]
        alpha: f64,
        /// Added to the denominator.
        #[serde(default = "adam_eps")]
        eps: f64,
        /// Momentum.
        #[serde(default)]
        momentum: f64,
        /// Whether to divide gradients by their standard deviation instead of their RMS.
        #[serde(default)]
        centered: bool,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
}

fn adam_betas() -> [f64; 2] {
    [0.9, 0.999]
}

fn adam_eps() -> f64 {
    1e-8
}

fn adamw_weight_decay() -> f64 {
    0.01
}

fn adagrad_eps() -> f64 {
    1e-10
}

fn rmsprop_alpha() -> f64 {
    0.99
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Adam {
            betas: adam_betas(),
            eps: adam_eps(),
            weight_decay: 0.0,
        }
    }
}

impl OptimizerConfig {
    /// SGD without momentum and weight decay.
    pub const PLAIN_SGD: Self = Self::Sgd {
        momentum: 0.0,
        nesterov: false,
        weight_decay: 0.0,
    };

    /// Checks the ranges of the numbers.
    ///
    /// # Errors
    /// When a number is out of range, naming its key.
    pub fn validate(&self) -> Result<(), ExperimentError> {
        let weight_decay = match *self {
            Self::Sgd {
                momentum,
                nesterov,
                weight_decay,
            } => {
                fraction("train.optimizer.momentum", momentum)?;
                if nesterov && momentum == 0.0 {
                    return Err(ExperimentError::Conflict {
                        found: "train.optimizer.nesterov is true".to_owned(),
                        rule: "there is no momentum",
                        remedy: "set train.optimizer.momentum",
                    });
                }
                weight_decay
            }
            Self::Adam {
                betas,
                eps,
                weight_decay,
            }
            | Self::AdamW {
                betas,
                eps,
                weight_decay,
            } => {
                for beta in betas {
                    fraction("train.optimizer.betas", beta)?;
                }
                positive("train.optimizer.eps", eps)?;
                weight_decay
            }
            Self::Adagrad {
                lr_decay,
                eps,
                weight_decay,
            } => {
                not_negative("train.optimizer.lr_decay", lr_decay)?;
                positive("train.optimizer.eps", eps)?;
                weight_decay
            }
            Self::RmsProp {
                alpha,
                eps,
                momentum,
                weight_decay,
                ..
            } => {
                fraction("train.optimizer.alpha", alpha)?;
                positive("train.optimizer.eps", eps)?;
                fraction("train.optimizer.momentum", momentum)?;
                weight_decay
            }
        };
        not_negative("train.optimizer.weight_decay", weight_decay)
    }
}
