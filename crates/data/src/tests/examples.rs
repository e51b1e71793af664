use std::collections::HashSet;

use super::numbered::{Numbered, examples, pipeline, samples};
use crate::noise::NoiseConfig;
use crate::pipeline::{CropPolicy, Pipeline};
use crate::{
    AugmentConfig, ByScenes, DataConfig, ExampleIndex, Request, ScenesConfig, Swap, Target,
};

fn everything() -> AugmentConfig {
    AugmentConfig {
        flip: true,
        rot90: true,
        rotate_deg: 20.0,
        zoom: ByScenes::Fixed(1.5),
        mix: 0.5,
        jitter: ByScenes::Fixed(0.0),
        swap: Swap::Images,
        grey: 0.0,
    }
}

#[test]
fn one_draw_changes_both_images_of_a_pair_alike() {
    // The second image is the first one, brighter by 100 steps everywhere; so are the two examples,
    // however they are turned.
    let scenes = Numbered {
        size: [9, 8],
        ..Numbered::default()
    };
    let pipeline = Pipeline {
        crop: CropPolicy::Random(4),
        augment: everything(),
        ..pipeline()
    };
    let examples = examples(scenes, pipeline);
    let mut seen = HashSet::new();
    for epoch in 0..40 {
        let pair = examples.pair(ExampleIndex { epoch, index: 7 }).unwrap();
        let target = pair.noisy_target.unwrap();
        let differences = pair.noisy_input.iter().zip(&target).map(|(a, b)| b - a);
        let steps: Vec<i32> = differences
            .map(|difference| (difference * 65535.0).round() as i32)
            .collect();
        let exchanged = steps[0] < 0;
        let step = if exchanged { -100 } else { 100 };
        assert_eq!(steps, [step; 16]);
        seen.insert((exchanged, samples(&pair.noisy_input)));
    }
    assert!(seen.len() > 30, "40 visits show {} examples", seen.len());
    let exchanged: HashSet<bool> = seen.iter().map(|(exchanged, _)| *exchanged).collect();
    assert_eq!(exchanged.len(), 2, "exchanged at some visits only");
}

#[test]
fn jitter_is_one_factor_for_both_images() {
    let pipeline = Pipeline {
        augment: AugmentConfig {
            jitter: ByScenes::Fixed(0.3),
            ..AugmentConfig::default()
        },
        target: Some(Target::Clean),
        ..pipeline()
    };
    let examples = examples(Numbered::default(), pipeline);
    let mut factors = HashSet::new();
    for epoch in 0..10 {
        let pair = examples.pair(ExampleIndex { epoch, index: 2 }).unwrap();
        let clean = pair.clean_target.unwrap();
        let factor = |value: f32, sample: usize| value * 65535.0 / sample as f32;
        let [a, b] = [factor(pair.noisy_input[3], 2003), factor(clean[3], 2903)];
        assert!((a - b).abs() < 1e-5 && (a - 1.0).abs() <= 0.3001, "{a} {b}");
        factors.insert((a * 1e4) as i32);
    }
    assert!(factors.len() > 5, "{factors:?}");
}

#[test]
fn zoom_enlarges_half_of_the_noisy_examples() {
    let zoomed = |shots, noise: Option<&str>| {
        let scenes = Numbered {
            scenes: 100,
            shots,
            ..Numbered::default()
        };
        let noise = noise.map(|noise| noise.parse::<NoiseConfig>().unwrap());
        let [zoomed, plain] = [2.0, 1.0].map(|zoom| {
            let pipeline = Pipeline {
                augment: AugmentConfig {
                    zoom: ByScenes::Fixed(zoom),
                    ..AugmentConfig::default()
                },
                noise: noise.as_ref().map(|noise| noise.build().unwrap().into()),
                ..pipeline()
            };
            let examples = examples(scenes.clone(), pipeline);
            (0..100).map(move |index| {
                let pair = examples.pair(ExampleIndex { epoch: 0, index }).unwrap();
                // From one end of a row to the other.
                pair.noisy_input[5] - pair.noisy_input[0]
            })
        });
        let factors = zoomed.zip(plain).map(|(zoomed, plain)| plain / zoomed);
        factors.collect::<Vec<_>>()
    };
    let factors = zoomed(2, None);
    assert!(
        factors.iter().all(|factor| (0.999..2.001).contains(factor)),
        "{factors:?}"
    );
    let enlarged = factors.iter().filter(|factor| **factor > 1.001).count();
    // Half of 100, give or take four deviations.
    assert!((30..=70).contains(&enlarged), "{enlarged} of 100");
    assert_eq!(
        zoomed(0, Some("gaussian:25")),
        [1.0; 100],
        "clean images stay as they are"
    );
}

#[test]
fn share_of_the_examples_is_grey_and_its_noise_too() {
    let config = DataConfig {
        scenes: ScenesConfig {
            train: 40,
            height: 4,
            width: 6,
            oversample: 2,
            ..ScenesConfig::default()
        },
        augment: AugmentConfig {
            grey: 0.5,
            ..AugmentConfig::default()
        },
        ..DataConfig::default()
    };
    let is_grey = |image: &[f32]| image[..24] == image[24..48] && image[..24] == image[48..];
    for noise in [
        None,
        Some("gaussian:25".parse::<NoiseConfig>().unwrap().into()),
    ] {
        let request = Request {
            config: &config,
            noise: noise.clone(),
            seed: 3,
            target: Target::Noisy,
            divisor: 2,
            margin: 0,
            progress: &|_| {},
        };
        let train = request.open().unwrap().train;
        let mut grey = 0;
        for index in 0..train.len() {
            let pair = train.pair(ExampleIndex { epoch: 0, index }).unwrap();
            let target = pair.noisy_target.unwrap();
            assert_eq!(pair.shape, [3, 4, 6]);
            assert_eq!([pair.noisy_input.len(), target.len()], [72, 72]);
            assert_eq!(is_grey(&pair.noisy_input), is_grey(&target));
            assert_ne!(pair.noisy_input, target);
            grey += usize::from(is_grey(&target));
        }
        // Half of 40, give or take four deviations.
        assert!((8..=32).contains(&grey), "{grey} of 40");
    }
}

#[test]
fn bursts_give_all_ordered_pairs_in_time() {
    let bursts = Numbered {
        scenes: 2,
        shots: 3,
        ordered: false,
        ..Numbered::default()
    };
    let examples = examples(bursts, pipeline());
    let mut seen = HashSet::new();
    for epoch in 0..60 {
        let pair = examples.pair(ExampleIndex { epoch, index: 1 }).unwrap();
        let shot = |values: &[f32]| (samples(values)[0] - 1000) / 100;
        seen.insert((shot(&pair.noisy_input), shot(&pair.noisy_target.unwrap())));
    }
    let all = (0..3)
        .flat_map(|a| (0..3).map(move |b| (a, b)))
        .filter(|(a, b)| a != b);
    assert_eq!(seen, all.collect());
}

#[test]
fn half_of_the_inputs_are_mixed_with_other_shots_than_the_target() {
    let mixed = |shots, ordered| {
        let bursts = Numbered {
            scenes: 1,
            shots,
            ordered,
            ..Numbered::default()
        };
        let pipeline = Pipeline {
            augment: AugmentConfig {
                mix: 0.5,
                ..AugmentConfig::default()
            },
            ..pipeline()
        };
        let examples = examples(bursts, pipeline);
        let mixed = |epoch| {
            let pair = examples.pair(ExampleIndex { epoch, index: 0 }).unwrap();
            // Of three shots two are left beside the target.
            let shot = |value: f32| value * 65535.0 / 100.0;
            let (input, target) = (
                shot(pair.noisy_input[0]),
                shot(pair.noisy_target.unwrap()[0]),
            );
            let others = (0..3)
                .map(|shot| shot as f32)
                .filter(|shot| (shot - target).abs() > 0.5);
            let others: Vec<f32> = others.collect();
            let middle = (others[0] + others[1]) / 2.0;
            let distance = others[1] - others[0];
            assert!(
                (input - middle).abs() <= 1.0001 * distance || shots == 2,
                "{input} of {others:?}"
            );
            (input - input.round()).abs() > 1e-3
        };
        (0..100).filter(|epoch| mixed(*epoch)).count()
    };
    // Half of 100, give or take four deviations.
    let count = mixed(3, false);
    assert!((30..=70).contains(&count), "{count} of 100");
    assert_eq!([mixed(3, true), mixed(2, false)], [0, 0]);
}

#[test]
fn ordered_pairs_stay_as_they_are() {
    let examples = examples(Numbered::default(), pipeline());
    for epoch in 0..20 {
        let pair = examples.pair(ExampleIndex { epoch, index: 4 }).unwrap();
        assert_eq!(samples(&pair.noisy_input)[23], 4035);
        assert_eq!(samples(&pair.noisy_target.unwrap())[23], 4135);
        assert_eq!(
            pair.clean_target, None,
            "nothing is read that is not needed"
        );
    }
}

#[test]
fn crops_reach_every_place_and_no_other() {
    let scenes = Numbered {
        scenes: 1,
        size: [5, 7],
        ..Numbered::default()
    };
    let crops = Pipeline {
        crop: CropPolicy::Random(4),
        ..pipeline()
    };
    let examples = examples(scenes, crops);
    let corner = |epoch| {
        let pair = examples.pair(ExampleIndex { epoch, index: 0 }).unwrap();
        let samples = samples(&pair.noisy_input);
        let expected: Vec<usize> = (0..16)
            .map(|at| samples[0] + at / 4 * 10 + at % 4)
            .collect();
        assert_eq!(samples, expected);
        samples[0]
    };
    let corners: HashSet<usize> = (0..200).map(corner).collect();
    assert_eq!(corners, HashSet::from([0, 1, 2, 3, 10, 11, 12, 13]));
}

#[test]
fn small_images_are_reflected_to_the_size_of_a_crop() {
    let scenes = Numbered {
        scenes: 1,
        size: [2, 3],
        ..Numbered::default()
    };
    let crops = Pipeline {
        crop: CropPolicy::Random(4),
        ..pipeline()
    };
    let pair = examples(scenes, crops)
        .pair(ExampleIndex { epoch: 3, index: 0 })
        .unwrap();
    let rows: Vec<_> = samples(&pair.noisy_input)
        .chunks(4)
        .map(<[usize]>::to_vec)
        .collect();
    // One row above and one below; half a column less on the left than on the right.
    assert_eq!(rows[1], [1, 0, 1, 2]);
    assert_eq!(rows[0], rows[2]);
    assert_eq!(rows[1], rows[3]);
}

#[test]
fn damaged_scene_is_replaced_and_counted_once() {
    let scenes = Numbered {
        damaged: vec![1, 2, 4],
        ..Numbered::default()
    };
    let examples = examples(scenes, pipeline());
    for _ in 0..2 {
        for (index, scene) in [0, 3, 3, 3, 0].into_iter().enumerate() {
            let pair = examples.pair(ExampleIndex { epoch: 0, index }).unwrap();
            assert_eq!(samples(&pair.noisy_input)[0], 1000 * scene);
        }
    }
    let skipped = examples.skipped();
    assert_eq!(skipped.len(), 3);
    assert!(skipped[1].contains("damaged scene 2"), "{skipped:?}");
}

#[test]
fn where_all_is_damaged_there_is_an_error() {
    let scenes = Numbered {
        damaged: (0..5).collect(),
        ..Numbered::default()
    };
    let examples = examples(scenes, pipeline());
    for _ in 0..2 {
        let error = examples
            .pair(ExampleIndex { epoch: 0, index: 2 })
            .unwrap_err();
        assert!(error.to_string().contains("damaged scene"), "{error}");
    }
}

#[test]
fn clean_images_are_corrupted_anew_each_epoch() {
    let noise = NoiseConfig::Points { factor: 2 };
    let clean = Numbered {
        shots: 0,
        ..Numbered::default()
    };
    let pipeline = |target| Pipeline {
        noise: Some(noise.build().unwrap().into()),
        target,
        ..pipeline()
    };
    let train = examples(clean.clone(), pipeline(Some(Target::Noisy)));
    assert_eq!(train.shape(0), [1, 2, 3]);
    let draw = |epoch| {
        let pair = train.pair(ExampleIndex { epoch, index: 1 }).unwrap();
        assert_eq!(pair.clean_target, None);
        [
            samples(&pair.noisy_input),
            samples(&pair.noisy_target.unwrap()),
        ]
    };
    assert_eq!(draw(0), draw(0));
    let draws: HashSet<Vec<usize>> = (0..20).flat_map(draw).collect();
    assert!(
        draws.len() > 35,
        "40 images, {} of them different",
        draws.len()
    );

    let crop = CropPolicy::Center {
        divisor: 1,
        largest: 99,
    };
    let validation = examples(
        clean,
        Pipeline {
            crop,
            ..pipeline(None)
        },
    );
    let pair = validation
        .pair(ExampleIndex { epoch: 0, index: 1 })
        .unwrap();
    assert!(validation.has_clean() && pair.noisy_target.is_some());
    let means = samples(&pair.clean_target.unwrap());
    // The first area holds 1900, 1901, 1910 and 1911.
    assert!((1905..=1906).contains(&means[0]), "{means:?}");
}

#[test]
fn only_the_input_is_cut_off() {
    let clean = Numbered {
        shots: 0,
        ..Numbered::default()
    };
    let pair = |clip_input| {
        let noise: NoiseConfig = "gaussian:255".parse().unwrap();
        let pipeline = Pipeline {
            noise: Some(noise.build().unwrap().into()),
            clip_input,
            ..pipeline()
        };
        let examples = examples(clean.clone(), pipeline);
        examples.pair(ExampleIndex { epoch: 2, index: 1 }).unwrap()
    };
    let (free, cut_off) = (pair(false), pair(true));
    assert!(free.noisy_input.iter().any(|value| *value < 0.0));
    let expected: Vec<f32> = free
        .noisy_input
        .iter()
        .map(|value| value.clamp(0.0, 1.0))
        .collect();
    assert_eq!(cut_off.noisy_input, expected);
    assert_eq!(cut_off.noisy_target, free.noisy_target);
}
