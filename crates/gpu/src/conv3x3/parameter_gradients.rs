//! The gradients by weight, bias and slope.

use burn_cubecl::cubecl::{self, prelude::*};

use super::tile::{Area, TileArgs};
use crate::sources::{gradient, input};

/// Channels of the output, and of the input, of a cube.
pub(super) const OUT: usize = 32;
pub(super) const IN: usize = 32;
/// Pixels of a tile, of which a cube takes one after another.
pub(super) const PIXELS: usize = 32;
/// Units of a cube: each has 2 channels of the output, and 2 of the input.
pub(super) const UNITS: usize = 256;
/// Units that take other channels of the output.
const LANES: usize = OUT / 2;
/// Places for the positions of a frame, of which images of 2x2 pixels have most; odd, so that units that write
/// neighbouring channels do not meet in a bank.
const POSITIONS: usize = 4 * PIXELS + 1;

/// Sums of the gradients over every `S`-th tile, `S` being the number of rows of `parts`: `[S, P]`, in a row those
/// of weight, bias and slopes.
#[cube(launch_unchecked)]
pub(super) fn conv3x3_parameter_gradients<F: Float, X: Float, K: Float, Y: Float>(
    x: &Tensor<X>,
    skip: ComptimeOption<&Tensor<K>>,
    grad: &Tensor<F>,
    kept: &Tensor<Y>,
    slope: &Tensor<F>,
    parts: &mut Tensor<F>,
    tile: TileArgs,
    tiles: u32,
    channels: u32,
    height: u32,
    width: u32,
    #[comptime] columns: usize,
    #[comptime] pooled: bool,
    #[define(F, X, K, Y)] _dtypes: [ElemType; 4],
) {
    let (height, width) = (height as usize, width as usize);
    let (images, channels_out) = (grad.shape(0), grad.shape(1));
    let channels = channels as usize;
    let first_k = CUBE_POS_X as usize * OUT;
    let first_c = CUBE_POS_Y as usize * IN;
    let part = CUBE_POS_Z as usize;
    let unit = UNIT_POS as usize;
    let (lane, own) = (unit % LANES, unit / LANES);
    let framed = comptime!(columns + 2);

    let mut frame = Shared::<[F]>::new_slice(comptime!(IN * POSITIONS));
    let mut deltas = Shared::<[F]>::new_slice(comptime!(PIXELS * OUT));
    // For each of 2 channels of the input, 9 taps of 2 channels of the output.
    let mut sums = Array::<F>::new(36usize);
    #[unroll]
    for at in 0..36usize {
        sums[at] = F::new(0.0);
    }
    let mut bias_sum = F::new(0.0);
    let mut slope_sum = F::new(0.0);
    for index in range_stepped(part, tiles as usize, parts.shape(0)) {
        let area = Area::new(&tile, index, height, width);
        for at in range_stepped(unit, area.positions * IN, UNITS) {
            let (position, c) = (at / IN, at % IN);
            let pixel = area.framed(position, images, height, width);
            let value = input::<F, X, K>(x, skip, pixel, first_c + c, channels);
            frame[c * POSITIONS + position] = value;
        }
        #[unroll]
        for turn in 0..comptime!(PIXELS * OUT / UNITS) {
            let at = unit + turn * UNITS;
            let pixel = area.pixel(at / OUT, images, height, width);
            let value = gradient(grad, kept, slope, pixel, first_k + at % OUT, pooled);
            deltas[at] = value.delta;
            bias_sum += value.delta;
            slope_sum += value.by_slope;
        }
        sync_cube();
        for line in 0..comptime!(PIXELS / columns) {
            let corner = (line / area.rows * (area.rows + 2) + line % area.rows) * framed;
            #[unroll]
            for half in 0..2usize {
                let from = (own + half * comptime!(IN / 2)) * POSITIONS + corner;
                let mut rows = Array::<F>::new(comptime!(3 * framed));
                #[unroll]
                for at in 0..comptime!(3 * framed) {
                    rows[at] = frame[from + at];
                }
                #[unroll]
                for u in 0..columns {
                    #[unroll]
                    for other in 0..2usize {
                        let delta = deltas[(line * columns + u) * OUT + lane + other * LANES];
                        #[unroll]
                        for tap in 0..9usize {
                            let from = comptime!(tap / 3 * framed + tap % 3);
                            sums[(half * 2 + other) * 9 + tap] += delta * rows[from + u];
                        }
                    }
                }
            }
        }
        sync_cube();
    }

    let row = part * parts.stride(0);
    #[unroll]
    for half in 0..2usize {
        let c = first_c + own + half * comptime!(IN / 2);
        #[unroll]
        for other in 0..2usize {
            let k = first_k + lane + other * LANES;
            if k < channels_out && c < channels {
                #[unroll]
                for tap in 0..9usize {
                    parts[row + (k * channels + c) * 9 + tap] = sums[(half * 2 + other) * 9 + tap];
                }
            }
        }
    }
    // The units' sums over the pixels of a channel are added up by one unit, in their order.
    deltas[unit] = bias_sum;
    deltas[UNITS + unit] = slope_sum;
    sync_cube();
    let k = first_k + unit;
    if unit < OUT && k < channels_out && CUBE_POS_Y == 0 {
        let mut bias_sum = F::new(0.0);
        let mut slope_sum = F::new(0.0);
        for turn in 0..comptime!(UNITS / OUT) {
            bias_sum += deltas[turn * OUT + unit];
            slope_sum += deltas[UNITS + turn * OUT + unit];
        }
        let weights = channels_out * channels * 9;
        parts[row + weights + k] = bias_sum;
        parts[row + weights + channels_out + k] = slope_sum;
    }
}
