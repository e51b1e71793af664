//! The gradient by the input.

use burn_cubecl::cubecl::{self, prelude::*};

use super::product::{CHANNELS, DEEP, Share, Split, accumulate, zeros};
use super::tile::{Area, TileArgs, tile_index};
use crate::sources::gradient;
use crate::tensors::offset;

/// Gradient by `x`, or by `x` and `skip`, see [`super::input_gradient`]: the convolution of the gradient with the
/// kernel turned around, and its 2x2 sums where `x` was upsampled.
#[cube(launch_unchecked)]
pub(super) fn conv3x3_input_gradient<F: Float, Y: Float>(
    grad: &Tensor<F>,
    kept: &Tensor<Y>,
    weight: &Tensor<F>,
    slope: &Tensor<F>,
    x_grad: &mut Tensor<F>,
    mut skip_grad: ComptimeOption<OwnedTensor<F>>,
    tile: TileArgs,
    height: u32,
    width: u32,
    #[comptime] split: Split,
    #[comptime] upsampled: bool,
    #[comptime] pooled: bool,
    #[define(F, Y)] _dtypes: [ElemType; 2],
) {
    let (height, width) = (height as usize, width as usize);
    let (images, own) = (x_grad.shape(0), x_grad.shape(1));
    let (channels_out, channels) = (weight.shape(0), weight.shape(1));
    let (positions, row, units) = comptime!((split.positions(), split.row(), split.units));
    let area = Area::new(&tile, tile_index(), height, width);
    let first = CUBE_POS_Y as usize * comptime!(split.channels);
    let unit = UNIT_POS as usize;
    let share = Share::new(&area, unit, split);
    let corner = share.corner(&area);
    let mut frame = Shared::<[F]>::new_slice(comptime!(split.frame()));
    let mut taps = Shared::<[F]>::new_slice(comptime!(split.taps()));
    let mut sums = zeros::<F>();
    for chunk in range_stepped(0usize, channels_out, DEEP) {
        for position in range_stepped(unit, area.positions, units) {
            let pixel = area.framed(position, images, height, width);
            #[unroll]
            for k in 0..comptime!(DEEP) {
                let value = gradient(grad, kept, slope, pixel, chunk + k, pooled);
                frame[k * positions + position] = value.delta;
            }
        }
        for at in range_stepped(unit, comptime!(DEEP * 9 * split.channels), units) {
            let (k, inner) = (
                at / comptime!(9 * split.channels),
                at % comptime!(9 * split.channels),
            );
            let (c, tap) = (inner / 9, inner % 9);
            let mut value = F::new(0.0);
            if first + c < channels && chunk + k < channels_out {
                value = weight[((chunk + k) * channels + first) * 9 + inner];
            }
            taps[(k * 9 + 8 - tap) * row + c] = value;
        }
        sync_cube();
        accumulate(
            &frame,
            &taps,
            corner,
            area.columns + 2,
            share.lane,
            &mut sums,
            split,
        );
        sync_cube();
    }
    let image = area.image + share.image;
    let (top, left) = (area.top + share.row, area.left + share.column);
    if image < images {
        #[unroll]
        for q in 0..comptime!(CHANNELS) {
            let c = first + share.lane + q * comptime!(split.lanes());
            if c < channels {
                if comptime!(upsampled) {
                    if c < own {
                        if top < height && left < width {
                            let at = offset(&*x_grad, image, c, top / 2, left / 2);
                            x_grad[at] = (sums[q] + sums[CHANNELS + q])
                                + (sums[2 * CHANNELS + q] + sums[3 * CHANNELS + q]);
                        }
                    } else {
                        #[comptime]
                        match skip_grad.as_mut() {
                            ComptimeOption::Some(skip_grad) => {
                                write(skip_grad, &sums, q, image, c - own, top, left);
                            }
                            ComptimeOption::None => {}
                        }
                    }
                } else {
                    write(x_grad, &sums, q, image, c, top, left);
                }
            }
        }
    }
}

/// Writes the sums of a channel at 2x2 pixels, as far as they lie in the images.
#[cube]
fn write<F: Float>(
    to: &mut Tensor<F>,
    sums: &Array<F>,
    #[comptime] q: usize,
    image: usize,
    channel: usize,
    top: usize,
    left: usize,
) {
    #[unroll]
    for p in 0..4usize {
        let (v, u) = (top + comptime!(p / 2), left + comptime!(p % 2));
        if v < to.shape(2) && u < to.shape(3) {
            let at = offset(&*to, image, channel, v, u);
            to[at] = sums[p * CHANNELS + q];
        }
    }
}
