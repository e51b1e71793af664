use rayon::prelude::*;

use super::assert_shape;
use crate::crop::reflect;

/// Side of a patch in pixels.
pub(super) const PATCH: usize = 7;

/// How far other patches are looked for, in pixels along each axis.
pub const SEARCH_DISTANCE: usize = 11;

/// Patches further apart than this, in units of `h²`, are no longer alike; their weight would be below
/// `exp(-5) = 0.007`.
pub(super) const CUTOFF: f32 = 5.0;

/// Rows that are done at once: enough that those above and below, which are needed too, cost little.
const BAND: usize = 32;

/// Mean of the pixels whose surroundings look alike: non-local means of Buades, Coll and Morel, "A
/// non-local algorithm for image denoising" (2005), all channels with one weight.
///
/// `y[p] = sum over q of w(p, q)·x[q] / sum over q of w(p, q)`, for the pixels `q` of the image within 11
/// rows and columns of `p`, with `w(p, q) = exp(-D / h²)` and `D` the mean over channels of `sum over a of
/// g[a]·(x[p + a] - x[q + a])²`. The `a` are those of a patch of 7 x 7 pixels, and `g` is a Gaussian of the
/// standard deviation 1.5 whose sum is 1. Where the patch less its last row gives `D > 5·h²` already, `w`
/// is 0. Images are continued by reflection about their outermost pixels.
///
/// This is scikit-image's `denoise_nl_means(x, 7, 11, h, fast_mode=False, channel_axis=0)`, but for its
/// approximation of `exp`.
///
/// # Shapes
/// - `image`: `shape`, `[channels, height, width]`
/// - returns the same
///
/// # Panics
/// If `image` is not of `shape` or has no pixel, or `h` is not above 0.
pub fn non_local_means(image: &[f32], shape: [usize; 3], h: f64) -> Vec<f32> {
    assert_shape(image, shape);
    assert!(h > 0.0, "h is {h}");
    let [channels, height, _] = shape;
    let continued = Continued::new(image, shape);
    let mut weights = (weights(), weights());
    let scale = (1.0 / (channels as f64 * h * h)) as f32;
    weights.1.iter_mut().for_each(|weight| *weight *= scale);

    let bands = (0..height.div_ceil(BAND)).into_par_iter().map(|band| {
        let rows = band * BAND..height.min((band + 1) * BAND);
        Band::new(&continued, shape, rows, &weights).means()
    });
    let bands: Vec<Vec<f32>> = bands.collect();
    let mut denoised = Vec::with_capacity(image.len());
    for channel in 0..channels {
        for band in &bands {
            let part = band.len() / channels;
            denoised.extend_from_slice(&band[channel * part..][..part]);
        }
    }
    denoised
}

/// One axis of the patch's Gaussian, which is a product; the sum is 1.
pub(super) fn weights() -> [f32; PATCH] {
    let sigma = (PATCH as f64 - 1.0) / 4.0;
    let weight = |at: usize| {
        let from_middle = at as f64 - (PATCH / 2) as f64;
        (-0.5 * (from_middle / sigma).powi(2)).exp()
    };
    let sum: f64 = (0..PATCH).map(weight).sum();
    std::array::from_fn(|at| (weight(at) / sum) as f32)
}

/// Half a patch.
const MARGIN: usize = PATCH / 2;

/// An image with half a patch around it, planar.
struct Continued {
    values: Vec<f32>,
    height: usize,
    width: usize,
}

impl Continued {
    fn new(image: &[f32], [_, height, width]: [usize; 3]) -> Self {
        let axis = |length: usize| -> Vec<usize> {
            let positions = 0..length + 2 * MARGIN;
            let inside = |position: usize| reflect(position as isize - MARGIN as isize, length);
            positions.map(inside).collect()
        };
        let (rows, columns) = (axis(height), axis(width));
        let planes = image.chunks_exact(height * width);
        let values = planes.flat_map(|plane| {
            let pixels = rows
                .iter()
                .flat_map(|y| columns.iter().map(move |x| (y, x)));
            pixels.map(|(y, x)| plane[y * width + x])
        });
        Self {
            values: values.collect(),
            height: rows.len(),
            width: columns.len(),
        }
    }

    /// A row of one channel, where row `MARGIN` is the image's first.
    fn row(&self, channel: usize, row: usize) -> &[f32] {
        &self.values[(channel * self.height + row) * self.width..][..self.width]
    }
}

/// Some rows of an image, with the sums that become their means.
struct Band<'a> {
    image: &'a Continued,
    shape: [usize; 3],
    rows: std::ops::Range<usize>,
    /// Along rows, and along columns over `h²`.
    weights: &'a ([f32; PATCH], [f32; PATCH]),
    /// `[rows, width]`
    weight_sums: Vec<f32>,
    /// `[channels, rows, width]`
    sums: Vec<f32>,
    /// Squared differences of one row.
    squares: Vec<f32>,
    /// `[rows + PATCH - 1, width]`: their sums over a row of a patch.
    along_rows: Vec<f32>,
}

impl<'a> Band<'a> {
    fn new(
        image: &'a Continued,
        shape: [usize; 3],
        rows: std::ops::Range<usize>,
        weights: &'a ([f32; PATCH], [f32; PATCH]),
    ) -> Self {
        let [channels, _, width] = shape;
        let pixels = rows.len() * width;
        Self {
            image,
            shape,
            weights,
            weight_sums: vec![0.0; pixels],
            sums: vec![0.0; channels * pixels],
            squares: vec![0.0; image.width],
            along_rows: vec![0.0; (rows.len() + PATCH - 1) * width],
            rows,
        }
    }

    /// The denoised rows, `[channels, rows, width]`.
    fn means(mut self) -> Vec<f32> {
        let distance = SEARCH_DISTANCE as isize;
        for down in -distance..=distance {
            for right in -distance..=distance {
                self.add(down, right);
            }
        }
        for sums in self.sums.chunks_exact_mut(self.weight_sums.len()) {
            for (sum, weight) in sums.iter_mut().zip(&self.weight_sums) {
                // A pixel is like itself, so the weights add up to 1 or more.
                *sum /= weight;
            }
        }
        self.sums
    }

    /// Adds to each pixel the one shifted down and right by the given offset, inside the image.
    fn add(&mut self, down: isize, right: isize) {
        let [channels, height, width] = self.shape;
        let within = |range: std::ops::Range<usize>, offset: isize, length: usize| {
            let first = range.start.max((-offset).max(0).unsigned_abs());
            let end = range
                .end
                .min(length.saturating_sub(offset.max(0).unsigned_abs()));
            first..end.max(first)
        };
        let rows = within(self.rows.clone(), down, height);
        let columns = within(0..width, right, width);
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        let count = columns.len();
        let moved = |at: usize, by: isize| at.wrapping_add_signed(by);

        // The row `MARGIN` above the first pixel's is row `rows.start` of what is continued.
        for (row, sums) in
            (rows.start..rows.end + PATCH - 1).zip(self.along_rows.chunks_exact_mut(width))
        {
            let squares = &mut self.squares[..count + PATCH - 1];
            squares.fill(0.0);
            for channel in 0..channels {
                let here = &self.image.row(channel, row)[columns.start..];
                let there = self.image.row(channel, moved(row, down));
                let there = &there[moved(columns.start, right)..];
                for ((square, a), b) in squares.iter_mut().zip(here).zip(there) {
                    *square += (a - b) * (a - b);
                }
            }
            let sums = &mut sums[..count];
            sums.fill(0.0);
            for (tap, weight) in self.weights.0.iter().enumerate() {
                for (sum, square) in sums.iter_mut().zip(&squares[tap..]) {
                    *sum += weight * square;
                }
            }
        }

        let pixels = self.weight_sums.len();
        let mut distances = vec![0.0_f32; count];
        for (index, row) in rows.enumerate() {
            distances.fill(0.0);
            let part = |tap: usize| &self.along_rows[(index + tap) * width..][..count];
            let (last, others) = (PATCH - 1, &self.weights.1[..PATCH - 1]);
            for (tap, weight) in others.iter().enumerate() {
                for (distance, sum) in distances.iter_mut().zip(part(tap)) {
                    *distance += weight * sum;
                }
            }
            for (distance, sum) in distances.iter_mut().zip(part(last)) {
                // From here on a weight.
                *distance = if *distance > CUTOFF {
                    0.0
                } else {
                    (-(*distance + self.weights.1[last] * sum)).exp()
                };
            }
            let at = (row - self.rows.start) * width + columns.start;
            add(&mut self.weight_sums[at..], &distances);
            for channel in 0..channels {
                let there = self.image.row(channel, moved(row, down) + MARGIN);
                let there = &there[moved(columns.start, right) + MARGIN..];
                let sums = &mut self.sums[channel * pixels + at..];
                for ((sum, weight), value) in sums.iter_mut().zip(&distances).zip(there) {
                    *sum += weight * value;
                }
            }
        }
    }
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
