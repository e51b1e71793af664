//! Convolution and its three gradients, as matrix products over unfolded patches.
//!
//! Derivations: the crate's README.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Shape, Slice};

use crate::ConvGeometry;
use crate::ops::ScratchOps;
use crate::tiles::{Tile, tiles};
use crate::unfold::{frame, full, unframe};

/// Convolution without bias.
///
/// `Y[n, b, y, x] = sum over a, i, j of W[b, a, i, j] * X[n, a, s*y + d*i - p, s*x + d*j - p]`:
/// for each group, `Y = W · unfold(X)`.
///
/// # Shapes
/// - `x`: `[batch_size, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in / groups, kernel_height, kernel_width]`
/// - output: `[batch_size, channels_out, height_out, width_out]`
pub(crate) fn conv2d<B: ScratchOps>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    geometry: ConvGeometry,
    positions: [usize; 2],
) -> FloatTensor<B> {
    let [batch_size, channels_in, _, _] = x.shape().dims();
    let [channels_out, _, _, _] = weight.shape().dims();
    let weight = weight_matrix::<B>(weight, geometry.groups());
    let x = frame::<B>(x, &geometry, positions);
    let plan = tiles(
        batch_size,
        positions,
        geometry.kernel_elements() * channels_in,
    );
    let outputs = plan.map(|images| {
        let parts = images.map(|tile| {
            let columns = columns::<B>(x.clone(), &geometry, &tile);
            let y = B::float_matmul(weight.clone(), columns); // [G, C_out / G, M]
            let image = [
                channels_out,
                tile.images.len(),
                tile.rows.len(),
                positions[1],
            ];
            let y = B::float_reshape(y, Shape::new(image));
            B::float_permute(y, &[1, 0, 2, 3])
        });
        concatenate::<B>(parts.collect(), 2)
    });
    concatenate::<B>(outputs.collect(), 0)
}

/// Gradient of [`conv2d`] with respect to its input of size `[height, width]`.
///
/// `dX[n, a, u, v] = sum over b, i, j and all y, x with s*y + d*i - p = u, s*x + d*j - p = v of
/// dY[n, b, y, x] * W[b, a, i, j]`: for each group, `dX = fold(Wᵀ · dY)`. Inputs that no
/// position reaches get exact zeros.
///
/// # Shapes
/// - `weight`: `[channels_out, channels_in / groups, kernel_height, kernel_width]`
/// - `output_grad`: `[batch_size, channels_out, height_out, width_out]`
/// - output: `[batch_size, channels_in, height, width]`
pub(crate) fn conv2d_x_backward<B: ScratchOps>(
    weight: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    geometry: ConvGeometry,
    size: [usize; 2],
) -> FloatTensor<B> {
    let [batch_size, _, height_out, width_out] = output_grad.shape().dims();
    let [_, channels_in_group, _, _] = weight.shape().dims();
    let positions = [height_out, width_out];
    let channels_in = channels_in_group * geometry.groups();
    let weight = B::float_swap_dims(weight_matrix::<B>(weight, geometry.groups()), 1, 2);
    let plan = tiles(
        batch_size,
        positions,
        geometry.kernel_elements() * channels_in,
    );
    let gradients = plan.map(|images| {
        let mut whole: Option<FloatTensor<B>> = None;
        for tile in images {
            let grad = grad_matrix::<B>(output_grad.clone(), geometry.groups(), &tile);
            let columns = B::float_matmul(weight.clone(), grad); // [G, C_in / G * h * w, M]
            let [groups, rows, count] = columns.shape().dims();
            let columns = B::float_reshape(columns, Shape::new([groups * rows, count]));
            let extent = geometry.extent([tile.rows.len(), width_out]);
            let part = B::fold(columns, geometry, extent);
            whole = Some(match whole {
                None if tile.rows.len() == height_out => part,
                whole => add_rows::<B>(whole, part, &geometry, &tile, positions),
            });
        }
        whole.unwrap_or_else(|| unreachable!("a chunk of images has a tile"))
    });
    let frame = concatenate::<B>(gradients.collect(), 0);
    unframe::<B>(frame, &geometry, positions, size)
}

/// Gradient of [`conv2d`] with respect to its weight.
///
/// `dW[b, a, i, j] = sum over n, y, x of dY[n, b, y, x] * X[n, a, s*y + d*i - p, s*x + d*j - p]`:
/// for each group, `dW = dY · unfold(X)ᵀ`.
///
/// # Shapes
/// - `x`: `[batch_size, channels_in, height, width]`
/// - `output_grad`: `[batch_size, channels_out, height_out, width_out]`
/// - output: `[channels_out, channels_in / groups, kernel_height, kernel_width]`
pub(crate) fn conv2d_weight_backward<B: ScratchOps>(
    x: FloatTensor<B>,
    output_grad: FloatTensor<B>,
    geometry: ConvGeometry,
) -> FloatTensor<B> {
    let [batch_size, channels_in, _, _] = x.shape().dims();
    let [_, channels_out, height_out, width_out] = output_grad.shape().dims();
    let positions = [height_out, width_out];
    let groups = geometry.groups();
    let x = frame::<B>(x, &geometry, positions);
    let mut sum: Option<FloatTensor<B>> = None;
    for tile in tiles(
        batch_size,
        positions,
        geometry.kernel_elements() * channels_in,
    )
    .flatten()
    {
        let columns = columns::<B>(x.clone(), &geometry, &tile);
        let grad = grad_matrix::<B>(output_grad.clone(), groups, &tile);
        let part = B::float_matmul(grad, B::float_swap_dims(columns, 1, 2));
        sum = Some(match sum {
            Some(sum) => B::float_add(sum, part),
            None => part,
        });
    }
    let [kernel_height, kernel_width] = geometry.kernel_size();
    let shape = [
        channels_out,
        channels_in / groups,
        kernel_height,
        kernel_width,
    ];
    let sum = sum.unwrap_or_else(|| unreachable!("a batch has a tile"));
    B::float_reshape(sum, Shape::new(shape))
}

/// Adds `bias[c]` to every pixel of channel `c`.
///
/// # Shapes
/// - `x`: `[batch_size, channels, height, width]`
/// - `bias`: `[channels]`
pub(crate) fn add_bias<B: ScratchOps>(x: FloatTensor<B>, bias: FloatTensor<B>) -> FloatTensor<B> {
    let channels = bias.shape()[0];
    B::float_add(x, B::float_reshape(bias, Shape::new([1, channels, 1, 1])))
}

/// Gradient of a bias that is added to every pixel of its channel: `db[b] = sum over n, y, x of
/// dY[n, b, y, x]`.
///
/// # Shapes
/// - `output_grad`: `[batch_size, channels, height, width]`
/// - output: `[channels]`
pub(crate) fn bias_backward<B: ScratchOps>(output_grad: FloatTensor<B>) -> FloatTensor<B> {
    let [batch_size, channels, height, width] = output_grad.shape().dims();
    let rows = B::float_reshape(
        output_grad,
        Shape::new([batch_size, channels, height * width]),
    );
    let sum = B::float_sum_dim(B::float_sum_dim(rows, 2), 0);
    B::float_reshape(sum, Shape::new([channels]))
}

/// A weight as one matrix for each group: `[groups, channels_out / groups, channels_in / groups *
/// kernel_height * kernel_width]`.
fn weight_matrix<B: ScratchOps>(weight: FloatTensor<B>, groups: usize) -> FloatTensor<B> {
    let [channels_out, channels_in_group, height, width] = weight.shape().dims();
    let shape = [
        groups,
        channels_out / groups,
        channels_in_group * height * width,
    ];
    B::float_reshape(weight, Shape::new(shape))
}

/// Columns of one tile of a frame, for each group: `[groups, channels_in / groups * kernel_height
/// * kernel_width, images * rows * width_out]`.
fn columns<B: ScratchOps>(
    frame: FloatTensor<B>,
    geometry: &ConvGeometry,
    tile: &Tile,
) -> FloatTensor<B> {
    let mut slices = full(&frame.shape());
    slices[0] = Slice::from(tile.images.clone());
    slices[2] = Slice::from(geometry.reached_rows(&tile.rows));
    let columns = B::unfold(slice::<B>(frame, &slices), *geometry);
    let [rows, count] = columns.shape().dims();
    let groups = geometry.groups();
    B::float_reshape(columns, Shape::new([groups, rows / groups, count]))
}

/// Output gradients of one tile, for each group: `[groups, channels_out / groups, images * rows *
/// width_out]`.
fn grad_matrix<B: ScratchOps>(
    output_grad: FloatTensor<B>,
    groups: usize,
    tile: &Tile,
) -> FloatTensor<B> {
    let mut slices = full(&output_grad.shape());
    slices[0] = Slice::from(tile.images.clone());
    slices[2] = Slice::from(tile.rows.clone());
    let grad = slice::<B>(output_grad, &slices);
    let [images, channels, rows, width] = grad.shape().dims();
    let grad = B::float_permute(grad, &[1, 0, 2, 3]);
    let shape = [groups, channels / groups, images * rows * width];
    B::float_reshape(grad, Shape::new(shape))
}

/// Adds the frame of a tile's rows to the frame of all rows.
fn add_rows<B: ScratchOps>(
    whole: Option<FloatTensor<B>>,
    part: FloatTensor<B>,
    geometry: &ConvGeometry,
    tile: &Tile,
    positions: [usize; 2],
) -> FloatTensor<B> {
    let [images, channels, _, _] = part.shape().dims();
    let whole = whole.unwrap_or_else(|| {
        let [height, width] = geometry.extent(positions);
        let shape = Shape::new([images, channels, height, width]);
        B::float_zeros(shape, &part.device(), part.dtype().into())
    });
    let mut slices = full(&whole.shape());
    slices[2] = Slice::from(geometry.reached_rows(&tile.rows));
    let sum = B::float_add(B::float_slice(whole.clone(), &slices), part);
    B::float_slice_assign(whole, &slices, sum)
}

fn slice<B: ScratchOps>(x: FloatTensor<B>, slices: &[Slice]) -> FloatTensor<B> {
    if full(&x.shape()) == slices {
        x
    } else {
        B::float_slice(x, slices)
    }
}

fn concatenate<B: ScratchOps>(mut parts: Vec<FloatTensor<B>>, dim: usize) -> FloatTensor<B> {
    match parts.len() {
        1 => parts.remove(0),
        _ => B::float_cat(parts, dim),
    }
}
