//! The mean squared error and its gradient.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::Shape;
use burn_cubecl::cubecl::{self, calculate_cube_count_elemwise, prelude::*};
use burn_cubecl::kernel::into_contiguous;

use crate::tensors::{empty, empty_images, place};

/// Units of a cube.
const UNITS: usize = 256;
/// Most cubes that share a sum: the same on every device, so that sums are the same.
const CUBES: usize = 256;

/// `mean((x - y)^2)` over all elements, as a vector of one: sums of every cube, then their sum, each in a fixed order.
///
/// # Shapes
/// - `x`, `y`: `[batch_size, channels, height, width]`
/// - output: `[1]`
pub fn mse(x: CubeTensor, y: CubeTensor) -> CubeTensor {
    let count = x.shape().num_elements();
    let cubes = count.div_ceil(UNITS).clamp(1, CUBES);
    let parts = empty(&x, Shape::new([cubes]));
    let mean = empty(&x, Shape::new([1]));
    let (client, dtype) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    // SAFETY: elements are read below `count`, that of both; each cube writes one part, and the last kernel the mean.
    unsafe {
        squared_errors::launch_unchecked(
            &client,
            CubeCount::Static(cubes as u32, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            x.into_tensor_arg(),
            y.into_tensor_arg(),
            parts.clone().into_buffer_arg(),
            count as u32,
            dtype,
        );
        mean_of_parts::launch_unchecked(
            &client,
            CubeCount::Static(1, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            parts.into_buffer_arg(),
            mean.clone().into_buffer_arg(),
            cubes as u32,
            count as u32,
            dtype,
        );
    }
    mean
}

/// `mean((x - y)^2)` of each image.
///
/// # Shapes
/// - `x`, `y`: `[batch_size, channels, height, width]`
/// - output: `[batch_size]`
pub fn mse_per_image(x: CubeTensor, y: CubeTensor) -> CubeTensor {
    let images = x.shape()[0];
    let count = x.shape().num_elements() / images.max(1);
    let means = empty(&x, Shape::new([images]));
    let (client, dtype) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    // SAFETY: a cube reads the elements of its image, `count` of each of both, and writes one mean.
    unsafe {
        squared_errors_per_image::launch_unchecked(
            &client,
            CubeCount::Static(images as u32, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            x.into_tensor_arg(),
            y.into_tensor_arg(),
            means.clone().into_buffer_arg(),
            count as u32,
            dtype,
        );
    }
    means
}

/// Gradient of [`mse`] by `x`: `2 (x - y) grad / count`.
///
/// # Shapes
/// - `x`, `y`: `[batch_size, channels, height, width]`; `grad`: `[1]`
/// - output: as `x`
pub fn mse_gradient(x: CubeTensor, y: CubeTensor, grad: CubeTensor) -> CubeTensor {
    let x_grad = empty_images(&x, x.shape().dims());
    let count = x.shape().num_elements();
    let (client, dtype) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    let dim = CubeDim::new(&client, count);
    // SAFETY: a unit reads and writes one element below `count`, that of all three.
    unsafe {
        error_gradient::launch_unchecked(
            &client,
            calculate_cube_count_elemwise(&client, count, dim),
            dim,
            x.into_tensor_arg(),
            y.into_tensor_arg(),
            into_contiguous(grad).into_buffer_arg(),
            x_grad.clone().into_tensor_arg(),
            count as u32,
            dtype,
        );
    }
    x_grad
}

#[cube(launch_unchecked)]
fn squared_errors<F: Float>(
    x: &Tensor<F>,
    y: &Tensor<F>,
    parts: &mut [F],
    count: u32,
    #[define(F)] _dtype: ElemType,
) {
    let cubes = CUBE_COUNT_X as usize;
    let unit = UNIT_POS as usize;
    let mut sum = F::new(0.0);
    for at in range_stepped(
        CUBE_POS_X as usize * UNITS + unit,
        count as usize,
        cubes * UNITS,
    ) {
        let error = error(x, y, at);
        sum += error * error;
    }
    let sum = sum_of_units::<F>(sum, unit);
    if unit == 0 {
        parts[CUBE_POS_X as usize] = sum;
    }
}

#[cube(launch_unchecked)]
fn squared_errors_per_image<F: Float>(
    x: &Tensor<F>,
    y: &Tensor<F>,
    means: &mut [F],
    count: u32,
    #[define(F)] _dtype: ElemType,
) {
    let (image, unit) = (CUBE_POS_X as usize, UNIT_POS as usize);
    let mut sum = F::new(0.0);
    for at in range_stepped(unit, count as usize, UNITS) {
        let error = error(x, y, image * count as usize + at);
        sum += error * error;
    }
    let sum = sum_of_units::<F>(sum, unit);
    if unit == 0 {
        means[image] = sum / F::cast_from(count);
    }
}

#[cube(launch_unchecked)]
fn mean_of_parts<F: Float>(
    parts: &[F],
    mean: &mut [F],
    cubes: u32,
    count: u32,
    #[define(F)] _dtype: ElemType,
) {
    let unit = UNIT_POS as usize;
    let mut sum = F::new(0.0);
    for at in range_stepped(unit, cubes as usize, UNITS) {
        sum += parts[at];
    }
    let sum = sum_of_units::<F>(sum, unit);
    if unit == 0 {
        mean[0] = sum / F::cast_from(count);
    }
}

#[cube(launch_unchecked)]
fn error_gradient<F: Float>(
    x: &Tensor<F>,
    y: &Tensor<F>,
    grad: &[F],
    x_grad: &mut Tensor<F>,
    count: u32,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < count as usize {
        let factor = F::new(2.0) * grad[0] / F::cast_from(count);
        let at = place(&*x_grad, ABSOLUTE_POS);
        x_grad[at] = error(x, y, ABSOLUTE_POS) * factor;
    }
}

/// `x - y` at one element.
#[cube]
fn error<F: Float>(x: &Tensor<F>, y: &Tensor<F>, at: usize) -> F {
    x[place(x, at)] - y[place(y, at)]
}

/// Sum over the units of a cube, by halves; every unit gets it.
#[cube]
fn sum_of_units<F: Float>(own: F, unit: usize) -> F {
    let mut sums = Shared::<[F]>::new_slice(UNITS);
    sums[unit] = own;
    sync_cube();
    let mut half = UNITS.runtime() / 2;
    while half > 0 {
        if unit < half {
            sums[unit] = sums[unit] + sums[unit + half];
        }
        sync_cube();
        half /= 2;
    }
    sums[0]
}
