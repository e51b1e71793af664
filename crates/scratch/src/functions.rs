//! The convolutions on tensors: shapes are checked here, once, for every backend.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};

use crate::ConvGeometry;
use crate::activation::Activation;
use crate::conv_block::{Convolution, Direction};
use crate::fused::is_fused;
use crate::ops::ScratchOps;
use crate::pool::max_pool2x2;
use crate::unfold::{frame, unframe};

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
    let extent = geometry.extent(positions);
    let frame = <Dispatch as ScratchOps>::fold(columns.into_dispatch(), *geometry, extent);
    Tensor::from_dispatch(unframe::<Dispatch>(frame, geometry, positions, size))
}

/// Two-dimensional convolution (cross-correlation, as everywhere in deep learning).
///
/// `Y[n, b, y, x] = bias[b] + sum over a, i, j of W[b, a, i, j] * X[n, a, s*y + d*i - p, s*x + d*j - p]`
///
/// ```
/// use burn::tensor::{DType, Device, Tensor};
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
    conv2d_activated(x, weight, bias, Activation::Linear, geometry)
}

/// [`conv2d`] and an activation, in one pass where there is a kernel for both.
///
/// On the CPU, in f32, a 3x3 kernel with stride 1 and padding 1 is computed by Winograd's algorithm, any
/// other without groups by blocks of unfolded patches (`n2n_kernels`). A graphics device has
/// kernels for both kinds (`n2n_gpu`).
///
/// # Shapes
/// As in [`conv2d`].
///
/// # Panics
/// As [`conv2d`], and if the activation has neither one slope nor one for each channel.
pub fn conv2d_activated(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    activation: Activation,
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
    check_bias(bias.as_ref(), channels_out);
    let convolution = Convolution {
        direction: Direction::Forward,
        geometry: *geometry,
        size: positions,
    };
    if is_fused(&x, &convolution.geometry) {
        return block(x, weight, bias, activation, convolution);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let y = <Dispatch as ScratchOps>::conv2d(x, weight, *geometry, positions);
    activation.apply(add_bias(Tensor::from_dispatch(y), bias))
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
    let activation = Activation::Linear;
    conv_transpose2d_activated(x, weight, bias, activation, geometry, output_padding)
}

/// [`conv_transpose2d`] and an activation, in one pass on the CPU, as [`conv2d_activated`].
///
/// # Shapes
/// As in [`conv_transpose2d`].
///
/// # Panics
/// As [`conv_transpose2d`], and if the activation has neither one slope nor one for each channel.
pub fn conv_transpose2d_activated(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    activation: Activation,
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
    check_bias(bias.as_ref(), channels_out_group * groups);
    let convolution = Convolution {
        direction: Direction::Transposed,
        geometry: *geometry,
        size,
    };
    if is_fused(&x, &convolution.geometry) {
        return block(x, weight, bias, activation, convolution);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let y = <Dispatch as ScratchOps>::conv_transpose2d(x, weight, *geometry, size);
    activation.apply(add_bias(Tensor::from_dispatch(y), bias))
}

fn check_bias(bias: Option<&Tensor<1>>, channels: usize) {
    if let Some(bias) = bias {
        let got = bias.dims();
        assert_eq!(got, [channels], "expected bias [{channels}], got {got:?}");
    }
}

fn add_bias(y: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
    let Some(bias) = bias else {
        return y;
    };
    Tensor::from_dispatch(<Dispatch as ScratchOps>::add_bias(
        y.into_dispatch(),
        bias.into_dispatch(),
    ))
}

/// A convolution of `x`, upsampled by 2 (nearest neighbour), with the channels of `skip` after its own, and
/// an activation: kernel 3x3, stride 1, padding 1.
///
/// Neither the CPU nor a graphics device stores the upsampled or concatenated images.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height / 2, width / 2]`
/// - `skip`: `[batch_size, channels_in - channels, height, width]`
/// - `weight`: `[channels_out, channels_in, 3, 3]`
/// - `bias`: `[channels_out]`
/// - output: `[batch_size, channels_out, height, width]`
///
/// # Panics
/// If the shapes do not fit each other.
pub fn upsampled_conv2d_activated(
    x: Tensor<4>,
    skip: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<4> {
    let ([batch_size, channels, height, width], got) = (x.dims(), skip.dims());
    let expected = [batch_size, got[1], 2 * height, 2 * width];
    assert_eq!(got, expected, "expected skip {expected:?}, got {got:?}");
    let convolution = Convolution::same3x3([2 * height, 2 * width]);
    if !is_fused(&x, &convolution.geometry) {
        let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
        let x = interpolate(x, nearest.with_scale_factor([2.0, 2.0]));
        let x = Tensor::cat(vec![x, skip], 1);
        return conv2d_activated(x, weight, bias, activation, &convolution.geometry);
    }
    let (got, channels_in) = (weight.dims(), channels + skip.dims()[1]);
    let expected = [got[0], channels_in, 3, 3];
    assert_eq!(got, expected, "expected weight {expected:?}, got {got:?}");
    check_bias(bias.as_ref(), got[0]);
    let (bias, slope) = bias_and_slope(&x, bias, activation, got[0]);
    Tensor::from_dispatch(<Dispatch as ScratchOps>::upsampled_conv_block(
        x.into_dispatch(),
        skip.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        slope.into_dispatch(),
    ))
}

/// A convolution and an activation, and [`max_pool2x2`] of that: kernel 3x3, stride 1, padding 1.
///
/// A graphics device does not store the images before the pooling.
///
/// # Shapes
/// - `x`: `[batch_size, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in, 3, 3]`
/// - `bias`: `[channels_out]`
/// - output: `[batch_size, channels_out, height / 2, width / 2]`
///
/// # Panics
/// If the shapes do not fit each other.
pub fn pooled_conv2d_activated(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<4> {
    let [_, channels_in, height, width] = x.dims();
    let convolution = Convolution::same3x3([height, width]);
    if !is_fused(&x, &convolution.geometry) {
        let y = conv2d_activated(x, weight, bias, activation, &convolution.geometry);
        return max_pool2x2(y);
    }
    let got = weight.dims();
    let expected = [got[0], channels_in, 3, 3];
    assert_eq!(got, expected, "expected weight {expected:?}, got {got:?}");
    check_bias(bias.as_ref(), got[0]);
    let (bias, slope) = bias_and_slope(&x, bias, activation, got[0]);
    Tensor::from_dispatch(<Dispatch as ScratchOps>::pooled_conv_block(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        slope.into_dispatch(),
    ))
}

/// A fused convolution of checked operands.
fn block(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    activation: Activation,
    convolution: Convolution,
) -> Tensor<4> {
    let [first, second, _, _] = weight.dims();
    let channels_out = match convolution.direction {
        Direction::Forward => first,
        Direction::Transposed => second,
    };
    let (bias, slope) = bias_and_slope(&x, bias, activation, channels_out);
    Tensor::from_dispatch(<Dispatch as ScratchOps>::conv_block(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        slope.into_dispatch(),
        convolution,
    ))
}

/// Bias and slope of a fused op; constants are not tracked.
fn bias_and_slope(
    x: &Tensor<4>,
    bias: Option<Tensor<1>>,
    activation: Activation,
    channels_out: usize,
) -> (Tensor<1>, Tensor<1>) {
    let device = x.device().inner();
    let options = (&device, x.dtype());
    let slope = activation.slope(options);
    let slopes = slope.dims()[0];
    assert!(
        slopes == 1 || slopes == channels_out,
        "expected 1 or {channels_out} slopes, got {slopes}"
    );
    let bias = bias.unwrap_or_else(|| Tensor::zeros([channels_out], options));
    (bias, slope)
}

fn checked_positions(geometry: &ConvGeometry, size: [usize; 2]) -> [usize; 2] {
    geometry
        .output_size(size)
        .unwrap_or_else(|error| panic!("{error}"))
}
