//! What noisy values have to do with each other: in a pair, in space and between channels.

use rand_distr::{Distribution, StandardNormal};

use super::*;

const PAIRS: u64 = 4_000;

/// Small, not square, and `points:2` leaves 3 by 5.
const SMALL: [usize; 3] = [2, 6, 10];

/// Values near 1, each a sum of some products in single precision.
const ROUNDING: f64 = 1e-5;

/// Noise `y - E(y)` of a flat image: in space a function of the distance alone.
struct Field {
    values: Vec<f64>,
    shape: [usize; 3],
}

impl Field {
    fn new(noise: &str, clean: f32, size: [usize; 2], index: u64) -> Self {
        let model = model(noise);
        let shape = [2, size[0], size[1]];
        let image = vec![clean; shape.iter().product()];
        let mut rng = rng(SEED, 0, index, Member::First);
        let noisy = model.corrupt(&image, shape, &mut rng).values;
        let mut values: Vec<f64> = noisy.into_iter().map(f64::from).collect();
        let middle = mean(values.iter().copied());
        values.iter_mut().for_each(|value| *value -= middle);
        Self { values, shape }
    }

    /// Products of values `[down, right]` apart, in all channels.
    fn products(&self, [down, right]: [usize; 2]) -> Vec<f64> {
        let [_, height, width] = self.shape;
        let mut products = Vec::new();
        for plane in self.values.chunks_exact(height * width) {
            for (above, below) in plane
                .chunks_exact(width)
                .zip(plane.chunks_exact(width).skip(down))
            {
                products.extend(above.iter().zip(&below[right..]).map(|(a, b)| a * b));
            }
        }
        products
    }

    fn channel_correlation(&self) -> f64 {
        let (first, second) = self.values.split_at(self.values.len() / 2);
        correlation(first, second)
    }
}

#[test]
fn two_members_of_a_pair_are_independent() {
    let image = uneven(SMALL);
    for noise in ALL {
        let model = model(noise);
        let len = model.output_shape(SMALL).iter().product::<usize>();
        let mut pairs = [Vec::new(), Vec::new()];
        for index in 0..PAIRS {
            for (values, member) in pairs.iter_mut().zip([Member::First, Member::Second]) {
                let mut rng = rng(SEED, 0, index, member);
                let noisy = model.corrupt(&image, SMALL, &mut rng).values;
                // Brightness of the whole, and one value of the middle.
                let whole = mean(noisy.iter().map(|&value| f64::from(value)));
                values.push([whole, f64::from(noisy[len / 3])]);
            }
        }
        let limit = STANDARD_ERRORS / (PAIRS as f64).sqrt();
        for statistic in 0..2 {
            let [first, second] =
                [0, 1].map(|i: usize| pairs[i].iter().map(|v| v[statistic]).collect::<Vec<_>>());
            let correlation = correlation(&first, &second);
            assert!(
                correlation.abs() < limit,
                "{noise}: {correlation}, at most {limit}, seed {SEED}"
            );
        }
    }
}

#[test]
fn levels_of_the_two_members_are_independent() {
    let shape = [1, 8, 16];
    let deviation = |index, member| {
        let mut rng = rng(SEED, 0, index, member);
        let noisy = model("gaussian:5..50").corrupt(&[0.5; 128], shape, &mut rng);
        let values: Vec<f64> = noisy.values.into_iter().map(f64::from).collect();
        moments(&values)[1].sqrt() * 255.0
    };
    let of = |member| -> Vec<f64> { (0..PAIRS).map(|i| deviation(i, member)).collect() };
    let (first, second) = (of(Member::First), of(Member::Second));
    let correlation = correlation(&first, &second);
    let limit = STANDARD_ERRORS / (PAIRS as f64).sqrt();
    assert!(correlation.abs() < limit, "{correlation}, seed {SEED}");
    // Uniform: mean 27.5 and deviation 45 / sqrt(12) = 13, on top of which 128 pixels measure the
    // level to 1 / sqrt(2·128) = 6 %, less than 2.
    let [mean, variance] = moments(&first);
    assert!((mean - 27.5).abs() < 1.0, "{mean}, seed {SEED}");
    assert!(
        (12.5..13.8).contains(&variance.sqrt()),
        "{variance}, seed {SEED}"
    );
}

#[test]
fn white_noise_is_not_correlated_in_space() {
    let size = [120, 170];
    for noise in [
        "gaussian:25",
        "poisson:30",
        "poisson_gaussian:30,5",
        "speckle:0.1",
    ]
    .into_iter()
    .chain(["bernoulli:0.5", "impulse:0.7", "salt_pepper:0.1"])
    {
        let field = Field::new(noise, 0.4, size, 0);
        let variance = mean(field.products([0, 0]));
        for distance in [[0, 1], [1, 0], [1, 1], [0, 2], [3, 0], [7, 5]] {
            let products = field.products(distance);
            let correlation = mean(products.iter().copied()) / variance;
            // A product of independent values has the variance of their variances' product. With
            // one mask for both channels there is only half the information.
            let limit = STANDARD_ERRORS / (products.len() as f64 / 2.0).sqrt();
            assert!(
                correlation.abs() < limit,
                "{noise} at {distance:?}: {correlation}, at most {limit}, seed {SEED}"
            );
        }
    }
}

#[test]
fn brown_noise_is_correlated_as_its_kernel_is() {
    let size = [90, 140];
    const FIELDS: u64 = 8;
    for case in &FIXTURE.correlations {
        let noise = format!("brown:25,{}", case.blur_px);
        let fields: Vec<Field> = (0..FIELDS)
            .map(|index| Field::new(&noise, 0.4, size, index))
            .collect();
        let expected_variance = (25.0_f64 / 255.0).powi(2);
        // By Bartlett's formula, the covariance of n Gaussian values has at most the variance
        // `2·variance²/n·sum of squared correlations`. The sum goes over all places around one.
        let along: f64 = case.by_distance.iter().map(|c| c * c).sum();
        let squared_correlations = (2.0 * along - 1.0).powi(2);
        for down in 0..=8 {
            for right in [0, 1, 2, 3, 5, 8] {
                let products = fields
                    .iter()
                    .flat_map(|field| field.products([down, right]));
                let products: Vec<f64> = products.collect();
                let measured = mean(products.iter().copied()) / expected_variance;
                let expected = case.by_distance[down] * case.by_distance[right];
                let variance = 2.0 * squared_correlations / products.len() as f64;
                let limit = STANDARD_ERRORS * variance.sqrt();
                assert!(
                    (measured - expected).abs() < limit,
                    "{noise} at {down}, {right}: {measured}, expected {expected} within {limit}, \
                     seed {SEED}"
                );
            }
        }
    }
}

#[test]
fn brown_noise_is_convolved_white_noise() {
    let ([height, width], blur_px, radius) = ([4, 7], 0.7_f64, 3);
    let weight = |i: usize| (-0.5 * ((i as f64 - radius as f64) / blur_px).powi(2)).exp();
    let norm: f64 = (0..=2 * radius).map(|i| weight(i).powi(2)).sum();
    let mut numbers = rng(SEED, 0, 0, Member::First);
    let mut white = || -> f64 { StandardNormal.sample(&mut numbers) };
    let columns = width + 2 * radius;
    let white: Vec<f64> = (0..(height + 2 * radius) * columns)
        .map(|_| white())
        .collect();
    let mut rng = rng(SEED, 0, 0, Member::First);
    let noise = model("brown:255,0.7").corrupt(&[0.0; 28], [1, height, width], &mut rng);
    for (pixel, value) in noise.values.into_iter().enumerate() {
        let (row, column) = (pixel / width, pixel % width);
        let mut expected = 0.0;
        for i in 0..=2 * radius {
            for j in 0..=2 * radius {
                let at = (row + i) * columns + column + j;
                expected += weight(i) * weight(j) / norm * white[at];
            }
        }
        let off = (f64::from(value) - expected).abs();
        assert!(
            off < ROUNDING,
            "pixel {pixel}: {value}, expected {expected}"
        );
    }
}

#[test]
fn brown_noise_is_as_strong_at_the_border_as_inside() {
    let model = model("brown:25");
    let shape = [1, 3, 5];
    let mut squares = [0.0; 15];
    for index in 0..PAIRS {
        let mut rng = rng(SEED, 0, index, Member::First);
        let noisy = model.corrupt(&[0.0; 15], shape, &mut rng).values;
        for (square, value) in squares.iter_mut().zip(noisy) {
            *square += f64::from(value).powi(2) / PAIRS as f64;
        }
    }
    let expected = (25.0_f64 / 255.0).powi(2);
    let standard_error = (2.0 / PAIRS as f64).sqrt() * expected;
    for (pixel, variance) in squares.into_iter().enumerate() {
        let off = (variance - expected).abs();
        assert!(
            off < STANDARD_ERRORS * standard_error,
            "pixel {pixel}: {variance}, seed {SEED}"
        );
    }
}

#[test]
fn channels_share_what_belongs_to_the_pixel() {
    let clean = 0.3_f64;
    let size = [120, 170];
    let mut cases = Vec::from(
        [
            "gaussian:25",
            "poisson:30",
            "poisson_gaussian:30,5",
            "speckle:0.1",
        ]
        .map(|noise| (noise, 0.0)),
    );
    cases.extend([("bernoulli:0.5", 1.0), ("salt_pepper:0.1", 1.0)]);
    // Two channels are replaced together, by independent values: the covariance is that of the
    // conditional means, `p·(1 - p)·(x - 1/2)²`.
    let p = 0.7;
    let mean = (1.0 - p) * clean + p / 2.0;
    let variance = (1.0 - p) * clean * clean + p / 3.0 - mean * mean;
    cases.push((
        "impulse:0.7",
        p * (1.0 - p) * (clean - 0.5).powi(2) / variance,
    ));
    let limit = STANDARD_ERRORS / ((size[0] * size[1]) as f64).sqrt();
    for (noise, expected) in cases {
        let measured = Field::new(noise, clean as f32, size, 0).channel_correlation();
        assert!(
            (measured - expected).abs() < limit,
            "{noise}: {measured}, expected {expected} within {limit}, seed {SEED}"
        );
    }
    // Brown noise says less about its correlation, by the number of pixels that move together:
    // 2·pi·blur² = 25 for a blur of 2.
    let measured = Field::new("brown:25", 0.3, size, 0).channel_correlation();
    assert!(measured.abs() < 5.1 * limit, "{measured}, seed {SEED}");
}
