//! Rendering, one row of pixels at a time, so that the points of a row stay in the fastest cache.

use std::ops::Range;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{leaf::Leaf, texture::Textures};

/// Below this transmittance a point is opaque: the rest is less than half a step of 8 bits.
const OPAQUE: f32 = 0.5 / 255.0;

/// One point of the scene: the red, green and blue light gathered so far, and the share of the
/// light from behind that still comes through. All in one array, so that one vector
/// instruction serves the four.
#[derive(Clone, Copy)]
struct Point([f32; 4]);

const EMPTY: Point = Point([0.0, 0.0, 0.0, 1.0]);

impl Point {
    fn is_opaque(self) -> bool {
        self.0[3] <= OPAQUE
    }

    /// Puts a surface behind the point: `light` times `[red, green, blue, -1]`, with this share of
    /// coverage.
    fn add(&mut self, surface: [f32; 4], coverage: f32, light: f32) {
        let through = self.0[3] * coverage;
        let gains = [through * light, through * light, through * light, through];
        for i in 0..4 {
            self.0[i] += gains[i] * surface[i];
        }
    }

    fn colour(self) -> [f32; 4] {
        self.0.map(|value| value.clamp(0.0, 1.0))
    }
}

/// The points of one row of pixels.
pub(super) struct Strip {
    points: Vec<Point>,
    width: usize,
    oversample: usize,
}

impl Strip {
    pub fn new(width: usize, oversample: usize) -> Self {
        let points = vec![EMPTY; width * oversample * oversample];
        Self {
            points,
            width,
            oversample,
        }
    }

    /// Colour of the area of pixel `x`.
    pub fn mean(&self, x: usize) -> [f32; 3] {
        let mut sum = [0.0; 4];
        for line in self.points.chunks_exact(self.width * self.oversample) {
            for point in &line[x * self.oversample..][..self.oversample] {
                for (sum, value) in sum.iter_mut().zip(point.colour()) {
                    *sum += value;
                }
            }
        }
        let [red, green, blue, _] = sum.map(|sum| sum / (self.oversample * self.oversample) as f32);
        [red, green, blue]
    }

    /// Colour of one random point of pixel `x`.
    pub fn point(&self, x: usize, rng: &mut ChaCha8Rng) -> [f32; 3] {
        let point = rng.random_range(0..self.oversample * self.oversample);
        let (row, column) = (point / self.oversample, point % self.oversample);
        let line = row * self.width * self.oversample;
        let [red, green, blue, _] = self.points[line + x * self.oversample + column].colour();
        [red, green, blue]
    }
}

/// Renders row `y` of the pixels, front to back.
pub(super) fn render_row(leaves: &[Leaf], textures: &Textures, y: usize, strip: &mut Strip) {
    let scale = strip.oversample as f32;
    let line_len = strip.width * strip.oversample;
    let y = y as f32;
    let near: Vec<&Leaf> = leaves
        .iter()
        .filter(|leaf| leaf.reaches(y, y + 1.0))
        .collect();
    for (i, line) in strip.points.chunks_exact_mut(line_len).enumerate() {
        line.fill(EMPTY);
        let y = y + (i as f32 + 0.5) / scale;
        let mut open = line_len;
        for leaf in &near {
            open -= paint(leaf, textures, y, scale, line);
            if open == 0 {
                break;
            }
        }
    }
}

/// Puts `leaf` behind what the line of points already shows; returns how many points became opaque.
fn paint(leaf: &Leaf, textures: &Textures, y: f32, scale: f32, line: &mut [Point]) -> usize {
    let Some(touched) = leaf.span(y, leaf.softness / 2.0) else {
        return 0;
    };
    let touched = columns(touched, scale, line.len());
    let covered = if leaf.softness > 0.0 {
        leaf.span(y, -leaf.softness / 2.0)
            .map_or(0..0, |span| columns(span, scale, line.len()))
    } else {
        touched.clone()
    };
    let x = |column: usize| (column as f32 + 0.5) / scale;
    let [red, green, blue] = leaf.colour;
    let surface = [red, green, blue, -1.0];
    let pattern = textures.pattern(&leaf.texture);
    let (mut place, step) = (
        leaf.texture.at(x(touched.start), y),
        leaf.texture.step(1.0 / scale),
    );
    let mut closed = 0;
    for (column, point) in touched.clone().zip(&mut line[touched]) {
        if !point.is_opaque() {
            let coverage = if covered.contains(&column) {
                1.0
            } else {
                leaf.coverage(x(column), y)
            };
            point.add(
                surface,
                coverage,
                1.0 + leaf.contrast * pattern[place.index()],
            );
            closed += usize::from(point.is_opaque());
        }
        place.advance(step);
    }
    closed
}

/// The points whose middle lies between two places; the casts send negative numbers to 0.
fn columns((from, to): (f32, f32), scale: f32, len: usize) -> Range<usize> {
    let first = ((from * scale + 0.5) as usize).min(len);
    let end = ((to * scale + 0.5) as usize).min(len);
    first..end.max(first)
}
