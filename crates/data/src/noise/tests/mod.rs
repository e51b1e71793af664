//! The models against scipy's distributions, and what they promise beyond single values.

mod config;
mod correlation;
mod distribution;
mod images;
mod reproducible;
mod text;

use std::sync::LazyLock;

use serde::Deserialize;

use super::*;

/// A statistic may be off by this many of its standard errors: for a new seed, that happens once in
/// 1.7 million times.
const STANDARD_ERRORS: f64 = 5.0;

/// Every random test draws from this seed and says so when it fails.
const SEED: u64 = 20180712;

/// Every model, some twice.
const ALL: [&str; 15] = [
    "gaussian:25",
    "gaussian:5..50",
    "gaussian:25,clip",
    "poisson:30",
    "poisson_gaussian:30,5",
    "speckle:0.1",
    "brown:25",
    "brown:25,1.5",
    "bernoulli:0.5",
    "impulse:0.7",
    "salt_pepper:0.1",
    "text:0.25",
    "text:0..0.5",
    "text:0.25,antialias",
    "points:2",
];

fn model(text: &str) -> Box<dyn NoiseModel> {
    text.parse::<NoiseConfig>().unwrap().build().unwrap()
}

/// An image with values in `[0, 1)` that differ from pixel to pixel and channel to channel.
fn uneven(shape: [usize; 3]) -> Vec<f32> {
    let count = shape.iter().product();
    (0..count).map(|i| (i * 37 % 101) as f32 / 101.0).collect()
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}

/// Mean and population variance.
fn moments(values: &[f64]) -> [f64; 2] {
    let middle = mean(values.iter().copied());
    [middle, mean(values.iter().map(|v| (v - middle).powi(2)))]
}

/// Pearson's correlation; for independent values its standard error is `1 / sqrt(n)`.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let ([mean_a, variance_a], [mean_b, variance_b]) = (moments(a), moments(b));
    let products = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b));
    mean(products) / (variance_a * variance_b).sqrt()
}

/// What `generate.py` beside the file computed.
static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../tests/data/noise/noise.json")).unwrap()
});

#[derive(Deserialize)]
struct Fixture {
    distributions: Vec<Distribution>,
    correlations: Vec<Correlation>,
    streams: Vec<Stream>,
}

/// How one noisy value is distributed.
#[derive(Deserialize)]
struct Distribution {
    noise: String,
    /// The clean value, or the square of clean values from which a point is drawn.
    area: Vec<f32>,
    mean: f64,
    variance: f64,
    /// Fourth central moment.
    fourth: f64,
    /// `[y, P(Y <= y)]`
    cdf: Vec<[f64; 2]>,
}

/// Correlation of brown noise along an axis.
#[derive(Deserialize)]
struct Correlation {
    blur_px: f64,
    by_distance: Vec<f64>,
}

/// The first random words of a key.
#[derive(Deserialize)]
struct Stream {
    key: [u64; 4],
    words: Vec<u64>,
}
