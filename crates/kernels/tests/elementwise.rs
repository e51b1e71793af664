//! Activations, loss and layout against the definition in f64.

use n2n_kernels::{Images, elementwise, layout};

/// Relative: the polynomial and its argument lose a few units in the last place.
const TOLERANCE: f64 = 5e-7;

#[test]
fn the_slope_of_a_sigmoid_ends_on_both_sides() {
    let end = 2.0_f32.powi(-25);
    let y = [1.0 - end, 1.0, end, 0.5 * end, 1e-38, 0.0];
    let dy = [2.0; 6];
    assert_eq!(elementwise::sigmoid_backward(&y, &dy), [0.0; 6]);
    let dx = elementwise::sigmoid_backward(&[2.0 * end, 1.0 - 2.0 * end], &dy[..2]);
    assert!(dx.iter().all(|slope| *slope > 3.9 * end), "{dx:?}");
}

#[test]
fn sigmoid_matches_the_logistic_function() {
    let x: Vec<f32> = (-8600..=8600).map(|i| i as f32 / 100.0).collect();
    for (x, y) in x.iter().zip(elementwise::sigmoid(&x)) {
        let expected = 1.0 / (1.0 + (-f64::from(*x)).exp());
        let error = (f64::from(y) - expected).abs() / expected;
        assert!(error < TOLERANCE, "sigmoid({x}): {y}, expected {expected}");
    }
    let far = elementwise::sigmoid(&[1e30, f32::INFINITY, -1e30, f32::NEG_INFINITY, f32::NAN]);
    assert_eq!(far[..2], [1.0, 1.0]);
    assert!(
        far[2] < 1e-37 && far[3] < 1e-37 && far[4].is_nan(),
        "{far:?}"
    );
}

#[test]
fn gradients_match_the_definitions() {
    let (y, dy) = ([0.0, 0.25, 0.5, 1.0], [1.0, 2.0, -4.0, 3.0]);
    assert_eq!(
        elementwise::sigmoid_backward(&y, &dy),
        [0.0, 0.375, -1.0, 0.0]
    );
    let x = [-1.0, 0.0, 2.0, f32::NEG_INFINITY, f32::INFINITY];
    assert_eq!(elementwise::relu(&x), [0.0, 0.0, 2.0, 0.0, f32::INFINITY]);
    assert!(elementwise::relu(&[f32::NAN])[0].is_nan());
    let dy = [5.0, 6.0, 7.0, 8.0, 9.0];
    assert_eq!(
        elementwise::relu_backward(&x, &dy),
        [0.0, 0.0, 7.0, 0.0, 9.0]
    );
    let difference = elementwise::scaled_difference(&[1.0, 2.0, 3.0], &[0.0, 4.0, 3.0], 0.5);
    assert_eq!(difference, [0.5, -1.0, 0.0]);
}

#[test]
fn squared_error_of_many_values_is_exact() {
    let x: Vec<f32> = (0..100_003).map(|i| (i % 7) as f32).collect();
    let y = vec![1.0; x.len()];
    let expected: f64 = x.iter().map(|x| (f64::from(*x) - 1.0).powi(2)).sum();
    assert_eq!(elementwise::squared_error(&x, &y), expected);
    assert_eq!(elementwise::squared_error(&[], &[]), 0.0);
}

#[test]
fn channels_come_last() {
    for (channels, [height, width]) in [(3, [2, 5]), (5, [9, 11]), (1, [3, 2]), (130, [1, 3])] {
        let images = Images {
            batch_size: 3,
            height,
            width,
        };
        let pixels = height * width;
        let values: Vec<f32> = (0..3 * channels * pixels).map(|i| i as f32).collect();
        let stored = layout::channels_last(images, channels, &values);
        for (i, value) in stored.iter().enumerate() {
            let (image, pixel, channel) =
                (i / channels / pixels, i / channels % pixels, i % channels);
            assert_eq!(
                *value,
                values[(image * channels + channel) * pixels + pixel]
            );
        }
    }
}
