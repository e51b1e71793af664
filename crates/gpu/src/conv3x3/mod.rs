//! 3x3 convolutions with stride 1 and padding 1, and what surrounds them in the networks: upsampling and
//! concatenation before, bias, PReLU and 2x2 max-pooling after.
//!
//! A cube keeps a tile of pixels and the taps of some channels in shared memory (`product.rs`), and reads through
//! `../sources.rs`, so that upsampled, concatenated or unpooled images never exist.
//!
//! ```text
//! z = bias[k] + sum over c, i, j of weight[k, c, i, j] * input[c, v + i - 1, u + j - 1]
//! y = z > 0 ? z : slope[k] * z, of which pooling takes the largest of each 2x2 pixels
//! ```

mod forward;
mod input_gradient;
mod parameter_gradients;
mod product;
mod tile;

use burn::backend::TensorMetadata;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;

use self::product::Split;
use self::tile::{Tile, cubes};
use crate::Parameters;
use crate::parts::{CUBES, columns, summed};
use crate::tensors::{empty, empty_images, empty_images_as, types};

/// Most columns, and rows, of a tile.
const WIDEST: usize = 16;

/// What a convolution reads: `x`, or `x`, to be upsampled by 2 (nearest neighbour), and the images whose
/// channels follow its own.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// `[batch_size, channels, height, width]`, or half of that height and width.
    pub x: CubeTensor,
    /// `[batch_size, channels_in - channels, height, width]`
    pub skip: Option<CubeTensor>,
}

impl Inputs {
    /// Height and width of the output without pooling.
    fn size(&self) -> [usize; 2] {
        let shape = self.skip.as_ref().unwrap_or(&self.x).shape();
        [shape[2], shape[3]]
    }
}

/// The output, and what the gradients need of it, both stored as `dtype`; the sums are of the type of the parameters.
///
/// # Shapes
/// - output: `[batch_size, channels_out, height, width]`; pooled, half of that height and width
/// - kept: `z` in the shape of the output; pooled, twice the channels, the second half being which of the 2x2
///   pixels is the largest, from 0 to 3
pub fn conv3x3(
    inputs: Inputs,
    parameters: Parameters,
    pooled: bool,
    keep: bool,
    dtype: DType,
) -> (CubeTensor, Option<CubeTensor>) {
    let Inputs { x, skip } = inputs.clone();
    let Parameters {
        weight,
        bias,
        slope,
    } = parameters;
    let [weight, bias, slope] = [weight, bias, slope].map(into_contiguous);
    let ([height, width], channels_out) = (inputs.size(), weight.shape()[0]);
    let images = x.shape()[0];
    let reduction = if pooled { 2 } else { 1 };
    let shape = [images, channels_out, height / reduction, width / reduction];
    let y = empty_images_as(&x, shape, dtype);
    let [_, _, height_out, width_out] = shape;
    let channels_kept = if pooled {
        2 * channels_out
    } else {
        channels_out
    };
    let shape_kept = [images, channels_kept, height_out, width_out];
    let kept = keep.then(|| empty_images_as(&x, shape_kept, dtype));
    let split = Split::of(channels_out);
    let tile = Tile::new(split.pixels(), WIDEST, [height, width]);
    let tiles = tile.count(images, [height, width]);
    let count = cubes(tiles, channels_out.div_ceil(split.channels));
    let types = types([&weight, &x, skip.as_ref().unwrap_or(&x), &y]);
    let client = x.client.clone();
    // SAFETY: the kernel reads and writes within the shapes that its tensors carry, which are those above.
    unsafe {
        forward::conv3x3_forward::launch_unchecked(
            &client,
            count,
            CubeDim::new_1d(split.units as u32),
            x.into_tensor_arg(),
            skip.map(CubeTensor::into_tensor_arg).into(),
            weight.into_tensor_arg(),
            bias.into_tensor_arg(),
            slope.into_tensor_arg(),
            y.clone().into_tensor_arg(),
            kept.clone().map(CubeTensor::into_tensor_arg).into(),
            tile.launch(),
            height as u32,
            width as u32,
            split,
            pooled,
            types,
        );
    }
    (y, kept)
}

/// The gradient by `x`, or those by `x` and `skip`, given that of the output.
///
/// # Shapes
/// - `grad`: as the output; `kept`: as [`conv3x3`] keeps it
/// - output: as the inputs
pub fn input_gradient(
    inputs: &Inputs,
    parameters: &Parameters,
    kept: CubeTensor,
    grad: CubeTensor,
    pooled: bool,
) -> (CubeTensor, Option<CubeTensor>) {
    let [weight, slope] =
        [&parameters.weight, &parameters.slope].map(|x| into_contiguous(x.clone()));
    let [height, width] = inputs.size();
    let like = |x: &CubeTensor| empty_images(&grad, x.shape().dims());
    let (x_grad, skip_grad) = (like(&inputs.x), inputs.skip.as_ref().map(like));
    let (images, channels) = (inputs.x.shape()[0], weight.shape()[1]);
    let split = Split::of(channels);
    let tile = Tile::new(split.pixels(), WIDEST, [height, width]);
    let tiles = tile.count(images, [height, width]);
    let count = cubes(tiles, channels.div_ceil(split.channels));
    let types = types([&grad, &kept]);
    let client = grad.client.clone();
    // SAFETY: as in `conv3x3`.
    unsafe {
        input_gradient::conv3x3_input_gradient::launch_unchecked(
            &client,
            count,
            CubeDim::new_1d(split.units as u32),
            grad.into_tensor_arg(),
            kept.into_tensor_arg(),
            weight.into_tensor_arg(),
            slope.into_tensor_arg(),
            x_grad.clone().into_tensor_arg(),
            skip_grad.clone().map(CubeTensor::into_tensor_arg).into(),
            tile.launch(),
            height as u32,
            width as u32,
            split,
            skip_grad.is_some(),
            pooled,
            types,
        );
    }
    (x_grad, skip_grad)
}

/// The gradients by weight, bias and slope, given that of the output.
///
/// Sums are split by the shapes alone, and added in a fixed order: the same values give the same bits.
///
/// # Shapes
/// - `grad`: as the output; `kept`: as [`conv3x3`] keeps it
/// - output: as the parameters
pub fn parameter_gradients(
    inputs: Inputs,
    parameters: &Parameters,
    kept: CubeTensor,
    grad: CubeTensor,
    pooled: bool,
) -> Parameters {
    let parts = empty(
        &grad,
        Shape::new(parts_shape(&inputs, parameters.weight.shape().dims())),
    );
    parameter_parts(inputs, parameters, (kept, grad), pooled, parts.clone());
    summed(parts, parameters)
}

/// Cubes that share the sums of a convolution with this kernel, and the sums of each.
pub(crate) fn parts_shape(
    inputs: &Inputs,
    [channels_out, channels, _, _]: [usize; 4],
) -> [usize; 2] {
    use parameter_gradients::{IN, OUT};

    let [height, width] = inputs.size();
    let tiles = parameter_tile([height, width]).count(inputs.x.shape()[0], [height, width]);
    let (across, down) = (channels_out.div_ceil(OUT), channels.div_ceil(IN));
    let splits = CUBES.div_ceil(across * down).min(tiles);
    [splits, columns(channels_out * channels * 9, channels_out)]
}

fn parameter_tile(size: [usize; 2]) -> Tile {
    Tile::new(parameter_gradients::PIXELS, 8, size)
}

/// Writes the parts of [`parameter_gradients`], in the shape of [`parts_shape`].
pub(crate) fn parameter_parts(
    inputs: Inputs,
    parameters: &Parameters,
    (kept, grad): (CubeTensor, CubeTensor),
    pooled: bool,
    parts: CubeTensor,
) {
    use parameter_gradients::{IN, OUT, UNITS};

    let [height, width] = inputs.size();
    let Inputs { x, skip } = inputs;
    let types = types([&grad, &x, skip.as_ref().unwrap_or(&x), &kept]);
    let client = x.client.clone();
    let [channels_out, channels, _, _] = parameters.weight.shape().dims();
    let tile = parameter_tile([height, width]);
    let tiles = tile.count(x.shape()[0], [height, width]);
    let (across, down) = (channels_out.div_ceil(OUT), channels.div_ceil(IN));
    let splits = parts.shape()[0];
    // SAFETY: as in `conv3x3`; the parts have a row for each cube of the third axis.
    unsafe {
        parameter_gradients::conv3x3_parameter_gradients::launch_unchecked(
            &client,
            CubeCount::Static(across as u32, down as u32, splits as u32),
            CubeDim::new_1d(UNITS as u32),
            x.into_tensor_arg(),
            skip.map(CubeTensor::into_tensor_arg).into(),
            grad.into_tensor_arg(),
            kept.into_tensor_arg(),
            into_contiguous(parameters.slope.clone()).into_tensor_arg(),
            parts.into_tensor_arg(),
            tile.launch(),
            tiles as u32,
            channels as u32,
            height as u32,
            width as u32,
            tile.columns,
            pooled,
            types,
        );
    }
}
