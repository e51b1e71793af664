//! Sums that are split over cubes: their parts, and the sum of these.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::wgpu::CubeTensor;
use burn_cubecl::cubecl::{self, calculate_cube_count_elemwise, prelude::*};

use crate::Parameters;
use crate::tensors::empty;

/// Cubes over which the sums of the parameters' gradients are split: the same on all devices, so that they add
/// the same parts.
pub(crate) const CUBES: usize = 256;

/// Sums of a cube, a row of the parts: of the elements of the weight, of the bias, and of a slope for each channel.
pub(crate) fn columns(weights: usize, channels_out: usize) -> usize {
    weights + 2 * channels_out
}

/// The gradients of the parameters.
pub(crate) fn summed(parts: CubeTensor, parameters: &Parameters) -> Parameters {
    let like = |parameter: &CubeTensor| empty(parameter, parameter.shape());
    let gradients = Parameters {
        weight: like(&parameters.weight),
        bias: like(&parameters.bias),
        slope: like(&parameters.slope),
    };
    let counts = [&gradients.weight, &gradients.bias, &gradients.slope];
    let units = counts
        .iter()
        .map(|gradient| gradient.shape().num_elements())
        .sum();
    let (client, dtype) = (parts.client.clone(), dtype_to_storage_type(parts.dtype));
    let dim = CubeDim::new(&client, units);
    // SAFETY: a unit writes one value of the gradients, or none, from columns of the parts.
    unsafe {
        sum_parts::launch_unchecked(
            &client,
            calculate_cube_count_elemwise(&client, units, dim),
            dim,
            parts.into_tensor_arg(),
            gradients.weight.clone().into_tensor_arg(),
            gradients.bias.clone().into_tensor_arg(),
            gradients.slope.clone().into_tensor_arg(),
            dtype,
        );
    }
    gradients
}

/// Sums of the parts in their order; a slope that all channels share has the sum of all.
#[cube(launch_unchecked)]
fn sum_parts<F: Float>(
    parts: &Tensor<F>,
    weight_grad: &mut Tensor<F>,
    bias_grad: &mut Tensor<F>,
    slope_grad: &mut Tensor<F>,
    #[define(F)] _dtype: ElemType,
) {
    let channels_out = bias_grad.shape(0);
    let slopes = slope_grad.shape(0);
    let weights = parts.shape(1) - 2 * channels_out;
    let at = ABSOLUTE_POS;
    if at < weights {
        weight_grad[at] = sum(parts, at);
    } else if at < weights + channels_out {
        bias_grad[at - weights] = sum(parts, at);
    } else if at < weights + channels_out + slopes {
        let mut total = F::new(0.0);
        for k in range_stepped(at - weights - channels_out, channels_out, slopes) {
            total += sum(parts, weights + channels_out + k);
        }
        slope_grad[at - weights - channels_out] = total;
    }
}

/// Sum of a column.
#[cube]
fn sum<F: Float>(parts: &Tensor<F>, column: usize) -> F {
    let mut sum = F::new(0.0);
    for part in 0..parts.shape(0) {
        sum += parts[part * parts.stride(0) + column];
    }
    sum
}
