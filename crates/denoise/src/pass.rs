//! One image on its way through a network, tile by tile.

use std::ops::{ControlFlow, Range};

use n2n_data::reflect;

use crate::Error;
use crate::blend;
use crate::samples::{Sink, Source};
use crate::tiles::{Plan, Tile};

/// An image to read, one to write, and the observer of the progress.
pub(crate) struct Pass<'a> {
    /// `[channels, height, width]` of both images.
    pub shape: [usize; 3],
    /// The noisy image.
    pub source: Source<'a>,
    /// The denoised image.
    pub sink: Sink<'a>,
    /// Receives the number of finished pixels; `Break` stops the pass.
    pub progress: &'a mut dyn FnMut(usize) -> ControlFlow<()>,
}

/// Denoises a tile of `[channels, height, width]`, given its values and `[height, width]`.
pub(crate) type DenoiseTile<'a> = &'a dyn Fn(Vec<f32>, [usize; 2]) -> Result<Vec<f32>, Error>;

impl Pass<'_> {
    /// Denoises in tiles that together are the whole image.
    pub fn tiled(&mut self, plan: &Plan, denoise: DenoiseTile<'_>) -> Result<(), Error> {
        let [channels, height, width] = self.shape;
        let mut done = 0;
        for (rows, columns) in plan.tiles() {
            let size = [rows.length, columns.length];
            let output = denoise(self.window(rows.start, columns.start, size), size)?;
            // The halo and the padding are dropped.
            let (ys, xs) = (within(&rows, height), within(&columns, width));
            for channel in 0..channels {
                for y in ys.clone() {
                    let line = (channel * rows.length + y - rows.start) * columns.length;
                    let kept = &output[line + xs.start - columns.start..][..xs.len()];
                    let start = (channel * height + y) * width + xs.start;
                    self.sink.write_row(start, kept);
                }
            }
            done += ys.len() * xs.len();
            self.report(done)?;
        }
        Ok(())
    }

    /// Denoises in tiles of one size, blended where they overlap.
    pub fn blended(&mut self, size: [usize; 2], denoise: DenoiseTile<'_>) -> Result<(), Error> {
        let [channels, height, width] = self.shape;
        let axes = [0, 1].map(|axis| {
            let starts = blend::starts(self.shape[1 + axis].max(size[axis]), size[axis]);
            let weights = blend::weights(&starts, size[axis]);
            starts.into_iter().zip(weights).collect::<Vec<_>>()
        });
        let mut sums = vec![0.0; channels * height * width];
        let tiles = axes[0].len() * axes[1].len();
        let mut finished = 0;
        for (top, down) in &axes[0] {
            for (left, across) in &axes[1] {
                let output = denoise(self.window(*top, *left, size), size)?;
                for channel in 0..channels {
                    for (y, down) in down.iter().enumerate().take(height - top) {
                        let line = (channel * size[0] + y) * size[1];
                        let into = (channel * height + top + y) * width + left;
                        for (x, across) in across.iter().enumerate().take(width - left) {
                            sums[into + x] += down * across * output[line + x];
                        }
                    }
                }
                finished += 1;
                self.report(height * width * finished / tiles)?;
            }
        }
        self.sink.write_row(0, &sums);
        Ok(())
    }

    /// A window of the image, extended by reflection below and to the right.
    fn window(&self, top: usize, left: usize, size: [usize; 2]) -> Vec<f32> {
        let [channels, height, width] = self.shape;
        let positions = |start: usize, length: usize, side: usize| -> Vec<usize> {
            let position = |at| reflect((start + at) as isize, side);
            (0..length).map(position).collect()
        };
        let (ys, xs) = (
            positions(top, size[0], height),
            positions(left, size[1], width),
        );
        let first = xs.iter().copied().min().unwrap_or(0);
        let last = xs.iter().copied().max().unwrap_or(0);
        let mut row = vec![0.0; last + 1 - first];
        let mut values = Vec::with_capacity(channels * size[0] * size[1]);
        for channel in 0..channels {
            for y in &ys {
                let start = (channel * height + y) * width + first;
                self.source.read_row(start, &mut row);
                values.extend(xs.iter().map(|x| row[x - first]));
            }
        }
        values
    }

    fn report(&mut self, done: usize) -> Result<(), Error> {
        match (self.progress)(done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Stopped),
        }
    }
}

/// The pixels that are kept of a tile, less the padding from `length` on.
fn within(tile: &Tile, length: usize) -> Range<usize> {
    tile.keep.start.min(length)..tile.keep.end.min(length)
}
