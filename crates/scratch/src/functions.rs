//! The ops on tensors: shapes are checked here, once, for every backend.

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::module::{interpolate, max_pool2d};
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};

use crate::ops::ScratchOps;
use crate::unfold::{frame, unframe};
use crate::{ConvGeometry, conv_block};

/// Unfolds patches of an image batch into columns (im2col), as `torch.nn.functional.unfold`.
///
/// `columns[n, (c, i, j), (y, x)] = x[n, c, s*y + d*i - p, s*x + d*j - p]`; what lies outside the
/// image reads 0.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height, width]`
/// - output: `[batch_size, channels * kernel_height * kernel_width, height_out * width_out]`
///
/// # Panics
/// If the kernel is larger than the padded image.
pub fn unfold(x: Tensor<4>, geometry: &ConvGeometry) -> Tensor<3> {
    let [batch_size, _, height, width] = x.dims();
    let positions = checked_positions(geometry, [height, width]);
    let frame = frame::<Dispatch>(x.into_dispatch(), geometry, positions);
    let columns = Tensor::<2>::from_dispatch(<Dispatch as ScratchOps>::unfold(frame, *geometry));
    let [rows, count] = columns.dims();
    columns
        .reshape([rows, batch_size, count / batch_size])
        .swap_dims(0, 1)
}

/// Sums columns back into an image batch (col2im), as `torch.nn.functional.fold`: the adjoint of
/// [`unfold`].
///
/// # Shapes
/// - `columns`: `[batch_size, channels * kernel_height * kernel_width, height_out * width_out]`
/// - output: `[batch_size, channels, height, width]`, where `size = [height, width]`
///
/// # Panics
/// If the columns are not those of an image of that size.
pub fn fold(columns: Tensor<3>, geometry: &ConvGeometry, size: [usize; 2]) -> Tensor<4> {
    let [batch_size, rows, count] = columns.dims();
    let positions = checked_positions(geometry, size);
    let [height_out, width_out] = positions;
    assert_eq!(
        count,
        height_out * width_out,
        "expected {height_out} x {width_out} columns for an image of {size:?}, got {count}"
    );
    let kernel = geometry.kernel_elements();
    assert!(
        rows.is_multiple_of(kernel),
        "expected a multiple of {kernel} rows for the kernel, got {rows}"
    );
    let columns = columns.swap_dims(0, 1).reshape([rows, batch_size * count]);
    let reach = geometry.reach(positions);
    let frame = <Dispatch as ScratchOps>::fold(columns.into_dispatch(), *geometry, reach);
    Tensor::from_dispatch(unframe::<Dispatch>(frame, geometry, positions, size))
}

/// Two-dimensional convolution (cross-correlation, as everywhere in deep learning).
///
/// `Y[n, b, y, x] = bias[b] + sum over a, i, j of W[b, a, i, j] * X[n, a, s*y + d*i - p, s*x + d*j - p]`
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use n2n_scratch::{ConvGeometry, conv2d};
///
/// # fn main() -> Result<(), n2n_scratch::GeometryError> {
/// let device = Device::flex();
/// let x = Tensor::<4>::ones([1, 2, 5, 4], &device);
/// let weight = Tensor::<4>::ones([3, 2, 3, 1], &device);
/// let geometry = ConvGeometry::new([3, 1])?.with_stride([2, 1])?;
/// let y = conv2d(x, weight, None, &geometry);
/// assert_eq!(y.dims(), [1, 3, 2, 4]);
/// assert_eq!(y.max().into_scalar::<f32>(), 6.0);
/// # Ok(())
/// # }
/// ```
///
/// # Shapes
/// - `x`: `[batch_size, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in / groups, kernel_height, kernel_width]`
/// - `bias`: `[channels_out]`
/// - output: `[batch_size, channels_out, height_out, width_out]`
///
/// # Panics
/// If a shape does not fit the others or the geometry, with expected and got.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    geometry: &ConvGeometry,
) -> Tensor<4> {
    let [_, channels_in, height, width] = x.dims();
    let [channels_out, _, _, _] = weight.dims();
    let [kernel_height, kernel_width] = geometry.kernel_size();
    let groups = geometry.groups();
    assert!(
        channels_in.is_multiple_of(groups) && channels_out.is_multiple_of(groups),
        "expected {channels_in} input and {channels_out} output channels divisible by {groups} groups"
    );
    let expected = [
        channels_out,
        channels_in / groups,
        kernel_height,
        kernel_width,
    ];
    assert_eq!(
        weight.dims(),
        expected,
        "expected weight {expected:?}, got {:?}",
        weight.dims()
    );
    let positions = checked_positions(geometry, [height, width]);
    if let Some(bias) = bias.clone().filter(|_| has_kernel(&x.device(), geometry)) {
        let linear = Tensor::ones([1], &x.device().inner());
        return block(x, None, weight, bias, linear);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let y = <Dispatch as ScratchOps>::conv2d(x, weight, *geometry, positions);
    add_bias(Tensor::from_dispatch(y), bias)
}

/// Two-dimensional transposed convolution: the input gradient of [`conv2d`], as a forward pass.
///
/// The output has `s*(H - 1) + d*(h - 1) + 1 - p0 - p1 + output_padding` rows, and columns likewise.
///
/// # Shapes
/// - `x`: `[batch_size, channels_in, height, width]`
/// - `weight`: `[channels_in, channels_out / groups, kernel_height, kernel_width]`
/// - `bias`: `[channels_out]`
/// - output: `[batch_size, channels_out, height_out, width_out]`
///
/// # Panics
/// If a shape does not fit the others or the geometry, with expected and got.
pub fn conv_transpose2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    geometry: &ConvGeometry,
    output_padding: [usize; 2],
) -> Tensor<4> {
    let [_, channels_in, height, width] = x.dims();
    let [weight_in, channels_out_group, kernel_height, kernel_width] = weight.dims();
    let groups = geometry.groups();
    assert!(
        channels_in.is_multiple_of(groups),
        "expected {channels_in} input channels divisible by {groups} groups"
    );
    let [expected_height, expected_width] = geometry.kernel_size();
    assert_eq!(
        [weight_in, kernel_height, kernel_width],
        [channels_in, expected_height, expected_width],
        "expected weight [{channels_in}, _, {expected_height}, {expected_width}], \
         got [{weight_in}, {channels_out_group}, {kernel_height}, {kernel_width}]"
    );
    let size = geometry
        .transposed_size([height, width], output_padding)
        .unwrap_or_else(|error| panic!("{error}"));
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let y = <Dispatch as ScratchOps>::conv_transpose2d(x, weight, *geometry, size);
    add_bias(Tensor::from_dispatch(y), bias)
}

fn add_bias(y: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
    let Some(bias) = bias else {
        return y;
    };
    let [_, channels, _, _] = y.dims();
    assert_eq!(
        bias.dims(),
        [channels],
        "expected bias [{channels}], got {:?}",
        bias.dims()
    );
    Tensor::from_dispatch(<Dispatch as ScratchOps>::add_bias(
        y.into_dispatch(),
        bias.into_dispatch(),
    ))
}

/// Rectified linear unit: `max(x, 0)`; its gradient at 0 is 0.
pub fn relu(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as ScratchOps>::relu(x.into_dispatch()))
}

/// Parametric rectified linear unit: `x` where positive, else `alpha * x`; at 0 its gradient is
/// that of the negative side, as in PyTorch.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height, width]`
/// - `alpha`: `[1]` or `[channels]`
///
/// # Panics
/// If there is neither one slope nor one for each channel.
pub fn prelu(x: Tensor<4>, alpha: Tensor<1>) -> Tensor<4> {
    let [_, channels, _, _] = x.dims();
    let [slopes] = alpha.dims();
    assert!(
        slopes == 1 || slopes == channels,
        "expected 1 or {channels} slopes, got {slopes}"
    );
    Tensor::from_dispatch(<Dispatch as ScratchOps>::prelu(
        x.into_dispatch(),
        alpha.into_dispatch(),
    ))
}

/// Convolution and [`prelu`] in one pass.
///
/// On the CPU a 3x3 kernel with stride 1 and padding 1 is computed by Winograd's algorithm
/// (`n2n_kernels`), in f32; everything else by [`conv2d`], then [`prelu`].
///
/// # Shapes
/// - `x`, `weight`, `bias`, output: as in [`conv2d`]
/// - `alpha`: `[1]` or `[channels_out]`
///
/// # Panics
/// As [`conv2d`] and [`prelu`].
pub fn conv2d_prelu(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    alpha: Tensor<1>,
    geometry: &ConvGeometry,
) -> Tensor<4> {
    match bias {
        Some(bias) if has_kernel(&x.device(), geometry) => block(x, None, weight, bias, alpha),
        bias => prelu(conv2d(x, weight, bias, geometry), alpha),
    }
}

/// [`conv2d_prelu`] of `x`, upsampled by 2 (nearest neighbour), with the channels of `skip` after its
/// own.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height / 2, width / 2]`
/// - `skip`: `[batch_size, channels_in - channels, height, width]`
/// - `weight`, `bias`, `alpha`, output: as in [`conv2d_prelu`]
///
/// # Panics
/// If the shapes do not fit each other.
pub fn upsampled_conv2d_prelu(
    x: Tensor<4>,
    skip: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    alpha: Tensor<1>,
    geometry: &ConvGeometry,
) -> Tensor<4> {
    let ([batch_size, _, height, width], got) = (x.dims(), skip.dims());
    let expected = [batch_size, got[1], 2 * height, 2 * width];
    assert_eq!(got, expected, "expected skip {expected:?}, got {got:?}");
    match bias {
        Some(bias) if has_kernel(&x.device(), geometry) => {
            block(x, Some(skip), weight, bias, alpha)
        }
        bias => {
            let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
            let x = interpolate(x, nearest.with_scale_factor([2.0, 2.0]));
            let x = Tensor::cat(vec![x, skip], 1);
            conv2d_prelu(x, weight, bias, alpha, geometry)
        }
    }
}

/// Largest of each 2x2 pixels; a last odd row or column is left out. The first of equal ones takes the
/// gradient.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height, width]`
/// - output: `[batch_size, channels, height / 2, width / 2]`
pub fn max_pool2x2(x: Tensor<4>) -> Tensor<4> {
    match is_host(&x.device()) {
        true => Tensor::from_dispatch(<Dispatch as ScratchOps>::max_pool2x2(x.into_dispatch())),
        false => max_pool2d(x, MaxPoolOptions::new([2, 2])),
    }
}

fn block(
    x: Tensor<4>,
    skip: Option<Tensor<4>>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    alpha: Tensor<1>,
) -> Tensor<4> {
    let channels_in = x.dims()[1] + skip.as_ref().map_or(0, |skip| skip.dims()[1]);
    let [channels_out, _, _, _] = weight.dims();
    let expected = [channels_out, channels_in, 3, 3];
    assert_eq!(
        weight.dims(),
        expected,
        "expected weight {expected:?}, got {:?}",
        weight.dims()
    );
    assert_eq!(
        bias.dims(),
        [channels_out],
        "expected bias [{channels_out}], got {:?}",
        bias.dims()
    );
    let [slopes] = alpha.dims();
    assert!(
        slopes == 1 || slopes == channels_out,
        "expected 1 or {channels_out} slopes, got {slopes}"
    );
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let (bias, alpha) = (bias.into_dispatch(), alpha.into_dispatch());
    Tensor::from_dispatch(match skip {
        None => <Dispatch as ScratchOps>::conv_block(x, weight, bias, alpha),
        Some(skip) => {
            let skip = skip.into_dispatch();
            <Dispatch as ScratchOps>::upsampled_conv_block(x, skip, weight, bias, alpha)
        }
    })
}

/// Whether there is a kernel for this convolution on the device.
fn has_kernel(device: &Device, geometry: &ConvGeometry) -> bool {
    *geometry == conv_block::geometry() && is_host(device)
}

fn is_host(device: &Device) -> bool {
    matches!(
        device.clone().inner().as_dispatch(),
        DispatchDevice::Flex(_) | DispatchDevice::NdArray(_)
    )
}

/// Logistic function: `1 / (1 + exp(-x))`.
pub fn sigmoid(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as ScratchOps>::sigmoid(x.into_dispatch()))
}

/// Mean squared error: `mean((x - y)^2)` over all elements.
///
/// # Shapes
/// - `x`, `y`: `[batch_size, channels, height, width]`
/// - output: `[1]`
///
/// # Panics
/// If the shapes differ.
pub fn mse(x: Tensor<4>, y: Tensor<4>) -> Tensor<1> {
    let (x_shape, y_shape) = (x.dims(), y.dims());
    assert_eq!(
        x_shape, y_shape,
        "expected two images of one shape, got {x_shape:?} and {y_shape:?}"
    );
    Tensor::from_dispatch(<Dispatch as ScratchOps>::mse(
        x.into_dispatch(),
        y.into_dispatch(),
    ))
}

fn checked_positions(geometry: &ConvGeometry, size: [usize; 2]) -> [usize; 2] {
    geometry
        .output_size(size)
        .unwrap_or_else(|error| panic!("{error}"))
}
