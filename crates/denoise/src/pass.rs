//! One image on its way through a network, tile by tile.

use std::ops::{ControlFlow, Range};
use std::panic::resume_unwind;

use n2n_data::reflect;
use n2n_files::Region;

use crate::Error;
use crate::blend;
use crate::samples::{Pixels, Sink, Source};
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
        let tiles: Vec<(Tile, Tile)> = plan.tiles().collect();
        let windows = tiles.iter().map(|(rows, columns)| Window {
            start: [rows.start, columns.start],
            size: [rows.length, columns.length],
        });
        let sink = &mut self.sink;
        let mut done = 0;
        let write = |index: usize, output: Vec<f32>| {
            let (rows, columns) = &tiles[index];
            // The halo and the padding are dropped.
            let (ys, xs) = (within(rows, height), within(columns, width));
            let lines = (0..channels).flat_map(|channel| ys.clone().map(move |y| (channel, y)));
            let kept = |(channel, y): (usize, usize)| {
                let line = (channel * rows.length + y - rows.start) * columns.length;
                &output[line + xs.start - columns.start..][..xs.len()]
            };
            match sink {
                Sink::Pixels(pixels) => {
                    for (channel, y) in lines {
                        let start = (channel * height + y) * width + xs.start;
                        pixels.write_row(start, kept((channel, y)));
                    }
                }
                Sink::Parts { write, begun } => {
                    *begun = true;
                    let region = Region {
                        top: ys.start,
                        left: xs.start,
                        height: ys.len(),
                        width: xs.len(),
                    };
                    let numbers: Vec<f32> = lines.flat_map(kept).copied().collect();
                    write(region, &numbers)?;
                }
            }
            done += ys.len() * xs.len();
            Ok(done)
        };
        each(
            self.source,
            self.shape,
            windows.collect(),
            denoise,
            write,
            self.progress,
        )
    }

    /// Denoises in tiles of one size, blended where they overlap.
    pub fn blended(&mut self, size: [usize; 2], denoise: DenoiseTile<'_>) -> Result<(), Error> {
        let [channels, height, width] = self.shape;
        let axes = [0, 1].map(|axis| {
            let starts = blend::starts(self.shape[1 + axis].max(size[axis]), size[axis]);
            let weights = blend::weights(&starts, size[axis]);
            starts.into_iter().zip(weights).collect::<Vec<_>>()
        });
        let tiles: Vec<_> = axes[0]
            .iter()
            .flat_map(|down| axes[1].iter().map(move |across| (down, across)))
            .collect();
        let windows = tiles.iter().map(|((top, _), (left, _))| Window {
            start: [*top, *left],
            size,
        });
        let mut sums = vec![0.0; channels * height * width];
        let add = |index: usize, output: Vec<f32>| {
            let ((top, down), (left, across)) = tiles[index];
            for channel in 0..channels {
                for (y, down) in down.iter().enumerate().take(height - top) {
                    let line = (channel * size[0] + y) * size[1];
                    let into = (channel * height + top + y) * width + left;
                    for (x, across) in across.iter().enumerate().take(width - left) {
                        sums[into + x] += down * across * output[line + x];
                    }
                }
            }
            Ok(height * width * (index + 1) / tiles.len())
        };
        each(
            self.source,
            self.shape,
            windows.collect(),
            denoise,
            add,
            self.progress,
        )?;
        match &mut self.sink {
            Sink::Pixels(pixels) => pixels.write_row(0, &sums),
            Sink::Parts { write, .. } => write(Region::all(self.shape), &sums)?,
        }
        Ok(())
    }
}

/// A part of an image.
struct Window {
    start: [usize; 2],
    size: [usize; 2],
}

/// Denoises one window after another. While a device computes one, the next is read and the one before is
/// written by `write`, which returns the number of finished pixels.
fn each(
    source: Source<'_>,
    shape: [usize; 3],
    windows: Vec<Window>,
    denoise: DenoiseTile<'_>,
    mut write: impl FnMut(usize, Vec<f32>) -> Result<usize, Error> + Send,
    progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut report = |done| match progress(done) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Stopped),
    };
    let mut next = windows.first().map(|window| window.values(source, shape));
    let mut before: Option<Vec<f32>> = None;
    for (index, window) in windows.iter().enumerate() {
        let Some(values) = next.take().transpose()? else {
            break;
        };
        let aside = || {
            let written = before.take().map(|output| write(index - 1, output));
            let following = windows.get(index + 1);
            (
                written,
                following.map(|window| window.values(source, shape)),
            )
        };
        let (output, (written, following)) = std::thread::scope(|scope| {
            let aside = scope.spawn(aside);
            // On this thread: a device may keep what each thread asks of it apart.
            let output = denoise(values, window.size);
            let aside = aside.join();
            (output, aside.unwrap_or_else(|panic| resume_unwind(panic)))
        });
        written.transpose()?.map_or(Ok(()), &mut report)?;
        (before, next) = (Some(output?), following);
    }
    match before {
        Some(output) => report(write(windows.len() - 1, output)?),
        None => Ok(()),
    }
}

impl Window {
    /// Its values, extended by reflection below and to the right of the image.
    fn values(&self, source: Source<'_>, shape: [usize; 3]) -> Result<Vec<f32>, Error> {
        let whole = Region::all(shape);
        match source {
            Source::Pixels(pixels) => Ok(self.values_of(pixels, whole, whole)),
            Source::Parts(parts) => {
                // What is beyond the image is taken from before its end.
                let [rows, columns] = [0, 1].map(|axis| {
                    let length = shape[1 + axis];
                    let places = self.start[axis]..self.start[axis] + self.size[axis];
                    let places = places.map(|at| reflect(at as isize, length));
                    let [first, last] = [places.clone().min(), places.max()];
                    [first.unwrap_or(0), last.unwrap_or(0)]
                });
                let part = Region {
                    top: rows[0],
                    left: columns[0],
                    height: rows[1] + 1 - rows[0],
                    width: columns[1] + 1 - columns[0],
                };
                parts.with_pixels(part, |pixels| self.values_of(pixels, part, whole))
            }
        }
    }

    /// The same of the pixels of `part`, a part of the image `whole` that holds all of them.
    fn values_of(&self, pixels: Pixels<'_>, part: Region, whole: Region) -> Vec<f32> {
        let ([top, left], [rows, columns]) = (self.start, self.size);
        // Columns from the image, and where those beyond it are taken from.
        let inside = columns.min(whole.width - left);
        let beyond: Vec<usize> = (inside..columns)
            .map(|at| reflect((left + at) as isize, whole.width) - part.left)
            .collect();
        let mut row = vec![0.0; part.width];
        let channels = pixels.len() / part.area();
        let mut values = vec![0.0; channels * rows * columns];
        for (line, into) in values.chunks_exact_mut(columns).enumerate() {
            let y = reflect((top + line % rows) as isize, whole.height) - part.top;
            let start = (line / rows * part.height + y) * part.width;
            let (own, rest) = into.split_at_mut(inside);
            pixels.read_row(start + left - part.left, own);
            if !beyond.is_empty() {
                pixels.read_row(start, &mut row);
                for (value, x) in rest.iter_mut().zip(&beyond) {
                    *value = row[*x];
                }
            }
        }
        values
    }
}

/// The pixels that are kept of a tile, less the padding from `length` on.
fn within(tile: &Tile, length: usize) -> Range<usize> {
    tile.keep.start.min(length)..tile.keep.end.min(length)
}
