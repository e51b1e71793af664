//! Losses; the noise of the targets decides which one fits.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Keeps powers and quotients of errors of 0 finite (Lehtinen et al., "Noise2Noise", section 3.3).
const EPSILON: f32 = 1e-8;

/// Added to a denoised value that an error is divided by (the same, section 3.4).
const HDR_OFFSET: f32 = 0.01;

/// The exponent of L0 when training starts; it falls to 0 linearly.
const FIRST_EXPONENT: f64 = 2.0;

/// A loss: the mean over all values of a function of output `f` and target `y`.
///
/// A network trained on noisy targets learns their mean with L2, their median with L1 and their mode
/// with L0. Source: Lehtinen et al., "Noise2Noise", ICML 2018.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `(f - y)^2`
    #[default]
    L2,
    /// `|f - y|`
    L1,
    /// `(|f - y| + 1e-8)^gamma`, gamma falling from 2 to 0 over the run.
    L0,
    /// `(f - y)^2 / (f + 0.01)^2`, the denominator taken as constant: for a high dynamic range.
    RelativeL2,
}

impl Loss {
    /// The loss of each value, at `progress` from 0 to 1 through the run.
    pub(crate) fn of_values(
        self,
        output: Tensor<4>,
        target: Tensor<4>,
        progress: f64,
    ) -> Tensor<4> {
        match self {
            Self::L2 => (output - target).square(),
            Self::L1 => (output - target).abs(),
            Self::L0 => {
                let exponent = FIRST_EXPONENT * (1.0 - progress);
                ((output - target).abs() + EPSILON).powf_scalar(exponent)
            }
            Self::RelativeL2 => {
                let scale = (output.clone().detach() + HDR_OFFSET).square();
                (output - target).square() / scale
            }
        }
    }
}
