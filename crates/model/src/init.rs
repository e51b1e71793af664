//! Initializers of kernels, by PyTorch's names.

use serde::{Deserialize, Serialize};

use crate::Initializer;

/// Initializers of a convolution.
#[derive(Clone, Copy)]
pub(crate) struct Initializers {
    pub weight: Initializer,
    pub bias: Initializer,
}

/// Distribution of a network's initial kernels.
///
/// `fan_in` is the product of a kernel's second to last axes, `fan_out` that of its first, third and last,
/// also for a transposed convolution, `[channels_in, channels_out, height, width]`, as in PyTorch.
/// Source: `torch.nn.init`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// As the reference: PyTorch's default for the U-Net, uniform in `±1/sqrt(fan_in)` for kernels
    /// and biases; Xavier-normal with gain `sqrt(2)` for the simple net.
    #[default]
    Default,
    /// Uniform in `±gain sqrt(6 / (fan_in + fan_out))`.
    XavierUniform,
    /// Normal, with deviation `gain sqrt(2 / (fan_in + fan_out))`.
    XavierNormal,
    /// Uniform in `±gain sqrt(3 / fan_in)`.
    KaimingUniform,
    /// Normal, with deviation `gain / sqrt(fan_in)`.
    KaimingNormal,
}

impl Init {
    /// The default gain: for a ReLU.
    pub const GAIN: f64 = std::f64::consts::SQRT_2;

    /// Initializers of a kernel of this shape and of its bias.
    pub(crate) fn initializers(self, gain: Option<f64>, kernel: [usize; 4]) -> Initializers {
        let [first, second, height, width] = kernel;
        let area = height * width;
        let (fan_out, fan_in) = ((first * area) as f64, (second * area) as f64);
        let gain = gain.unwrap_or(Self::GAIN);
        let uniform = |bound: f64| Initializer::Uniform {
            bound: bound as f32,
        };
        let normal = |std: f64| Initializer::Normal { std: std as f32 };
        let weight = match self {
            Self::Default => uniform(1.0 / fan_in.sqrt()),
            Self::XavierUniform => uniform(gain * (6.0 / (fan_in + fan_out)).sqrt()),
            Self::XavierNormal => normal(gain * (2.0 / (fan_in + fan_out)).sqrt()),
            Self::KaimingUniform => uniform(gain * (3.0 / fan_in).sqrt()),
            Self::KaimingNormal => normal(gain / fan_in.sqrt()),
        };
        let bias = match self {
            Self::Default => weight,
            _ => Initializer::Constant { value: 0.0 },
        };
        Initializers { weight, bias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected values have six digits.
    const TOLERANCE: f32 = 1e-6;

    #[test]
    fn widths_match_pytorch() {
        // torch.nn.init on torch.empty(5, 7, 3, 2): _calculate_fan_in_and_fan_out gives (42, 30).
        let kernel = [5, 7, 3, 2];
        for (init, gain, expected) in [
            (Init::Default, None, 0.154_303),
            (Init::XavierUniform, Some(1.0), 0.288_675),
            (Init::XavierNormal, Some(1.0), 0.166_667),
            (Init::KaimingUniform, None, 0.377_964),
            (Init::KaimingNormal, None, 0.218_218),
        ] {
            let start = init.initializers(gain, kernel);
            let (Initializer::Uniform { bound: found } | Initializer::Normal { std: found }) =
                start.weight
            else {
                panic!("{init:?}: {:?}", start.weight);
            };
            assert!((found - expected).abs() < TOLERANCE, "{init:?}: {found}");
            match init {
                Init::Default => assert_eq!(start.bias, start.weight),
                _ => assert_eq!(start.bias, Initializer::Constant { value: 0.0 }),
            }
        }
    }
}
