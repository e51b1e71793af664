//! One noisy value at a time: moments and cumulative distribution.

use super::*;

/// Independent draws of each distribution.
const DRAWS: u64 = 40_000;

/// Rounding to single precision, of values up to 4.
const ROUNDING: f64 = 4.0 * f32::EPSILON as f64;

/// How far the share of `draws` values at or below any place may be from its probability. By
/// Dvoretzky, Kiefer, Wolfowitz and Massart, `P(distance > d) <= 2·exp(-2·draws·d²)`, which is 1e-6.
/// It holds for jumps too, and for the largest distance over all places.
fn critical_distance(draws: usize) -> f64 {
    ((2.0_f64 / 1e-6).ln() / (2.0 * draws as f64)).sqrt()
}

/// One value of each of [`DRAWS`] noisy images of one pixel.
fn draws(noise: &str, area: &[f32]) -> Vec<f64> {
    let model = model(noise);
    let side = area.len().isqrt();
    let shape = [1, side, side];
    assert_eq!(model.output_shape(shape), [1, 1, 1], "{noise}");
    let draw = |index| {
        let mut rng = rng(SEED, 0, index, Member::First);
        f64::from(model.corrupt(area, shape, &mut rng).values[0])
    };
    (0..DRAWS).map(draw).collect()
}

/// Largest distance of the shares of values from the probabilities in a table.
fn distance(values: &mut [f64], cdf: &[[f64; 2]]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let distances = cdf.iter().map(|&[y, probability]| {
        let share = values.partition_point(|&value| value <= y) as f64 / values.len() as f64;
        (share - probability).abs()
    });
    distances.fold(0.0, f64::max)
}

#[test]
fn values_are_distributed_as_scipy_says() {
    let mut wrong = Vec::new();
    for case in &FIXTURE.distributions {
        let name = format!("{} of {:?}, seed {SEED}", case.noise, case.area);
        let mut values = draws(&case.noise, &case.area);
        let n = values.len() as f64;
        let mean = mean(values.iter().copied());
        let variance = super::mean(values.iter().map(|value| (value - case.mean).powi(2)));
        let mean_error = (case.variance / n).sqrt();
        let variance_error = ((case.fourth - case.variance.powi(2)) / n).sqrt();
        if (mean - case.mean).abs() > STANDARD_ERRORS * mean_error + ROUNDING {
            wrong.push(format!("{name}: mean {mean}, expected {}", case.mean));
        }
        if (variance - case.variance).abs() > STANDARD_ERRORS * variance_error + ROUNDING {
            let expected = case.variance;
            wrong.push(format!("{name}: variance {variance}, expected {expected}"));
        }
        let distance = distance(&mut values, &case.cdf);
        let critical = critical_distance(values.len());
        if distance > critical {
            wrong.push(format!(
                "{name}: distance {distance} of the CDF, at most {critical}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn statistics_detect_a_slightly_wrong_distribution() {
    let case = |noise: &str, clean: f32| {
        let mut cases = FIXTURE.distributions.iter();
        cases
            .find(|case| case.noise == noise && case.area == [clean])
            .unwrap()
    };
    // A Gaussian in place of Poisson's counts has the same mean and variance.
    let few = case("poisson:30", 0.2);
    let sigma_255 = few.variance.sqrt() * 255.0;
    let mut values = draws(&format!("gaussian:{sigma_255}"), &[0.2]);
    assert!(distance(&mut values, &few.cdf) > critical_distance(values.len()));
    let mut values = draws("gaussian:25.7", &[0.7]);
    let expected = case("gaussian:25", 0.7);
    let standard_error = (2.0 / DRAWS as f64).sqrt() * expected.variance;
    assert!(moments(&values)[1] - expected.variance > STANDARD_ERRORS * standard_error);
    values.iter_mut().for_each(|value| *value += 0.004);
    assert!(distance(&mut values, &expected.cdf) > critical_distance(values.len()));
}

#[test]
fn documented_medians_are_the_clean_value() {
    let median = |noise, clean| {
        let mut values = draws(noise, &[clean]);
        values.sort_unstable_by(f64::total_cmp);
        values[values.len() / 2]
    };
    for clean in [0.1_f32, 0.5, 0.8] {
        for noise in ["salt_pepper:0.9", "impulse:0.45"] {
            let median = median(noise, clean);
            assert_eq!(median, f64::from(clean), "{noise}, seed {SEED}");
        }
    }
    // Of the noisy values, 1 - 0.3 - 0.7·0.1 = 63 % are above the clean one.
    let median = median("impulse:0.7", 0.1);
    assert!(median > 0.2, "{median}, seed {SEED}");
}

#[test]
fn what_is_not_positive_gets_no_photon() {
    let mut rng = rng(SEED, 0, 0, Member::First);
    let image = [0.0, -0.5, 1e-30, f32::MIN_POSITIVE];
    let noisy = model("poisson:30").corrupt(&image, [1, 2, 2], &mut rng);
    assert_eq!(noisy.values, [0.0; 4]);
    let noisy = model("poisson:30").corrupt(&[f32::NAN], [1, 1, 1], &mut rng);
    assert!(noisy.values[0].is_nan());
    let noisy = model("speckle:0.5").corrupt(&[0.0; 4], [1, 2, 2], &mut rng);
    assert_eq!(noisy.values, [0.0; 4]);
}
