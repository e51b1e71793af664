//! Text overlay: how much it covers, where and in which colours.

use super::*;

const IMAGES: u64 = 400;
const SHAPE: [usize; 3] = [2, 64, 96];
const PLANE: usize = 64 * 96;

/// Brighter than every colour, so that covered pixels can be told.
const CLEAN: f32 = 2.0;

/// A letter is at most 32 by 32 pixels large.
const LETTER: f64 = 1024.0 / PLANE as f64;

fn page(noise: &str, index: u64) -> Vec<f32> {
    let mut rng = rng(SEED, 0, index, Member::First);
    let image = vec![CLEAN; 2 * PLANE];
    model(noise).corrupt(&image, SHAPE, &mut rng).values
}

fn is_covered(value: &f32) -> bool {
    *value != CLEAN
}

fn share(values: &[f32]) -> f64 {
    values.iter().filter(|value| is_covered(value)).count() as f64 / values.len() as f64
}

#[test]
fn share_p_is_covered_and_at_most_one_letter_more() {
    for p in [0.01, 0.25, 0.5, 0.95] {
        for flag in ["", ",antialias"] {
            let values = page(&format!("text:{p}{flag}"), 0);
            let shares = [share(&values[..PLANE]), share(&values[PLANE..])];
            assert_eq!(shares[0], shares[1], "channels");
            let rounding = 0.5 / PLANE as f64;
            let range = p - rounding..p + LETTER;
            assert!(
                range.contains(&shares[0]),
                "{p}{flag}: {shares:?}, seed {SEED}"
            );
        }
    }
    let shares = (0..IMAGES).map(|index| share(&page("text:0.1..0.5", index)));
    let shares: Vec<f64> = shares.collect();
    assert!(
        shares
            .iter()
            .all(|share| (0.0999..0.5 + LETTER).contains(share))
    );
    // Uniform from 0.1 to 0.5, but for the excess: deviation 0.4 / sqrt(12) = 0.115.
    let deviation = moments(&shares)[1].sqrt();
    assert!((0.1..0.13).contains(&deviation), "{deviation}, seed {SEED}");
}

#[test]
fn no_place_is_preferred() {
    // Shares in blocks of 16 by 16 pixels, for each block a mean over images.
    let mut blocks = vec![Vec::new(); 4 * 6];
    for index in 0..IMAGES {
        let values = page("text:0.3", index);
        for (i, block) in blocks.iter_mut().enumerate() {
            let corner = (i / 6) * 16 * 96 + (i % 6) * 16;
            let rows = (0..16).map(|row| share(&values[corner + row * 96..][..16]));
            block.push(mean(rows));
        }
    }
    let whole = mean(blocks.iter().flatten().copied());
    assert!(
        (0.3..0.3 + LETTER / 2.0).contains(&whole),
        "{whole}, seed {SEED}"
    );
    for (i, shares) in blocks.iter().enumerate() {
        let [mean, variance] = moments(shares);
        let limit = STANDARD_ERRORS * (variance / IMAGES as f64).sqrt();
        assert!(
            (mean - whole).abs() < limit,
            "block {i}: {mean} of {whole}, seed {SEED}"
        );
    }
}

#[test]
fn colours_are_uniform_and_independent() {
    let middle = 40 * 96 + 50;
    let pixels = (0..3 * IMAGES).map(|index| page("text:0.5", index));
    let colours: Vec<[f64; 2]> = pixels
        .filter(|values| is_covered(&values[middle]))
        .map(|values| [values[middle], values[middle + PLANE]].map(f64::from))
        .collect();
    assert!(colours.len() as u64 > IMAGES, "seed {SEED}");
    let channels = [0, 1].map(|c: usize| colours.iter().map(|v| v[c]).collect::<Vec<_>>());
    for values in &channels {
        // Mean 1/2, variance 1/12, fourth central moment 1/80.
        let n = values.len() as f64;
        let [mean, variance] = moments(values);
        let mean_limit = STANDARD_ERRORS * (1.0 / 12.0 / n).sqrt();
        assert!((mean - 0.5).abs() < mean_limit, "{mean}, seed {SEED}");
        let variance_limit = STANDARD_ERRORS * ((1.0 / 80.0 - 1.0 / 144.0) / n).sqrt();
        assert!(
            (variance - 1.0 / 12.0).abs() < variance_limit,
            "{variance}, seed {SEED}"
        );
    }
    let correlation = correlation(&channels[0], &channels[1]);
    let limit = STANDARD_ERRORS / (colours.len() as f64).sqrt();
    assert!(correlation.abs() < limit, "{correlation}, seed {SEED}");
}

#[test]
fn text_has_documented_mean_and_clean_median() {
    let clean = 0.3_f32;
    let image = vec![clean; 2 * PLANE];
    let model = model("text:0.4");
    let mut rests = Vec::new();
    let mut at_middle = Vec::new();
    for index in 0..IMAGES {
        let mut rng = rng(SEED, 0, index, Member::First);
        let values = model.corrupt(&image, SHAPE, &mut rng).values;
        let covered = values.iter().filter(|value| **value != clean).count();
        let q = covered as f64 / values.len() as f64;
        let expected = (1.0 - q) * f64::from(clean) + q / 2.0;
        rests.push(mean(values.iter().map(|&value| f64::from(value))) - expected);
        at_middle.push(values[30 * 96 + 40]);
    }
    let [rest, variance] = moments(&rests);
    let limit = STANDARD_ERRORS * (variance / IMAGES as f64).sqrt();
    assert!(rest.abs() < limit, "{rest}, at most {limit}, seed {SEED}");
    at_middle.sort_unstable_by(f32::total_cmp);
    assert_eq!(at_middle[at_middle.len() / 2], clean, "seed {SEED}");
}

#[test]
fn only_antialiased_letters_are_mixed_with_the_image() {
    // Every colour is below 1, so what lies between was mixed.
    let mixed = |noise| {
        let values = page(noise, 0);
        values
            .iter()
            .filter(|value| **value > 1.0 && is_covered(value))
            .count()
    };
    assert_eq!(mixed("text:0.25"), 0);
    assert!(mixed("text:0.25,antialias") > 100, "seed {SEED}");
}
