//! The convolution.

use burn_cubecl::cubecl::{self, prelude::*};

use super::product::{CHANNELS, DEEP, Share, Split, accumulate, zeros};
use super::tile::{Area, TileArgs, tile_index};
use crate::sources::{activated, input};
use crate::tensors::offset;

/// `y = prelu(conv3x3(input) + bias, slope)`, or its 2x2 max-pooling, see [`super::conv3x3`].
#[cube(launch_unchecked)]
pub(super) fn conv3x3_forward<F: Float, X: Float, K: Float, Y: Float>(
    x: &Tensor<X>,
    skip: ComptimeOption<&Tensor<K>>,
    weight: &Tensor<F>,
    bias: &Tensor<F>,
    slope: &Tensor<F>,
    y: &mut Tensor<Y>,
    mut kept: ComptimeOption<OwnedTensor<Y>>,
    tile: TileArgs,
    height: u32,
    width: u32,
    #[comptime] split: Split,
    #[comptime] pooled: bool,
    #[define(F, X, K, Y)] _dtypes: [ElemType; 4],
) {
    let (height, width) = (height as usize, width as usize);
    let (images, channels_out, channels) = (y.shape(0), y.shape(1), weight.shape(1));
    let (positions, row, units) = comptime!((split.positions(), split.row(), split.units));
    let area = Area::new(&tile, tile_index(), height, width);
    let first = CUBE_POS_Y as usize * comptime!(split.channels);
    let unit = UNIT_POS as usize;
    let share = Share::new(&area, unit, split);
    let corner = share.corner(&area);
    let mut frame = Shared::<[F]>::new_slice(comptime!(split.frame()));
    let mut taps = Shared::<[F]>::new_slice(comptime!(split.taps()));
    let mut sums = zeros::<F>();
    for chunk in range_stepped(0usize, channels, DEEP) {
        for position in range_stepped(unit, area.positions, units) {
            let pixel = area.framed(position, images, height, width);
            #[unroll]
            for c in 0..comptime!(DEEP) {
                let value = input::<F, X, K>(x, skip, pixel, chunk + c, channels);
                frame[c * positions + position] = value;
            }
        }
        for at in range_stepped(unit, comptime!(DEEP * 9 * split.channels), units) {
            let (k, inner) = (at / (DEEP * 9), at % (DEEP * 9));
            let mut value = F::new(0.0);
            if first + k < channels_out && chunk + inner / 9 < channels {
                value = weight[((first + k) * channels + chunk) * 9 + inner];
            }
            taps[inner * row + k] = value;
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
            let k = first + share.lane + q * comptime!(split.lanes());
            if k < channels_out {
                let slope = slope[k % slope.shape(0)];
                if comptime!(pooled) {
                    // The first of the largest; one that is no number wins.
                    let mut z = sums[q] + bias[k];
                    let mut largest = activated::<F>(z, slope);
                    let mut place = F::new(0.0);
                    #[unroll]
                    for p in 1..4usize {
                        let other = sums[p * CHANNELS + q] + bias[k];
                        let value = activated::<F>(other, slope);
                        if replaces::<F>(value, largest) {
                            z = other;
                            largest = value;
                            place = F::cast_from(p);
                        }
                    }
                    if top / 2 < y.shape(2) && left / 2 < y.shape(3) {
                        let at = offset(&*y, image, k, top / 2, left / 2);
                        y[at] = Y::cast_from(largest);
                        #[comptime]
                        match kept.as_mut() {
                            ComptimeOption::Some(kept) => {
                                let at = offset(&*kept, image, k, top / 2, left / 2);
                                kept[at] = Y::cast_from(z);
                                let after = at + channels_out * kept.stride(1);
                                kept[after] = Y::cast_from(place);
                            }
                            ComptimeOption::None => {}
                        }
                    }
                } else {
                    #[unroll]
                    for p in 0..4usize {
                        let (v, u) = (top + comptime!(p / 2), left + comptime!(p % 2));
                        if v < height && u < width {
                            let z = sums[p * CHANNELS + q] + bias[k];
                            let at = offset(&*y, image, k, v, u);
                            y[at] = Y::cast_from(activated::<F>(z, slope));
                            #[comptime]
                            match kept.as_mut() {
                                ComptimeOption::Some(kept) => {
                                    let at = offset(&*kept, image, k, v, u);
                                    kept[at] = Y::cast_from(z);
                                }
                                ComptimeOption::None => {}
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a value takes the place of the largest so far: one that is no number does, and nothing takes its place.
#[cube]
#[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord)] // What is no number compares as false.
fn replaces<F: Float>(value: F, largest: F) -> bool {
    !(value <= largest) && largest == largest
}
