//! One image on its way through a network, tile by tile.

use std::ops::{ControlFlow, Range};

use n2n_data::{Normalization, reflect};

use crate::Error;
use crate::blend;
use crate::tiles::{Plan, Tile};

/// An image to read, one to write, and who is told.
pub(crate) struct Pass<'a> {
    /// `[channels, height, width]` of both.
    pub shape: [usize; 3],
    /// A number of the image by its position in C order.
    pub read: &'a dyn Fn(usize) -> f32,
    /// Puts a number of the denoised image in its place.
    pub write: &'a mut dyn FnMut(usize, f32),
    /// Is told how many pixels are done, and may ask for an end.
    pub progress: &'a mut dyn FnMut(usize) -> ControlFlow<()>,
}

/// Denoises a tile: `[channels, height, width]`, and the same back.
pub(crate) type Denoise<'a> = &'a dyn Fn(Vec<f32>, [usize; 2]) -> Result<Vec<f32>, Error>;

impl Pass<'_> {
    /// Denoises in tiles that together are the whole image.
    pub fn tiled(&mut self, plan: &Plan, denoise: Denoise<'_>) -> Result<(), Error> {
        let [channels, height, width] = self.shape;
        let mut done = 0;
        for (rows, columns) in plan.tiles() {
            let size = [rows.length, columns.length];
            let output = denoise(self.cut(rows.start, columns.start, size), size)?;
            // The padding is thrown away too.
            let (ys, xs) = (within(&rows, height), within(&columns, width));
            for channel in 0..channels {
                for y in ys.clone() {
                    let line = (channel * rows.length + y - rows.start) * columns.length;
                    for x in xs.clone() {
                        let value = output[line + x - columns.start];
                        (self.write)((channel * height + y) * width + x, value);
                    }
                }
            }
            done += ys.len() * xs.len();
            self.report(done)?;
        }
        Ok(())
    }

    /// Denoises in tiles of one size, blended where they overlap.
    pub fn blended(&mut self, size: [usize; 2], denoise: Denoise<'_>) -> Result<(), Error> {
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
                let output = denoise(self.cut(*top, *left, size), size)?;
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
        for (at, value) in sums.into_iter().enumerate() {
            (self.write)(at, value);
        }
        Ok(())
    }

    /// A window of the image; outside of it, pixels are reflected.
    fn cut(&self, top: usize, left: usize, size: [usize; 2]) -> Vec<f32> {
        let [channels, height, width] = self.shape;
        let lines = |start: usize, length: usize, side: usize| -> Vec<usize> {
            let line = |at| reflect((start + at) as isize, side);
            (0..length).map(line).collect()
        };
        let (ys, xs) = (lines(top, size[0], height), lines(left, size[1], width));
        let mut values = Vec::with_capacity(channels * size[0] * size[1]);
        for channel in 0..channels {
            for y in &ys {
                let line = (channel * height + y) * width;
                values.extend(xs.iter().map(|x| (self.read)(line + x)));
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

    /// The normalization of each image of the network's batch, with statistics of this image if they
    /// are of images: `planes` are the image's channels that the batch is made of.
    pub fn normalizations(
        &self,
        kind: &Normalization,
        planes: impl Iterator<Item = Range<usize>>,
        channels: usize,
    ) -> Vec<Normalization> {
        let [_, height, width] = self.shape;
        let area = height * width;
        planes
            .map(|planes| {
                kind.of_image([channels, height, width], |at| {
                    // A grey image stands in each channel.
                    let channel = planes.start + at / area % planes.len();
                    (self.read)(channel * area + at % area)
                })
            })
            .collect()
    }
}

/// The pixels that are taken from a tile, less the padding beyond `length`.
fn within(tile: &Tile, length: usize) -> Range<usize> {
    tile.keep.start.min(length)..tile.keep.end.min(length)
}
