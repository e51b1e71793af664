//! The Noise2Noise estimate of an error: the one place that computes it, for numbers and for tensors.

use std::ops::{Add, Div, Mul, Sub};

use crate::TargetNoise;

/// Unbiased estimate, from two noisy images `x1` and `x2` of a scene, of the mean squared error of
/// a denoiser `f` against the clean image: `(mean (f(x1) - x2)² + mean (f(x2) - x1)² - mean (x1 - x2)²) / 2`.
///
/// `E|f(x1) - x2|² = E|f(x1) - clean|² + var(x2)`, and `E|x1 - x2|² = var(x1) + var(x2)`, for
/// independent noise of zero mean. The estimate of one image may be negative.
///
/// The three arguments are the terms of the equation in its order: numbers, or tensors with one
/// number for each image.
pub fn noise2noise_mse<T>(first_to_second: T, second_to_first: T, between: T) -> T
where
    T: Add<Output = T> + Sub<Output = T> + Div<f64, Output = T>,
{
    (first_to_second + second_to_first - between) / 2.0
}

/// Unbiased estimate of the same from an image `x` and a target `y` that is the mean of two others, with half the
/// noise: `mean (f(x) - y)² - mean (x - y)² / 3`.
///
/// `E|x - y|² = var(x) + var(x) / 2`, of which a third is the noise of `y`. Here the two differ from the clean
/// images of `x` and `y` alike: what moves steadily from one of the others to the other cancels out of both.
pub fn between_mse<T>(to_target: T, between: T) -> T
where
    T: Sub<Output = T> + Mul<f64, Output = T>,
{
    to_target - between * TargetNoise::Halved.share()
}
