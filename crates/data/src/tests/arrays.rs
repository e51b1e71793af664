use std::borrow::Cow;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};

use super::error;
use crate::noise::{ChaCha8Rng, Corrupted, Noise, NoiseModel, normal};
use crate::{
    AugmentConfig, ByScenes, DataConfig, ExampleIndex, NoisyPair, Normalization, NormalizationKind,
    Range, RangeConfig, Request, Swap, Target, View,
};

/// A pair whose values say where they stand, beyond 1 too.
fn pair(number: usize, [height, width]: [usize; 2]) -> NoisyPair {
    let image = |offset: f32| -> Vec<f32> {
        let values = (0..height * width).map(|at| at as f32 / 16.0 + number as f32 + offset);
        values.collect()
    };
    NoisyPair {
        shape: [1, height, width],
        noisy_input: image(-0.5),
        noisy_target: Some(image(0.5)),
        ..NoisyPair::default()
    }
}

fn request(config: &DataConfig) -> Request<'_> {
    Request {
        config,
        noise: None,
        seed: 4,
        target: Target::Noisy,
        divisor: 2,
        margin: 0,
        progress: &|_| {},
    }
}

#[test]
fn pairs_in_memory_are_served_as_they_are() {
    let config = DataConfig {
        range: RangeConfig::Type,
        ..DataConfig::default()
    };
    let pairs: Vec<_> = (0..20).map(|number| pair(number, [4, 6])).collect();
    let opened = request(&config).open_pairs(pairs.clone()).unwrap();
    assert_eq!([opened.train.len(), opened.validation.len()], [18, 2]);
    assert!(!opened.validation.has_clean());
    let mut seen = vec![];
    for examples in [&opened.train, &opened.validation] {
        for index in 0..examples.len() {
            seen.push(examples.pair(ExampleIndex { epoch: 3, index }).unwrap());
        }
    }
    seen.sort_by(|a, b| a.noisy_input[0].total_cmp(&b.noisy_input[0]));
    assert_eq!(seen, pairs);
    let name = opened.scenes[0].name(0, View::Shot(1));
    assert!(
        name.contains("pair ") && name.contains("in memory"),
        "{name}"
    );
}

#[test]
fn samples_without_measure_are_refused() {
    let config = DataConfig {
        range: RangeConfig::Type,
        ..DataConfig::default()
    };
    let fit = |largest: f32| {
        let mut pairs: Vec<_> = (0..20).map(|number| pair(number, [4, 6])).collect();
        pairs
            .iter_mut()
            .for_each(|pair| pair.noisy_input[7] = largest);
        let train = request(&config).open_pairs(pairs).unwrap().train;
        let kinds = [NormalizationKind::PerChannel, NormalizationKind::PerPixel];
        kinds.map(|kind| Normalization::fit(kind, &train).map(|_| ()))
    };
    assert!(fit(65504.0).iter().all(Result::is_ok));
    for refused in fit(1e30) {
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("1e30 times the range"), "{message}");
    }
}

#[test]
fn pairs_in_memory_may_have_clean_images_only() {
    let config = DataConfig::default();
    let pairs = (0..3).map(|number| {
        let mut pair = pair(number, [4, 6]);
        pair.clean_target = pair.noisy_target.take();
        pair
    });
    let request = Request {
        target: Target::Clean,
        ..request(&config)
    };
    let opened = request.open_pairs(pairs).unwrap();
    assert!(opened.validation.has_clean());
    let example = ExampleIndex { epoch: 0, index: 0 };
    let example = opened.train.pair(example).unwrap();
    assert!(example.clean_target.is_some() && example.noisy_target.is_none());
}

#[test]
fn malformed_pairs_name_the_pair_and_the_image() {
    let config = DataConfig::default();
    let open = |damage: fn(&mut NoisyPair)| {
        let mut pairs: Vec<_> = (0..3).map(|number| pair(number, [4, 6])).collect();
        damage(&mut pairs[1]);
        error(request(&config).open_pairs(pairs))
    };
    let message = open(|pair| pair.noisy_input.truncate(23));
    assert!(message.contains("noisy_input of pair 1"), "{message}");
    assert!(
        message.contains("23") && message.contains("[1, 4, 6]"),
        "{message}"
    );
    let message = open(|pair| pair.shape = [2, 4, 4]);
    assert!(message.contains("1 to 64 channels"), "{message}");
    let message = open(|pair| pair.target_mask = Some(vec![1.0; 24]));
    assert!(message.contains("pair 1 has a mask"), "{message}");
    let message = open(|pair| pair.noisy_target = None);
    assert!(message.contains("no noisy targets"), "{message}");
    assert!(error(request(&config).open_pairs([])).contains("no image"));

    let config = DataConfig {
        path: Some("photos".into()),
        ..DataConfig::default()
    };
    let message = error(request(&config).open_pairs([pair(0, [4, 6])]));
    assert!(message.contains("photos"), "{message}");
}

#[test]
fn values_of_any_scale_are_ranged() {
    let config = DataConfig::default();
    let pairs = (0..20).map(|number| pair(number, [4, 6]));
    let opened = request(&config).open_pairs(pairs).unwrap();
    let Some(Range::Shared([low, high])) = opened.range else {
        panic!("slopes from -0.5 to 20.9: {:?}", opened.range);
    };
    assert!(low < 1.5 && high > 18.0, "{low} {high}");
    let example = ExampleIndex { epoch: 0, index: 0 };
    let values = opened.train.pair(example).unwrap().noisy_input;
    assert!(values.iter().all(|value| (-0.2..1.2).contains(value)));
}

#[test]
fn values_that_are_not_finite_are_masked() {
    let config = DataConfig::default();
    let mut pairs = vec![pair(0, [4, 6]); 2];
    for pair in &mut pairs {
        pair.noisy_input[7] = f32::NAN;
    }
    let opened = request(&config).open_pairs(pairs).unwrap();
    let example = ExampleIndex { epoch: 0, index: 0 };
    let mask = opened.train.pair(example).unwrap().mask.unwrap();
    assert_eq!((mask[7], mask.iter().sum::<f32>()), (0.0, 23.0));
}

/// Rows that are brighter or darker as a whole, of every second row and column.
struct Banding;

impl NoiseModel for Banding {
    fn reduction(&self) -> usize {
        2
    }

    fn clean<'a>(&self, image: &'a [f32], shape: [usize; 3]) -> Cow<'a, [f32]> {
        let rows = image.chunks_exact(shape[2]).step_by(2);
        rows.flat_map(|row| row.iter().step_by(2).copied())
            .collect()
    }

    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        let rows = image.chunks_exact(shape[2]).step_by(2);
        let values = rows.flat_map(|row| {
            let offset = normal(rng);
            row.iter().step_by(2).map(move |value| value + offset)
        });
        Corrupted::without_mask(values.collect())
    }
}

#[test]
fn custom_noise_corrupts_clean_images() {
    let config = DataConfig::default();
    let request = Request {
        noise: Some(Noise::Model(Arc::new(Banding))),
        ..request(&config)
    };
    let opened = request.open().unwrap();
    assert_eq!(opened.train.shape(0), [3, 16, 16]);
    assert_eq!(opened.noise.as_ref().and_then(Noise::config), None);
    let example = ExampleIndex { epoch: 0, index: 0 };
    let clean = opened.validation.pair(example).unwrap().clean_target;
    assert_eq!(clean.unwrap().len(), 3 * 16 * 16);
    let pair = opened.train.pair(example).unwrap();
    let target = pair.noisy_target.unwrap();
    let differences = pair.noisy_input.iter().zip(&target).map(|(a, b)| a - b);
    let differences: Vec<f32> = differences.collect();
    for row in differences.chunks(16) {
        assert!(
            row.iter().all(|value| (value - row[0]).abs() < 1e-5),
            "{row:?}"
        );
    }
    assert_ne!(differences[0], differences[16]);
}

#[test]
#[should_panic = "number of values of an image"]
fn custom_noise_of_wrong_shape_panics() {
    struct Short;
    impl NoiseModel for Short {
        fn corrupt(&self, image: &[f32], _: [usize; 3], _: &mut ChaCha8Rng) -> Corrupted {
            Corrupted::without_mask(image[1..].to_vec())
        }
    }
    let config = DataConfig::default();
    let request = Request {
        noise: Some(Noise::Model(Arc::new(Short))),
        ..request(&config)
    };
    let _ = request
        .open()
        .unwrap()
        .train
        .pair(ExampleIndex { epoch: 0, index: 0 });
}

/// Examples of independent noise, the noisy input and target in turn, all `[2, 24, 24]`; epoch by epoch.
fn noise_alone(zoom: f32, swap: Swap) -> Vec<[Vec<f32>; 2]> {
    let config = DataConfig {
        augment: AugmentConfig {
            zoom: ByScenes::Fixed(zoom),
            swap,
            ..AugmentConfig::default()
        },
        ..DataConfig::default()
    };
    let pairs = (0..8).map(|number| {
        let mut rng = ChaCha8Rng::seed_from_u64(number);
        let mut image = || -> Vec<f32> { (0..1152).map(|_| rng.random()).collect() };
        NoisyPair {
            shape: [2, 24, 24],
            noisy_input: image(),
            noisy_target: Some(image()),
            ..NoisyPair::default()
        }
    });
    let opened = request(&config).open_pairs(pairs).unwrap();
    let check = opened.noise_check().unwrap().unwrap();
    // Five standard errors over seven scenes of 1,152 values, whatever is done to examples.
    let neighbour = check.difference_and_neighbour.abs();
    assert!(neighbour < 0.055, "{neighbour}");
    let pair = |epoch| {
        let example = ExampleIndex { epoch, index: 0 };
        let pair = opened.train.pair(example).unwrap();
        [pair.noisy_input, pair.noisy_target.unwrap()]
    };
    (0..20).map(pair).collect()
}

#[test]
fn pixels_of_examples_as_they_are_change_places() {
    let plain = noise_alone(1.0, Swap::None);
    let [input, target] = &plain[0];
    for [swapped, other] in noise_alone(1.0, Swap::Pixels) {
        let moved = swapped.iter().zip(target).filter(|(a, b)| a == b).count();
        // Half of 1,152, give or take four deviations of 576 places of two values.
        assert!((480..=672).contains(&moved), "{moved} of 1152");
        let sums = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<_>>();
        assert_eq!(sums(&swapped, &other), sums(input, target));
    }
}

#[test]
fn pixels_between_those_of_an_image_stay() {
    let whole = noise_alone(4.0, Swap::Images);
    let pixels = noise_alone(4.0, Swap::Pixels);
    let equal = whole.iter().zip(&pixels).filter(|(a, b)| a == b).count();
    // Half of 20 are enlarged, give or take three and a half deviations.
    assert!((2..=18).contains(&equal), "{equal} of 20");
}
