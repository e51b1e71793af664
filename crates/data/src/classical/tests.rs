//! Against SciPy and scikit-image, and against the definitions written out.

use serde::Deserialize;

use super::non_local_means::{CUTOFF, PATCH, weights};
use super::*;
use crate::crop::reflect;

/// Single precision: sums of up to 31 products, twice, of values near 1.
const BLUR_TOLERANCE: f32 = 1e-6;

/// scikit-image takes `exp` by an approximation that is off by a few per cent (Schraudolph, "A fast, compact
/// approximation of the exponential function", 1999), and most of that falls out of a weighted mean.
const APPROXIMATE_EXP: f32 = 4e-3;

/// Single precision: sums of up to 529 weighted values; a weight is off by 1e-6 for distances up to 5.
const MEANS_TOLERANCE: f32 = 3e-6;

/// What `generate.py` beside the file computed.
#[derive(Deserialize)]
struct Golden {
    shapes: Vec<[usize; 3]>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    method: String,
    strength: f64,
    image: usize,
}

/// The noisy images with their shapes.
fn images() -> Vec<([usize; 3], Vec<f32>)> {
    let golden: Golden = golden();
    let bytes = include_bytes!("../../tests/data/classical/images.bin");
    let mut values = bytes
        .chunks_exact(2)
        .map(|bytes| f32::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 1024.0);
    let shapes = golden.shapes.into_iter();
    shapes
        .map(|shape| {
            let count = shape.iter().product();
            (shape, values.by_ref().take(count).collect())
        })
        .collect()
}

fn golden() -> Golden {
    let text = include_str!("../../tests/data/classical/classical.json");
    serde_json::from_str(text).unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    // `f32::max` would drop a NaN.
    differences.fold(0.0, |a, b| if a >= b || a.is_nan() { a } else { b })
}

#[test]
fn denoised_images_equal_scipy_and_scikit_image() {
    let images = images();
    let bytes = include_bytes!("../../tests/data/classical/expected.bin");
    let mut expected = bytes
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let cases = golden().cases;
    assert!(cases.len() > 25);
    for Case {
        method,
        strength,
        image,
    } in cases
    {
        let (shape, image) = &images[image];
        let expected: Vec<f32> = expected.by_ref().take(image.len()).collect();
        let (denoiser, tolerance) = match method.as_str() {
            "gaussian_blur" => (Classical::GaussianBlur, BLUR_TOLERANCE),
            "median" => (Classical::Median, 0.0),
            "non_local_means" => (Classical::NonLocalMeans, APPROXIMATE_EXP),
            other => panic!("no method {other}"),
        };
        let denoised = denoiser.denoise(image, *shape, strength);
        let difference = largest_difference(&denoised, &expected);
        assert!(
            difference <= tolerance,
            "{method} {strength} of {shape:?}: off by {difference:e}"
        );
    }
    assert_eq!(expected.next(), None, "every expected value was compared");
}

/// The definition of [`non_local_means`]: each pair of patches by itself, in double precision.
fn means_by_definition(image: &[f32], [channels, height, width]: [usize; 3], h: f64) -> Vec<f32> {
    let weights = weights();
    let half = (PATCH / 2) as isize;
    let value = |channel: usize, y: isize, x: isize| {
        let (y, x) = (reflect(y, height), reflect(x, width));
        f64::from(image[(channel * height + y) * width + x])
    };
    let weight = |p: [isize; 2], q: [isize; 2]| {
        let mut distance = 0.0;
        for (row, down) in (-half..=half).enumerate() {
            if distance > f64::from(CUTOFF) {
                return 0.0;
            }
            for (column, right) in (-half..=half).enumerate() {
                for channel in 0..channels {
                    let a = value(channel, p[0] + down, p[1] + right);
                    let b = value(channel, q[0] + down, q[1] + right);
                    let weight = f64::from(weights[row]) * f64::from(weights[column]);
                    distance += weight * (a - b).powi(2) / (channels as f64 * h * h);
                }
            }
        }
        (-distance).exp()
    };
    let near = |at: usize, length: usize| {
        let first = at.saturating_sub(SEARCH_DISTANCE);
        first..length.min(at + SEARCH_DISTANCE + 1)
    };
    let mut means = vec![0.0; image.len()];
    for y in 0..height {
        for x in 0..width {
            let mut weight_sum = 0.0;
            let mut sums = vec![0.0; channels];
            for other_y in near(y, height) {
                for other_x in near(x, width) {
                    let p = [y as isize, x as isize];
                    let q = [other_y as isize, other_x as isize];
                    let weight = weight(p, q);
                    weight_sum += weight;
                    for (channel, sum) in sums.iter_mut().enumerate() {
                        *sum += weight * value(channel, q[0], q[1]);
                    }
                }
            }
            for (channel, sum) in sums.into_iter().enumerate() {
                means[(channel * height + y) * width + x] = (sum / weight_sum) as f32;
            }
        }
    }
    means
}

#[test]
fn fast_non_local_means_are_the_definition() {
    for (shape, image) in images() {
        for h in [0.02, 0.15, 1.0] {
            let fast = non_local_means(&image, shape, h);
            let expected = means_by_definition(&image, shape, h);
            let difference = largest_difference(&fast, &expected);
            assert!(
                difference <= MEANS_TOLERANCE,
                "{shape:?}, h {h}: off by {difference:e}"
            );
        }
    }
}

#[test]
fn flat_image_stays_as_it_is() {
    let shape = [3, 35, 14];
    let image = vec![0.25; 3 * 35 * 14];
    for method in Classical::ALL {
        for strength in method.strengths() {
            let denoised = method.denoise(&image, shape, strength);
            let difference = largest_difference(&denoised, &image);
            assert!(difference <= BLUR_TOLERANCE, "{method:?} {strength}");
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (shape, image) = images().swap_remove(1);
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let alone = alone.unwrap();
    for (method, strength) in [
        (Classical::GaussianBlur, 1.3),
        (Classical::Median, 5.0),
        (Classical::NonLocalMeans, 0.1),
    ] {
        let together = method.denoise(&image, shape, strength);
        let alone = alone.install(|| method.denoise(&image, shape, strength));
        assert!(together == alone, "{method:?}");
    }
}

#[test]
fn axes_are_continued_by_reflection_of_their_edges() {
    let row: Vec<_> = (-7..8).map(|position| symmetric(position, 3)).collect();
    assert_eq!(row, [0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    assert_eq!([symmetric(-5, 1), symmetric(9, 1)], [0, 0]);
}

#[test]
fn search_finds_a_peak_wherever_it_is() {
    for count in [1, 2, 6, 21, 25] {
        let strengths: Vec<f64> = (0..count).map(f64::from).collect();
        for peak in 0..count {
            let mut calls = 0;
            let best = best_strength(&strengths, |strength| {
                calls += 1;
                -(strength - f64::from(peak)).abs()
            });
            assert_eq!(best.strength, f64::from(peak), "of {count}");
            assert_eq!((best.score, best.tried), (0.0, calls));
            assert!(calls <= 11, "{calls} of {count} were tried");
        }
    }
}

#[test]
fn score_that_is_no_number_does_not_win() {
    let strengths = [1.0, 2.0, 3.0, 4.0, 5.0];
    let score = |strength: f64| if strength > 2.5 { f64::NAN } else { strength };
    assert_eq!(best_strength(&strengths, score).strength, 2.0);
}

#[test]
#[should_panic(expected = "number of values of an image of [1, 3, 5]")]
fn an_image_of_another_shape_panics() {
    let _ = median(&[0.5; 16], [1, 3, 5], 3);
}

#[test]
#[should_panic(expected = "a window of 4 pixels")]
fn an_even_window_panics() {
    let _ = median(&[0.5; 15], [1, 3, 5], 4);
}
