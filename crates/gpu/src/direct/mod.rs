//! Convolutions of any kernel, stride, padding and dilation without groups, and transposed ones, with bias and PReLU:
//! a value of the output by each unit. For layers that are few, not for speed.
//!
//! ```text
//! convolution   z[k, v, u] = bias[k] + sum over c, i, j of weight[k, c, i, j] * x[c, s v + d i - p, s u + d j - p]
//! transposed    z[k, s v + d i - p, s u + d j - p] sums weight[c, k, i, j] * x[c, v, u], and bias[k]
//! ```
//!
//! The gradient by the input of either is the other one, without bias.

mod gather;
mod parameter_gradients;

use burn::backend::TensorMetadata;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::{self, calculate_cube_count_elemwise, prelude::*};
use burn_cubecl::kernel::into_contiguous;

use crate::Parameters;
use crate::parts::{CUBES, columns, summed};
use crate::tensors::{empty, empty_images, empty_images_as, types};

/// What a convolution does to the pixels; axes are ordered `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Whether the convolution is transposed.
    pub transposed: bool,
    /// Distance of the windows.
    pub stride: [usize; 2],
    /// Zeros above and left.
    pub padding: [usize; 2],
    /// Distance of the kernel's elements.
    pub dilation: [usize; 2],
    /// Height and width of the output.
    pub size: [usize; 2],
}

impl Geometry {
    fn launch(&self) -> WindowLaunch {
        let pair = |[y, x]: [usize; 2]| (y as u32, x as u32);
        let (stride_y, stride_x) = pair(self.stride);
        let (padding_y, padding_x) = pair(self.padding);
        let (dilation_y, dilation_x) = pair(self.dilation);
        WindowLaunch::new(
            stride_y, stride_x, padding_y, padding_x, dilation_y, dilation_x,
        )
    }
}

/// [`Geometry`] in a kernel.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Window {
    stride_y: u32,
    stride_x: u32,
    padding_y: u32,
    padding_x: u32,
    dilation_y: u32,
    dilation_x: u32,
}

/// `prelu(z, slope)`, and `z` if it is to be kept for the gradients, both stored as `dtype`; the sums are of the type
/// of the parameters.
///
/// # Shapes
/// - `x`: `[batch_size, channels_in, height, width]`
/// - output, kept: `[batch_size, channels_out, height_out, width_out]`
pub fn convolution(
    x: CubeTensor,
    parameters: Parameters,
    geometry: Geometry,
    keep: bool,
    dtype: DType,
) -> (CubeTensor, Option<CubeTensor>) {
    let Parameters {
        weight,
        bias,
        slope,
    } = parameters;
    let [height, width] = geometry.size;
    let shape = [x.shape()[0], bias.shape()[0], height, width];
    let y = empty_images_as(&x, shape, dtype);
    let kept = keep.then(|| empty_images_as(&x, shape, dtype));
    let types = types([&weight, &x, &y]);
    let client = x.client.clone();
    let units = y.shape().num_elements();
    let dim = CubeDim::new(&client, units);
    // SAFETY: a unit writes one value of the outputs, or none, and reads what lies in the shapes.
    unsafe {
        gather::convolution::launch_unchecked(
            &client,
            calculate_cube_count_elemwise(&client, units, dim),
            dim,
            x.into_tensor_arg(),
            weight.into_tensor_arg(),
            into_contiguous(bias).into_tensor_arg(),
            into_contiguous(slope).into_tensor_arg(),
            y.clone().into_tensor_arg(),
            kept.clone().map(CubeTensor::into_tensor_arg).into(),
            geometry.launch(),
            geometry.transposed,
            types,
        );
    }
    (y, kept)
}

/// The gradient by `x`, given that of the output and what was kept.
///
/// # Shapes
/// - output: as `x`
pub fn input_gradient(
    x: &CubeTensor,
    parameters: &Parameters,
    kept: CubeTensor,
    grad: CubeTensor,
    geometry: Geometry,
) -> CubeTensor {
    let x_grad = empty_images(&grad, x.shape().dims());
    let types = types([&grad, &kept]);
    let client = grad.client.clone();
    let units = x_grad.shape().num_elements();
    let dim = CubeDim::new(&client, units);
    // SAFETY: as in `convolution`.
    unsafe {
        gather::input_gradient::launch_unchecked(
            &client,
            calculate_cube_count_elemwise(&client, units, dim),
            dim,
            grad.into_tensor_arg(),
            kept.into_tensor_arg(),
            parameters.weight.clone().into_tensor_arg(),
            into_contiguous(parameters.slope.clone()).into_tensor_arg(),
            x_grad.clone().into_tensor_arg(),
            geometry.launch(),
            // The gradient of a convolution is a transposed one.
            !geometry.transposed,
            types,
        );
    }
    x_grad
}

/// The gradients by weight, bias and slope, given that of the output and what was kept; sums are split by the
/// shapes alone, and added in a fixed order.
///
/// # Shapes
/// - output: as the parameters
pub fn parameter_gradients(
    x: CubeTensor,
    parameters: &Parameters,
    kept: CubeTensor,
    grad: CubeTensor,
    geometry: Geometry,
) -> Parameters {
    let (weights, channels_out) = (parameters.weight.shape(), parameters.bias.shape()[0]);
    let shape = parts_shape(&x, weights.dims(), channels_out, geometry);
    let parts = empty(&grad, Shape::new(shape));
    parameter_parts(x, parameters, (kept, grad), geometry, parts.clone());
    summed(parts, parameters)
}

/// Cubes that share the sums of a convolution, and the sums of each.
pub(crate) fn parts_shape(
    x: &CubeTensor,
    weight: [usize; 4],
    channels_out: usize,
    geometry: Geometry,
) -> [usize; 2] {
    let [images, _, height, _] = x.shape().dims();
    let weights = weight.iter().product::<usize>();
    // Not more parts than lines of pixels.
    let splits = CUBES
        .div_ceil((weights + channels_out).div_ceil(parameter_gradients::UNITS))
        .min(images * height.max(geometry.size[0]));
    [splits, columns(weights, channels_out)]
}

/// Writes the parts of [`parameter_gradients`], in the shape of [`parts_shape`].
pub(crate) fn parameter_parts(
    x: CubeTensor,
    parameters: &Parameters,
    (kept, grad): (CubeTensor, CubeTensor),
    geometry: Geometry,
    parts: CubeTensor,
) {
    let types = types([&grad, &x, &kept]);
    let client = x.client.clone();
    let units = parameters.weight.shape().num_elements() + grad.shape()[1];
    let dim = CubeDim::new_1d(parameter_gradients::UNITS as u32);
    let cubes = units.div_ceil(parameter_gradients::UNITS);
    let splits = parts.shape()[0];
    let weight = &parameters.weight;
    let kernel = [weight.shape()[2], weight.shape()[3]];
    // SAFETY: as in `convolution`; the parts have a row for each cube of the second axis.
    unsafe {
        parameter_gradients::parameter_gradients::launch_unchecked(
            &client,
            CubeCount::Static(cubes as u32, splits as u32, 1),
            dim,
            x.into_tensor_arg(),
            grad.into_tensor_arg(),
            kept.into_tensor_arg(),
            into_contiguous(parameters.slope.clone()).into_tensor_arg(),
            parts.into_tensor_arg(),
            geometry.launch(),
            kernel[0] as u32,
            kernel[1] as u32,
            geometry.transposed,
            types,
        );
    }
}
