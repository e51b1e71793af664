//! Two images of a pair beside each other.

use n2n_files::{Raster, Sample, with_samples};

use super::quantile;
use crate::levels::Blocks;
use crate::planes::middle;

/// Longest side in pixels of what is compared, in the middle of the images.
const LARGEST: usize = 512;

/// Shortest side of images that can be compared.
const SMALLEST: usize = 16;

/// Side in pixels of the parts whose motion is looked for, and how far it is: motion of a few cells is seen too.
const PART: usize = 32;
const REACH: usize = 6;

/// Boxes of three pixels that smooth images against noise, one after the other.
const SMOOTHINGS: usize = 3;

/// Pixels over which noise is alike after that: `4 pi` times its variance of 2.
const ALIKE: f64 = 25.0;

/// Largest standard error in pixels of a motion that counts: of an image at rest, three quarters of the parts then
/// seem to move by less than 0.35 pixels.
const LARGEST_ERROR_PX: f64 = 0.2;

/// Share of the difference at other places that is left at the right one, at most: noise alone leaves more than
/// half.
const LARGEST_REST: f64 = 0.5;

/// Side in pixels of the blocks by which scenes are told apart, and how far they may lie apart.
const BLOCK: usize = 4;
const BLOCK_REACH: isize = 2;

/// Variance of blocks, beside that of noise alone, from which there is something to see.
const SOMETHING: f64 = 10.0;

/// Correlation of blocks below which two images show different things.
const RELATED: f64 = 0.5;

/// Difference of two images, beside the noise of one, up to which they are copies of each other; independent
/// ones have 1.4.
const COPIES: f64 = 0.1;

/// What was found of two images.
pub(super) struct Comparison {
    /// Motion of each part in which it can be seen.
    pub shifts_px: Vec<f64>,
    /// Contrast of the second beside the first, if it can be compared.
    pub gain: Option<f64>,
    /// Difference of the means, in deviations of the scene.
    pub level_change: Option<f64>,
    /// Whether they show different things.
    pub is_unrelated: bool,
    /// Whether they are copies.
    pub is_equal: bool,
    /// Deviation of the difference beside that of the noise.
    pub difference: f64,
}

/// Compares two images of one shape; `None` where they are too small, blank, or of other shapes.
pub(super) fn compare(first: &Raster, second: &Raster) -> Option<Comparison> {
    let [_, height, width] = first.shape();
    if first.shape() != second.shape() || height.min(width) < SMALLEST {
        return None;
    }
    let [a, b] = [first, second].map(Plane::of);
    let noise = a.noise();
    let difference = a.difference(&b);
    if a.is_blank() || b.is_blank() {
        return None;
    }
    let relation = Blocks::of(first).relations(&Blocks::of(second));
    let comparable = relation.iter().filter(|relation| relation.is_comparable);
    let comparable: Vec<_> = comparable.collect();
    let median = |value: fn(&crate::levels::Relation) -> f64| {
        quantile(
            comparable.iter().map(|relation| value(relation)).collect(),
            0.5,
        )
    };
    let is_equal = difference == 0.0 || difference <= COPIES * noise;
    let shifts_px = if is_equal {
        vec![]
    } else {
        shifts(&a.smoothed(), &b.smoothed())
    };
    Some(Comparison {
        shifts_px,
        gain: median(|relation| relation.gain),
        level_change: median(|relation| {
            (relation.means[1] - relation.means[0]) / relation.contrast
        }),
        is_unrelated: !is_equal && is_unrelated(&a, &b),
        is_equal,
        difference: if noise > 0.0 { difference / noise } else { 0.0 },
    })
}

/// The mean of the channels of an image.
struct Plane {
    height: usize,
    width: usize,
    values: Vec<f64>,
}

impl Plane {
    /// The middle of an image; NaN and infinite pixels have the mean of all others.
    fn of(image: &Raster) -> Self {
        let image = middle(image, LARGEST);
        let [channels, height, width] = image.shape();
        let mut plane = vec![0.0; height * width];
        with_samples!(&image.samples, samples => {
            for channel in samples.chunks_exact(height * width) {
                let values = channel.iter().map(|sample| sample.to_f64());
                plane.iter_mut().zip(values).for_each(|(sum, value)| *sum += value / channels as f64);
            }
        });
        let finite = || plane.iter().filter(|value| value.is_finite());
        let mean = finite().sum::<f64>() / finite().count().max(1) as f64;
        let fill = |value: f64| if value.is_finite() { value } else { mean };
        Self {
            height,
            width,
            values: plane.into_iter().map(fill).collect(),
        }
    }

    fn is_blank(&self) -> bool {
        self.values.iter().all(|value| *value == self.values[0])
    }

    /// Deviation of its noise: the median magnitude of `a - b - c + d` of two by two pixels, in which edges and
    /// slopes have little part.
    fn noise(&self) -> f64 {
        let rows = self.values.chunks_exact(self.width);
        let pairs = rows.clone().zip(rows.skip(1));
        let differences = pairs.flat_map(|(upper, lower)| {
            let columns = upper.windows(2).zip(lower.windows(2));
            columns.map(|(upper, lower)| (upper[0] - upper[1] - lower[0] + lower[1]).abs())
        });
        // Of a normal distribution, 0.6745 deviations; four values have twice the deviation of one.
        quantile(differences.collect(), 0.5).unwrap_or(0.0) / 0.6745 / 2.0
    }

    /// Root of the mean squared difference.
    fn difference(&self, other: &Self) -> f64 {
        let squares = self.values.iter().zip(&other.values);
        let sum: f64 = squares.map(|(a, b)| (a - b).powi(2)).sum();
        (sum / self.values.len() as f64).sqrt()
    }

    fn smoothed(&self) -> Self {
        let mut values = self.values.clone();
        for _ in 0..SMOOTHINGS {
            values = transposed(&box_of_three(&values, self.width), self.width);
            values = transposed(&box_of_three(&values, self.height), self.height);
        }
        Self { values, ..*self }
    }

    /// Means of blocks, as an image.
    fn blocks(&self) -> Self {
        let [height, width] = [self.height, self.width].map(|side| side / BLOCK);
        let block = |at: usize| {
            let (y, x) = (at / width * BLOCK, at % width * BLOCK);
            let rows = (y..y + BLOCK).map(|y| &self.values[y * self.width + x..][..BLOCK]);
            rows.flatten().sum::<f64>() / (BLOCK * BLOCK) as f64
        };
        Self {
            height,
            width,
            values: (0..height * width).map(block).collect(),
        }
    }

    fn variance(&self) -> f64 {
        let count = self.values.len() as f64;
        let mean = self.values.iter().sum::<f64>() / count;
        let squares = self.values.iter().map(|value| (value - mean).powi(2));
        squares.sum::<f64>() / count
    }
}

/// Means of each value of a row and its two neighbours; at the ends, of two.
fn box_of_three(values: &[f64], width: usize) -> Vec<f64> {
    let rows = values.chunks_exact(width);
    let smooth = |row: &[f64]| -> Vec<f64> {
        let part = |x: usize| &row[x.saturating_sub(1)..(x + 2).min(width)];
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        (0..width).map(|x| mean(part(x))).collect()
    };
    rows.flat_map(smooth).collect()
}

fn transposed(values: &[f64], width: usize) -> Vec<f64> {
    let columns = (0..width).flat_map(|x| values.iter().skip(x).step_by(width));
    columns.copied().collect()
}

/// Motion in pixels of each part of `a` that is found in `b`.
fn shifts(a: &Plane, b: &Plane) -> Vec<f64> {
    let reach = REACH.min(a.height.min(a.width) / 5);
    let places = |side: usize| {
        let room = side - 2 * reach;
        let (part, count) = (PART.min(room), (room / PART).max(1));
        (
            part,
            (0..count).map(move |at| reach + at * (room - part) / (count - 1).max(1)),
        )
    };
    let ((height, tops), (width, lefts)) = (places(a.height), places(a.width));
    let lefts: Vec<usize> = lefts.collect();
    let parts = tops.flat_map(|top| lefts.iter().map(move |left| [top, *left]));
    parts
        .filter_map(|place| shift(a, b, place, [height, width], reach as isize))
        .collect()
}

/// Motion in pixels of a part, if it can be seen.
fn shift(a: &Plane, b: &Plane, place: [usize; 2], size: [usize; 2], reach: isize) -> Option<f64> {
    let side = (2 * reach + 1).unsigned_abs();
    let offset = |at: usize| at as isize - reach;
    // The variance of the difference: brightness has no part in it.
    let rests: Vec<f64> = (0..side * side)
        .map(|at| rest(a, b, place, size, [offset(at / side), offset(at % side)]))
        .collect();
    let best = (0..rests.len()).min_by(|x, y| rests[*x].total_cmp(&rests[*y]))?;
    let (y, x) = (best / side, best % side);
    let is_inside = |at: usize| at > 0 && at + 1 < side;
    if !is_inside(y) || !is_inside(x) {
        return None;
    }
    let is_edge = |at: &usize| !is_inside(at / side) || !is_inside(at % side);
    let edge: Vec<f64> = (0..rests.len())
        .filter(is_edge)
        .map(|at| rests[at])
        .collect();
    let elsewhere = edge.iter().sum::<f64>() / edge.len() as f64;
    if rests[best] > LARGEST_REST * elsewhere {
        return None;
    }
    let axis = |at: usize, step: usize| {
        let [before, after] = [rests[best - step], rests[best + step]];
        let curvature = before + after - 2.0 * rests[best];
        let area = (size[0] * size[1]) as f64;
        let error = (2.0 * rests[best] * ALIKE / (area * curvature)).sqrt();
        let between = (before - after) / (2.0 * curvature);
        (error <= LARGEST_ERROR_PX).then_some(offset(at) as f64 + between)
    };
    Some(axis(y, side)?.hypot(axis(x, 1)?))
}

/// Variance of the difference of a part of `a` and the one of `b` that lies `by` further.
fn rest(a: &Plane, b: &Plane, [top, left]: [usize; 2], size: [usize; 2], by: [isize; 2]) -> f64 {
    let [height, width] = size;
    let (mut sum, mut squares) = (0.0, 0.0);
    let (down, right) = (
        top.wrapping_add_signed(by[0]),
        left.wrapping_add_signed(by[1]),
    );
    for row in 0..height {
        let from = &a.values[(top + row) * a.width + left..][..width];
        let to = &b.values[(down + row) * b.width + right..][..width];
        for (from, to) in from.iter().zip(to) {
            let difference = from - to;
            sum += difference;
            squares += difference * difference;
        }
    }
    let count = (height * width) as f64;
    // Rounding can make it negative.
    (squares / count - (sum / count).powi(2)).max(0.0)
}

/// Whether there is something to see in two images, and it is not the same.
fn is_unrelated(a: &Plane, b: &Plane) -> bool {
    let shows_something = |plane: &Plane| {
        let noise = plane.noise().powi(2) / (BLOCK * BLOCK) as f64;
        plane.blocks().variance() > SOMETHING * noise
    };
    if !shows_something(a) || !shows_something(b) {
        return false;
    }
    let (a, b) = (a.blocks(), b.blocks());
    let reach = -BLOCK_REACH..=BLOCK_REACH;
    let shifts = reach
        .clone()
        .flat_map(|y| reach.clone().map(move |x| [y, x]));
    let best = shifts
        .map(|by| correlation(&a, &b, by))
        .fold(-1.0, f64::max);
    best < RELATED
}

/// Correlation of the parts of two images that lie over each other where one is shifted.
fn correlation(a: &Plane, b: &Plane, [down, right]: [isize; 2]) -> f64 {
    let inside = |at: isize, side: usize| (0..side as isize).contains(&at);
    let mut pairs = Vec::new();
    for y in 0..a.height as isize {
        for x in 0..a.width as isize {
            if inside(y + down, a.height) && inside(x + right, a.width) {
                let at = |y: isize, x: isize| y.unsigned_abs() * a.width + x.unsigned_abs();
                pairs.push([a.values[at(y, x)], b.values[at(y + down, x + right)]]);
            }
        }
    }
    let count = pairs.len() as f64;
    let mean = |at: usize| pairs.iter().map(|pair| pair[at]).sum::<f64>() / count;
    let means = [mean(0), mean(1)];
    let product = |i: usize, j: usize| -> f64 {
        let terms = pairs.iter();
        terms
            .map(|pair| (pair[i] - means[i]) * (pair[j] - means[j]))
            .sum()
    };
    let scale = (product(0, 0) * product(1, 1)).sqrt();
    if scale > 0.0 {
        product(0, 1) / scale
    } else {
        0.0
    }
}
