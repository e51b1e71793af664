//! Pairs of shots that stand for each other: which are drawn, and what is compared in validation.

use std::collections::HashSet;
use std::sync::Arc;

use super::numbered::{Numbered, examples, pipeline};
use crate::pipeline::{Pipeline, Series};
use crate::quality::{Score, between_mse};
use crate::{AugmentConfig, ExampleIndex, NoisyPair, TargetNoise};

fn scenes(shots: usize) -> Numbered {
    Numbered {
        shots,
        clean: false,
        ordered: false,
        ..Numbered::default()
    }
}

/// The shots that the input and the target of examples come from: each lies 100 above the one before.
fn shots(count: usize, series: Series) -> HashSet<[usize; 2]> {
    let pipeline = Pipeline {
        series,
        augment: AugmentConfig {
            mix: 0.5,
            ..AugmentConfig::default()
        },
        ..pipeline()
    };
    let examples = examples(scenes(count), pipeline);
    let shot = |values: &[f32]| (values[0] * 655.35).round() as usize;
    (0..200)
        .map(|epoch| {
            let pair = examples.pair(ExampleIndex { epoch, index: 0 }).unwrap();
            [shot(&pair.noisy_input), shot(&pair.noisy_target.unwrap())]
        })
        .collect()
}

#[test]
fn frames_are_paired_with_those_beside_them() {
    for series in [Series::Neighbours, Series::BetweenNeighbours] {
        let neighbours = [[0, 1], [1, 0], [1, 2], [2, 1], [2, 3], [3, 2]];
        assert_eq!(shots(4, series), HashSet::from(neighbours));
        assert_eq!(shots(2, series), HashSet::from([[0, 1], [1, 0]]));
    }
    // Where others are mixed in, the input is between shots.
    assert!(shots(4, Series::No).len() > 12);
}

#[test]
fn frames_are_validated_between_their_neighbours() {
    let validation = |series, clean| {
        let pipeline = Pipeline {
            series,
            target: None,
            ..pipeline()
        };
        let scenes = Numbered { clean, ..scenes(5) };
        let examples = examples(scenes, pipeline);
        examples.pair(ExampleIndex { epoch: 0, index: 1 }).unwrap()
    };
    let sample = |values: Option<Vec<f32>>| (values.unwrap()[0] * 65535.0).round() as usize;
    let pair = validation(Series::BetweenNeighbours, false);
    assert_eq!(pair.target_noise, TargetNoise::Halved);
    // The mean of shots 1 and 3 is shot 2: these scenes move steadily.
    assert_eq!(sample(Some(pair.noisy_input)), 1200);
    assert_eq!(sample(pair.noisy_target), 1200);
    for (series, clean) in [
        (Series::Neighbours, false),
        (Series::BetweenNeighbours, true),
    ] {
        let pair = validation(series, clean);
        assert_eq!(pair.target_noise, TargetNoise::Equal);
        assert_eq!(sample(pair.noisy_target), 1100);
    }
}

#[test]
fn estimate_between_frames_is_the_error() {
    // All eight triples of signs: the noise of three frames is independent.
    let sign = |bit: usize| move |at: usize| if at >> bit & 1 == 0 { 0.1 } else { -0.1 };
    let noisy = |values: &dyn Fn(usize) -> f32| (0..8).map(|at| 0.4 + values(at)).collect();
    let pair = NoisyPair {
        shape: [1, 2, 4],
        noisy_input: noisy(&sign(0)),
        noisy_target: Some(noisy(&|at| f32::midpoint(sign(1)(at), sign(2)(at)))),
        target_noise: TargetNoise::Halved,
        ..NoisyPair::default()
    };
    for (slope, expected) in [(1.0, 0.01), (0.5, 0.0025), (0.0, 0.0)] {
        let denoise = |image: &[f32]| {
            let denoised = image.iter().map(|value| 0.4 + slope * (value - 0.4));
            Ok::<_, std::convert::Infallible>(denoised.collect())
        };
        let Ok(Score { mse, .. }) = Score::of(&pair, denoise);
        assert!((mse - expected).abs() < 1e-8, "slope {slope}: {mse}");
    }
    assert_eq!(between_mse(3.0, 3.0), 2.0);
}

#[test]
fn partners_are_scaled_to_the_input() {
    // Each shot lies 100 above the one before, and is a slope: only the mean differs.
    let scenes = Numbered {
        size: [9, 9],
        ..scenes(3)
    };
    let pipeline = Pipeline {
        levels: Some(Arc::default()),
        ..pipeline()
    };
    let examples = examples(scenes, pipeline);
    for epoch in 0..10 {
        let pair = examples.pair(ExampleIndex { epoch, index: 2 }).unwrap();
        let target = pair.noisy_target.unwrap();
        for (input, target) in pair.noisy_input.iter().zip(&target) {
            assert!((input - target).abs() < 1e-6, "{input} {target}");
        }
    }
}
