//! The logistic function and its gradient.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::wgpu::CubeTensor;
use burn_cubecl::cubecl::{self, calculate_cube_count_elemwise, prelude::*};

use crate::tensors::{empty_images, place};

/// `1 / (1 + exp(-x))`
///
/// # Shapes
/// - `x`, output: `[batch_size, channels, height, width]`
pub fn sigmoid(x: CubeTensor) -> CubeTensor {
    let y = empty_images(&x, x.shape().dims());
    let count = x.shape().num_elements();
    let (client, dtype) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    let dim = CubeDim::new(&client, count);
    // SAFETY: a unit reads and writes one element below `count`, that of both.
    unsafe {
        sigmoid_forward::launch_unchecked(
            &client,
            calculate_cube_count_elemwise(&client, count, dim),
            dim,
            x.into_tensor_arg(),
            y.clone().into_tensor_arg(),
            count as u32,
            dtype,
        );
    }
    y
}

/// Gradient of [`sigmoid`] by `x`, from its output: `grad y (1 - y)`.
///
/// # Shapes
/// - `y`, `grad`, output: `[batch_size, channels, height, width]`
pub fn sigmoid_gradient(y: CubeTensor, grad: CubeTensor) -> CubeTensor {
    let x_grad = empty_images(&y, y.shape().dims());
    let count = y.shape().num_elements();
    let (client, dtype) = (y.client.clone(), dtype_to_storage_type(y.dtype));
    let dim = CubeDim::new(&client, count);
    // SAFETY: a unit reads and writes one element below `count`, that of all three.
    unsafe {
        sigmoid_backward::launch_unchecked(
            &client,
            calculate_cube_count_elemwise(&client, count, dim),
            dim,
            y.into_tensor_arg(),
            grad.into_tensor_arg(),
            x_grad.clone().into_tensor_arg(),
            count as u32,
            dtype,
        );
    }
    x_grad
}

#[cube(launch_unchecked)]
fn sigmoid_forward<F: Float>(
    x: &Tensor<F>,
    y: &mut Tensor<F>,
    count: u32,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < count as usize {
        let at = place(&*y, ABSOLUTE_POS);
        let value = x[place(x, ABSOLUTE_POS)];
        y[at] = F::new(1.0) / (F::new(1.0) + F::exp(-value));
    }
}

#[cube(launch_unchecked)]
fn sigmoid_backward<F: Float>(
    y: &Tensor<F>,
    grad: &Tensor<F>,
    x_grad: &mut Tensor<F>,
    count: u32,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < count as usize {
        let at = place(&*x_grad, ABSOLUTE_POS);
        let value = y[place(y, ABSOLUTE_POS)];
        x_grad[at] = grad[place(grad, ABSOLUTE_POS)] * value * (F::new(1.0) - value);
    }
}
