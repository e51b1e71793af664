//! What leaves are painted with: periodic patterns seen through a random rotation and scale.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{log_uniform, normal};

/// Patterns are `SIZE` x `SIZE` points, a power of two: coordinates are 32-bit fractions of the
/// period, which wrap around for free and whose top bits are the index. 128 points keep a pattern
/// within a core's cache.
const SIZE: usize = 1 << SIZE_BITS;
const SIZE_BITS: u32 = 7;

/// Bends the stripes by this share of their period, so that they look grown rather than drawn.
const STRIPE_BEND: f32 = 0.08;

/// Each octave of the cloud pattern doubles the frequency. An amplitude falling by 0.6 gives a
/// power spectrum a little flatter than the `1 / frequency^2` of photographs, to which edges add.
const CLOUD_FALL: f32 = 0.6;

/// Default share of grains among textures, and share of stripes among the others; the rest are clouds.
pub(super) const GRAIN: f64 = 0.2;
const STRIPES: f32 = 0.5625;

/// Length of a pattern's period in pixels, least and most. Stripes from well below a pixel (all
/// noise) to several pixels (no noise, a structure to keep); clouds and grains have 128 points on
/// that length.
const PERIODS: [[f32; 2]; 3] = [[0.4, 8.0], [8.0, 64.0], [16.0, 64.0]];

/// The patterns, with zero mean and unit variance.
pub(super) struct Textures {
    patterns: [Vec<f32>; 3],
}

/// One leaf's view of a pattern.
pub(super) struct Texture {
    pattern: usize,
    /// Fractions of the period per pixel, along x and y, of the two coordinates of the pattern.
    across: [f32; 2],
    along: [f32; 2],
    origin: [f32; 2],
}

/// A place in a pattern, in fractions of the period.
#[derive(Clone, Copy)]
pub(super) struct Place {
    u: u32,
    v: u32,
}

impl Textures {
    pub fn new(rng: &mut ChaCha8Rng) -> Self {
        let clouds = clouds(rng);
        let stripes = (0..SIZE * SIZE).map(|i| {
            let phase = (i % SIZE) as f32 / SIZE as f32 + STRIPE_BEND * clouds[i];
            // The harmonic makes one side of a stripe sharper than the other.
            (TAU * phase).sin() + 0.5 * (2.0 * TAU * phase).sin()
        });
        let stripes = standardized(stripes.collect());
        let grains = standardized((0..SIZE * SIZE).map(|_| normal(rng)).collect());
        Self {
            patterns: [stripes, clouds, grains],
        }
    }

    pub fn pattern(&self, texture: &Texture) -> &[f32] {
        &self.patterns[texture.pattern]
    }
}

impl Texture {
    pub fn random(grain: f32, rng: &mut ChaCha8Rng) -> Self {
        let share = rng.random::<f32>();
        let patterned = 1.0 - grain;
        let pattern = usize::from(share > STRIPES * patterned) + usize::from(share > patterned);
        let [least, most] = PERIODS[pattern];
        let frequency = 1.0 / log_uniform(least, most, rng);
        let (sin, cos) = (TAU * rng.random::<f32>()).sin_cos();
        Self {
            pattern,
            across: [frequency * cos, frequency * sin],
            along: [-frequency * sin, frequency * cos],
            origin: [rng.random(), rng.random()],
        }
    }

    pub fn at(&self, x: f32, y: f32) -> Place {
        let at = |axis: [f32; 2], origin: f32| fraction(axis[0] * x + axis[1] * y + origin);
        Place {
            u: at(self.across, self.origin[0]),
            v: at(self.along, self.origin[1]),
        }
    }

    /// The step from one place to the next, `distance` pixels to the right.
    pub fn step(&self, distance: f32) -> Place {
        Place {
            u: fraction(self.across[0] * distance),
            v: fraction(self.along[0] * distance),
        }
    }
}

impl Place {
    pub fn advance(&mut self, step: Place) {
        self.u = self.u.wrapping_add(step.u);
        self.v = self.v.wrapping_add(step.v);
    }

    /// Index of the nearest point of a pattern.
    pub fn index(self) -> usize {
        let top = |coordinate: u32| (coordinate >> (32 - SIZE_BITS)) as usize;
        top(self.v) * SIZE + top(self.u)
    }
}

/// The part behind the decimal point as a 32-bit fraction: the bits above it are cut off.
fn fraction(value: f32) -> u32 {
    (f64::from(value) * 2_f64.powi(32)) as i64 as u32
}

/// Smooth noise of every scale: octaves of random values on a lattice, interpolated.
fn clouds(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut pattern = vec![0.0; SIZE * SIZE];
    let mut amplitude = 1.0;
    // From 4 lattice points per period up to one per point.
    for octave in 2..=SIZE_BITS {
        let (points, cell) = (1 << octave, SIZE >> octave);
        let lattice: Vec<f32> = (0..points * points).map(|_| normal(rng)).collect();
        for (i, value) in pattern.iter_mut().enumerate() {
            *value += amplitude * interpolate(&lattice, points, cell, i % SIZE, i / SIZE);
        }
        amplitude *= CLOUD_FALL;
    }
    standardized(pattern)
}

fn interpolate(lattice: &[f32], points: usize, cell: usize, x: usize, y: usize) -> f32 {
    let value = |x: usize, y: usize| lattice[y % points * points + x % points];
    let (left, top) = (x / cell, y / cell);
    let smooth = |rest: usize| {
        let t = rest as f32 / cell as f32;
        t * t * (3.0 - 2.0 * t)
    };
    let (right, down) = (smooth(x % cell), smooth(y % cell));
    let row = |y: usize| value(left, y) * (1.0 - right) + value(left + 1, y) * right;
    row(top) * (1.0 - down) + row(top + 1) * down
}

fn standardized(mut pattern: Vec<f32>) -> Vec<f32> {
    let len = pattern.len() as f32;
    let mean = pattern.iter().sum::<f32>() / len;
    let variance = pattern.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / len;
    for value in &mut pattern {
        *value = (*value - mean) / variance.sqrt();
    }
    pattern
}
