//! Single images: two sub-images of each.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use image::GrayImage;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::error;
use super::numbered::{Numbered, examples, pipeline, samples};
use super::open::{config, open};
use crate::noise::{Noise, NoiseConfig};
use crate::pipeline::{CropPolicy, Pipeline, Subsample};
use crate::quality::Reference;
use crate::{
    AugmentConfig, Batching, ByScenes, DataConfig, ExampleIndex, Examples, Normalization,
    NormalizationKind, Pairing, Preparation, Swap, Target, TrainStream,
};

fn sub_images(weight: f32) -> Pipeline {
    Pipeline {
        crop: CropPolicy::Random(2),
        subsample: Some(Subsample { weight }),
        ..pipeline()
    }
}

fn three_shots() -> Numbered {
    Numbered {
        shots: 3,
        size: [7, 9],
        ordered: false,
        ..Numbered::default()
    }
}

/// Scene, shot, row and column of a sample.
fn place(sample: usize) -> [usize; 4] {
    [
        sample / 1000,
        sample / 100 % 10,
        sample / 10 % 10,
        sample % 10,
    ]
}

#[test]
fn pairs_are_neighbours_of_one_shot() {
    let examples = examples(three_shots(), sub_images(1.0));
    // Three squares of four pixels cover 7 x 9 pixels, and each has eight pairs of neighbours.
    assert_eq!((examples.len(), examples.shape(0)), (5 * 3 * 8, [1, 2, 2]));
    let mut shots = std::collections::HashSet::new();
    for epoch in 0..30 {
        let example = ExampleIndex { epoch, index: 40 };
        let pair = examples.pair(example).unwrap();
        assert_eq!(pair, examples.pair(example).unwrap(), "a pure function");
        let whole = pair.whole.unwrap();
        assert_eq!((whole.image.len(), whole.weight), (16, 1.0));
        let images = [&pair.noisy_input, pair.noisy_target.as_ref().unwrap()];
        let [input, target] = images.map(|image| samples(image));
        let all = samples(&whole.image);
        for (a, b) in input.iter().zip(&target) {
            let ([scene, shot, y, x], [_, other, v, u]) = (place(*a), place(*b));
            assert_eq!((scene, shot), (1, other));
            assert_eq!(y.abs_diff(v) + x.abs_diff(u), 1, "{a} beside {b}");
            shots.insert(shot);
            let sign = |sample| whole.signs[all.iter().position(|at| at == sample).unwrap()];
            assert_eq!([sign(a), sign(b)], [1.0, -1.0]);
        }
    }
    assert_eq!(shots.len(), 3, "every shot is seen");
}

#[test]
fn nothing_spreads_noise_over_neighbours() {
    let pipeline = Pipeline {
        augment: AugmentConfig {
            flip: true,
            rot90: true,
            zoom: ByScenes::Fixed(2.0),
            mix: 0.5,
            swap: Swap::Pixels,
            ..AugmentConfig::default()
        },
        ..sub_images(0.0)
    };
    let examples = examples(three_shots(), pipeline);
    for epoch in 0..30 {
        let pair = examples.pair(ExampleIndex { epoch, index: 4 }).unwrap();
        assert_eq!(pair.whole, None);
        // Each number is a sample as it was stored.
        for value in pair.noisy_input {
            let sample = value * 65535.0;
            assert!((sample - sample.round()).abs() < 0.01, "{sample}");
        }
    }
}

fn stream(examples: &Arc<Examples>, workers: usize) -> TrainStream {
    let batching = Batching {
        preparation: Preparation {
            normalization: Arc::new(Normalization::PerImage),
            restores: true,
        },
        target: Target::Noisy,
        batch_size: 3,
        shuffle_seed: Some(5),
        workers,
    };
    TrainStream::new(examples.clone(), batching, Device::flex())
}

#[test]
fn patches_are_normalized_as_their_inputs() {
    let examples = examples(three_shots(), sub_images(2.0));
    let read = |stream: TrainStream| -> Vec<Vec<f32>> {
        let batches = stream.iter().take(4).map(|batch| {
            let batch = batch.unwrap();
            let wholes = batch.wholes.unwrap();
            assert_eq!(wholes.images.dims(), [3, 1, 4, 4]);
            let between = wholes.differences(wholes.images.clone());
            let [input, target, between] = [batch.input, batch.target, between]
                .map(|tensor| tensor.into_data().try_to_vec::<f32>().unwrap());
            for ((input, target), between) in input.iter().zip(&target).zip(&between) {
                // Rounding of numbers around 1.
                assert!((input - target - between).abs() < 1e-5);
            }
            between
        });
        batches.collect()
    };
    let all = read(stream(&examples, 0));
    assert_eq!(read(stream(&examples, 3)), all);
    assert_eq!(read(stream(&examples, 1).after(2))[..2], all[2..]);
}

/// A picture of a slope from 60 to 180 of 255, with or without noise.
fn picture(path: &Path, noise: f64) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let picture = GrayImage::from_fn(64, 48, |x, y| {
        let value = 60.0 + f64::from(x + y) + noise * rng.random_range(-1.7..1.7);
        [value.round() as u8].into()
    });
    picture.save(path).unwrap();
}

#[test]
fn noisy_pictures_without_partners_are_subsampled() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["1.png", "2.png", "3.png"] {
        picture(&folder.path().join(name), 10.0);
    }
    for path in [folder.path().to_owned(), folder.path().join("1.png")] {
        let opened = open(&config(&path)).unwrap();
        assert!(opened.subsamples);
        assert_eq!(opened.kind, "single noisy images");
        assert_eq!(opened.train.shape(0), [1, 24, 32]);
        assert_eq!(opened.validation.reference(), Reference::SubImage);
        assert_eq!(opened.single_noise().unwrap().warning(), None);
        assert_eq!(opened.noise_check().unwrap(), None);
        let level = opened.noise_levels().remove(0);
        // 10 times the deviation of an even distribution, 1.7 / sqrt(3).
        assert!((8.0..12.0).contains(&level.typical()), "{level:?}");
    }
    let config = DataConfig {
        pairing: Pairing::Any,
        ..config(folder.path())
    };
    let opened = open(&config).unwrap();
    assert!(!opened.subsamples && opened.noise.is_some());
}

#[test]
fn pictures_without_visible_noise_are_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let [scans, clean] = ["scans", "clean"].map(|name| folder.path().join(name));
    for path in [&scans, &clean] {
        fs::create_dir(path).unwrap();
        for name in ["1.png", "2.png"] {
            picture(&path.join(name), 0.0);
        }
    }
    let message = error(open(&config(&scans)));
    for part in ["first of 2 images", "data.pairing \"subsample\""] {
        assert!(message.contains(part), "{message}");
    }
    let with = |pairing| DataConfig {
        pairing,
        ..config(&scans)
    };
    assert!(open(&with(Pairing::Subsample)).unwrap().subsamples);
    // A name says it.
    let opened = open(&config(&clean)).unwrap();
    let noise = opened.noise.as_ref().and_then(Noise::config);
    assert!(
        matches!(noise, Some(NoiseConfig::Points { .. })),
        "{noise:?}"
    );
}

#[test]
fn partners_and_clean_images_measure_sub_images() {
    let folder = tempfile::tempdir().unwrap();
    for (name, noise) in [("noisy_a", 10.0), ("noisy_b", 12.0), ("clean", 0.0)] {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        picture(&path.join("1.png"), noise);
        picture(&path.join("2.png"), noise);
    }
    let subsample = || DataConfig {
        pairing: Pairing::Subsample,
        ..config(folder.path())
    };
    let reference = |ignore_clean| {
        let opened = open(&DataConfig {
            ignore_clean,
            ..subsample()
        });
        let opened = opened.unwrap();
        assert!(opened.subsamples);
        // Half of the side in training; whole where it is compared.
        let [train, validation] = [&opened.train, &opened.validation].map(|set| set.shape(0));
        assert_eq!((train, validation), ([1, 24, 32], [1, 48, 64]));
        opened.validation.reference()
    };
    assert_eq!(reference(false), Reference::Clean);
    assert_eq!(reference(true), Reference::SecondNoisy);
}

#[test]
fn what_contradicts_sub_images_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    picture(&folder.path().join("1.png"), 10.0);
    let refused = |config: DataConfig| error(open(&config));
    let subsample = || DataConfig {
        pairing: Pairing::Subsample,
        ..config(folder.path())
    };
    let message = refused(DataConfig {
        normalize: NormalizationKind::PerPixel,
        ..subsample()
    });
    assert!(message.contains("per_channel"), "{message}");
    let message = refused(DataConfig {
        augment: AugmentConfig {
            rotate_deg: 5.0,
            ..AugmentConfig::default()
        },
        ..subsample()
    });
    assert!(message.contains("rotate_deg is 5"), "{message}");
    let message = refused(DataConfig {
        subsample_weight: -1.0,
        ..subsample()
    });
    assert!(message.contains("between 0 and 100"), "{message}");
}
