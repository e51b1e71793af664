//! Against scikit-image, and against the definition written out.

use serde::Deserialize;

use super::ssim::{C1, C2, weights};
use super::*;

/// Double precision and the same sums in another order. A variance is a difference of means near 1,
/// off by 1e-15, and is divided by `C2`, about 1e-3.
const TOLERANCE: f64 = 1e-11;

/// What `generate.py` beside the file computed.
#[derive(Deserialize)]
struct Case {
    name: String,
    shape: [usize; 3],
    mse: f64,
    psnr_db: Option<f64>,
    ssim: f64,
}

/// The cases with their two images.
fn cases() -> Vec<(Case, [Vec<f32>; 2])> {
    let cases = include_str!("../../tests/data/quality/quality.json");
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    let bytes = include_bytes!("../../tests/data/quality/images.bin");
    let mut values = bytes
        .chunks_exact(2)
        .map(|bytes| f32::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 1024.0);
    let mut image = |shape: [usize; 3]| -> Vec<f32> {
        let len = shape.iter().product();
        values.by_ref().take(len).collect()
    };
    let cases = cases.into_iter();
    cases
        .map(|case| {
            let images = [image(case.shape), image(case.shape)];
            (case, images)
        })
        .collect()
}

/// The definition of [`ssim`]: each window by itself, its variances about its own mean.
fn ssim_by_definition(a: &[f32], b: &[f32], [channels, height, width]: [usize; 3]) -> f64 {
    let weights = weights();
    let mut sum = 0.0;
    let mut windows = 0.0;
    for channel in 0..channels {
        for top in 0..=height - SSIM_WINDOW {
            for left in 0..=width - SSIM_WINDOW {
                let weighted_mean = |value: &dyn Fn(usize) -> f64| {
                    let mut mean = 0.0;
                    for row in 0..SSIM_WINDOW {
                        for column in 0..SSIM_WINDOW {
                            let at = (channel * height + top + row) * width + left + column;
                            mean += weights[row] * weights[column] * value(at);
                        }
                    }
                    mean
                };
                let (a, b) = (|at: usize| f64::from(a[at]), |at: usize| f64::from(b[at]));
                let (mean_a, mean_b) = (weighted_mean(&a), weighted_mean(&b));
                let variance_a = weighted_mean(&|at| (a(at) - mean_a).powi(2));
                let variance_b = weighted_mean(&|at| (b(at) - mean_b).powi(2));
                let covariance = weighted_mean(&|at| (a(at) - mean_a) * (b(at) - mean_b));
                let luminance =
                    (2.0 * mean_a * mean_b + C1) / (mean_a.powi(2) + mean_b.powi(2) + C1);
                let structure = (2.0 * covariance + C2) / (variance_a + variance_b + C2);
                sum += luminance * structure;
                windows += 1.0;
            }
        }
    }
    sum / windows
}

#[test]
fn quality_is_that_of_scikit_image() {
    let cases = cases();
    assert!(cases.len() > 10);
    for (case, [a, b]) in cases {
        let name = format!("{} {:?}", case.name, case.shape);
        let mse = mse(&a, &b);
        assert!(
            (mse - case.mse).abs() < TOLERANCE,
            "{name}: MSE {mse}, expected {}",
            case.mse
        );
        if let Some(expected) = case.psnr_db {
            let psnr_db = psnr_db(mse);
            assert!(
                (psnr_db - expected).abs() < TOLERANCE,
                "{name}: {psnr_db} dB, expected {expected}"
            );
        }
        let ssim = ssim(&a, &b, case.shape).unwrap();
        assert!(
            (ssim - case.ssim).abs() < TOLERANCE,
            "{name}: SSIM {ssim}, expected {}",
            case.ssim
        );
    }
}

#[test]
fn ssim_is_its_definition() {
    for (case, [a, b]) in cases() {
        let ssim = ssim(&a, &b, case.shape).unwrap();
        let expected = ssim_by_definition(&a, &b, case.shape);
        let (name, shape) = (case.name, case.shape);
        assert!(
            (ssim - expected).abs() < TOLERANCE,
            "{name} {shape:?}: {ssim}, expected {expected}"
        );
    }
}

#[test]
fn equal_images_have_ssim_1_and_100_db() {
    for (case, [a, b]) in cases() {
        assert_eq!(psnr_db(mse(&a, &a)), 100.0);
        let equal = ssim(&a, &a, case.shape).unwrap();
        assert!((equal - 1.0).abs() < TOLERANCE, "{equal}");
        assert_eq!(
            ssim(&a, &b, case.shape),
            ssim(&b, &a, case.shape),
            "symmetry"
        );
    }
}

#[test]
fn psnr_is_10_db_for_each_factor_of_10() {
    assert_eq!(psnr_db(0.1), 10.0);
    assert_eq!(psnr_db(1e-3), 30.0);
    assert_eq!(psnr_db(1e-12), 100.0);
    assert_eq!(mse(&[0.0, 1.0, 0.5, 0.5], &[0.5, 0.5, 0.5, 0.5]), 0.125);
}

#[test]
fn value_that_is_no_number_is_not_hidden() {
    let (mut image, clean) = (vec![0.5; 3 * 12 * 17], vec![0.5; 3 * 12 * 17]);
    image[300] = f32::NAN;
    assert!(psnr_db(mse(&image, &clean)).is_nan());
    assert!(ssim(&image, &clean, [3, 12, 17]).unwrap().is_nan());
}

#[test]
fn image_smaller_than_the_window_has_no_ssim() {
    for shape in [[1, 10, 11], [3, 11, 10], [1, 0, 20], [0, 20, 20]] {
        let image = vec![0.5; shape.iter().product()];
        assert_eq!(ssim(&image, &image, shape), None, "{shape:?}");
    }
    let image = [0.5; 121];
    assert_eq!(ssim(&image, &image, [1, 11, 11]), Some(1.0));
}

#[test]
#[should_panic(expected = "number of values of [1, 11, 12]")]
fn an_image_of_another_shape_panics() {
    let _ = ssim(&[0.5; 132], &[0.5; 121], [1, 11, 12]);
}

#[test]
#[should_panic(expected = "number of values of two images")]
fn images_of_different_lengths_panic() {
    let _ = mse(&[0.5; 4], &[0.5; 5]);
}
