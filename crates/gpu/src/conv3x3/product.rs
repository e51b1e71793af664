//! The product of a frame of pixels and the taps of a kernel in shared memory: the inner loop of a convolution.

use burn_cubecl::cubecl::{self, prelude::*};

use super::tile::Area;

/// Channels of the input that are in shared memory at a time.
pub(super) const DEEP: usize = 4;
/// Channels of the output of a unit, which computes them for 2x2 pixels.
pub(super) const CHANNELS: usize = 4;
/// Most positions of a frame: where images have 2x2 pixels, each has 4x4.
const SPREAD: usize = 4;

/// How the units of a cube share the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Split {
    /// Channels of a cube.
    pub channels: usize,
    /// Units of a cube.
    pub units: usize,
}

impl Split {
    /// For this many channels of the output.
    pub fn of(channels: usize) -> Self {
        match channels {
            0..=4 => Self {
                channels: 4,
                units: 64,
            },
            5..=32 => Self {
                channels: 32,
                units: 256,
            },
            _ => Self {
                channels: 64,
                units: 256,
            },
        }
    }

    /// Units that take other channels of the same pixels.
    pub fn lanes(&self) -> usize {
        self.channels / CHANNELS
    }

    /// Pixels of a cube.
    pub fn pixels(&self) -> usize {
        4 * self.units / self.lanes()
    }

    /// Values of a frame in shared memory.
    pub fn frame(&self) -> usize {
        DEEP * self.positions()
    }

    /// Places for the positions of a frame, for each channel.
    pub fn positions(&self) -> usize {
        SPREAD * self.pixels()
    }

    /// Taps in shared memory.
    pub fn taps(&self) -> usize {
        DEEP * 9 * self.row()
    }

    /// Distance of the taps of one kernel; odd, so that units that write neighbours do not meet in a bank.
    pub fn row(&self) -> usize {
        self.channels + 1
    }
}

/// The part of the output that a unit computes.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Share {
    /// First of its channels in the cube; the others follow at the distance of the lanes.
    pub lane: usize,
    /// Image in the tile.
    pub image: usize,
    /// Row and column of its 2x2 pixels in the tile.
    pub row: usize,
    pub column: usize,
}

#[cube]
impl Share {
    pub fn new(area: &Area, unit: usize, #[comptime] split: Split) -> Share {
        let lanes = comptime!(split.lanes());
        let block = unit / lanes;
        let across = area.columns / 2;
        let down = area.rows / 2;
        Share {
            lane: unit % lanes,
            image: block / (across * down),
            row: block / across % down * 2,
            column: block % across * 2,
        }
    }

    /// Position of the frame's pixel above and left of the first.
    pub fn corner(&self, area: &Area) -> usize {
        (self.image * (area.rows + 2) + self.row) * (area.columns + 2) + self.column
    }
}

/// Sums of a unit: `CHANNELS` for each of 2x2 pixels.
#[cube]
pub(super) fn zeros<F: Float>() -> Array<F> {
    let mut sums = Array::<F>::new(comptime!(4 * CHANNELS));
    #[unroll]
    for at in 0..comptime!(4 * CHANNELS) {
        sums[at] = F::new(0.0);
    }
    sums
}

/// Adds the products of `DEEP` channels.
#[cube]
pub(super) fn accumulate<F: Float>(
    frame: &Shared<[F]>,
    taps: &Shared<[F]>,
    corner: usize,
    width: usize,
    lane: usize,
    sums: &mut Array<F>,
    #[comptime] split: Split,
) {
    let (positions, row, lanes) = comptime!((split.positions(), split.row(), split.lanes()));
    for c in 0..comptime!(DEEP) {
        let mut patch = Array::<F>::new(16usize);
        #[unroll]
        for v in 0..4usize {
            #[unroll]
            for u in 0..4usize {
                patch[v * 4 + u] = frame[c * positions + corner + v * width + u];
            }
        }
        #[unroll]
        for tap in 0..9usize {
            #[unroll]
            for q in 0..comptime!(CHANNELS) {
                let weight = taps[(c * 9 + tap) * row + lane + q * lanes];
                #[unroll]
                for p in 0..4usize {
                    let (v, u) = comptime!((p / 2 + tap / 3, p % 2 + tap % 3));
                    sums[p * CHANNELS + q] += patch[v * 4 + u] * weight;
                }
            }
        }
    }
}
