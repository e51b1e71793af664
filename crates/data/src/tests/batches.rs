use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use std::sync::Arc;

use super::numbered::{Numbered, examples, pipeline, samples};
use crate::noise::NoiseConfig;
use crate::pipeline::{CropPolicy, Pipeline};
use crate::{
    AugmentConfig, Batch, Batching, ByScenes, Examples, Normalization, NormalizationKind,
    Preparation, Swap, Target, TrainStream, ValidationSet,
};

/// Images as they are.
fn plain() -> Preparation {
    Preparation {
        normalization: Arc::new(Normalization::None),
        restores: false,
    }
}

fn stream(examples: &Arc<Examples>, workers: usize, shuffle_seed: Option<u64>) -> TrainStream {
    let batching = Batching {
        preparation: plain(),
        target: Target::Noisy,
        batch_size: 2,
        shuffle_seed,
        workers,
    };
    TrainStream::new(examples.clone(), batching, Device::flex())
}

fn values(batch: Batch) -> [Vec<f32>; 2] {
    [batch.input, batch.target].map(|tensor| tensor.into_data().iter().collect())
}

fn first(stream: &TrainStream, batches: usize) -> Vec<[Vec<f32>; 2]> {
    let batches = stream.iter().take(batches);
    batches.map(|batch| values(batch.unwrap())).collect()
}

#[test]
fn unshuffled_batches_follow_the_file() {
    let stream = stream(&examples(Numbered::default(), pipeline()), 0, None);
    let mut batches = stream.iter();
    for scenes in [&[0, 1][..], &[2, 3], &[4], &[0, 1]] {
        let batch = batches.next().unwrap().unwrap();
        assert_eq!(batch.input.dims(), [scenes.len(), 1, 4, 6]);
        let [input, target] = values(batch).map(|values| samples(&values));
        let firsts = |samples: Vec<usize>| samples.into_iter().step_by(24).collect::<Vec<_>>();
        let expected = |view: usize| scenes.iter().map(move |scene| 1000 * scene + 100 * view);
        assert_eq!(firsts(input), expected(0).collect::<Vec<_>>());
        assert_eq!(firsts(target), expected(1).collect::<Vec<_>>());
    }
    assert_eq!(batches.progress().items_processed, 7);
}

#[test]
fn the_last_batch_ends_with_the_run() {
    let stream = stream(&examples(Numbered::default(), pipeline()), 2, Some(8));
    let sizes = |stream: &TrainStream| -> Vec<usize> {
        let batches = stream.iter().take(6);
        batches
            .map(|batch| batch.unwrap().input.dims()[0])
            .collect()
    };
    // Epochs of five images.
    assert_eq!(sizes(&stream), [2, 2, 1, 2, 2, 1]);
    let run = stream.clone().ending_after(6);
    assert_eq!(sizes(&run)[..4], [2, 2, 1, 1]);
    assert_eq!(run.examples_of(3), stream.examples_of(3)[..1]);
    assert_eq!(sizes(&run.after(3))[..1], [1]);
    // A run that ends with a batch.
    assert_eq!(sizes(&stream.ending_after(7))[..4], [2, 2, 1, 2]);
}

#[test]
fn batches_do_not_depend_on_workers_or_start() {
    let random = Pipeline {
        crop: CropPolicy::Random(4),
        augment: AugmentConfig {
            flip: true,
            rot90: true,
            rotate_deg: 10.0,
            zoom: ByScenes::Fixed(1.5),
            mix: 0.5,
            jitter: ByScenes::Fixed(0.2),
            swap: Swap::Images,
            grey: 0.0,
        },
        ..pipeline()
    };
    let scenes = Numbered {
        size: [7, 9],
        ..Numbered::default()
    };
    let examples = examples(scenes, random);
    assert_eq!(examples.len(), 15, "three squares cover a scene");
    let all = first(&stream(&examples, 0, Some(8)), 20);
    for workers in [0, 1, 4] {
        let stream = stream(&examples, workers, Some(8));
        assert_eq!(first(&stream, 20), all, "{workers} workers");
        for position in 0..18 {
            let rest = stream.clone().after(position as u64);
            assert_eq!(first(&rest, 2), all[position..position + 2]);
        }
    }
    assert_ne!(first(&stream(&examples, 0, Some(9)), 20), all);
}

#[test]
fn batches_are_the_same_on_every_backend() {
    let noise = "gaussian:5..50".parse::<NoiseConfig>().unwrap();
    let batches = |device: &Device| {
        let clean = Numbered {
            shots: 0,
            ..Numbered::default()
        };
        let noisy = Pipeline {
            noise: Some(noise.build().unwrap().into()),
            ..pipeline()
        };
        let stream = stream(&examples(clean, noisy), 1, Some(2)).to_device(device);
        let batches = stream.iter().take(6).map(|batch| values(batch.unwrap()));
        batches.collect::<Vec<_>>()
    };
    #[allow(deprecated)] // By Burn, for a later release; the backend is one of ours.
    let ndarray = Device::ndarray();
    assert_eq!(batches(&Device::flex()), batches(&ndarray));
}

#[test]
fn epoch_is_never_like_the_one_before() {
    let scenes = Numbered {
        size: [9, 9],
        ..Numbered::default()
    };
    let crops = Pipeline {
        crop: CropPolicy::Random(8),
        ..pipeline()
    };
    // Batches of one epoch are 3; in file order, only the places of the crops differ.
    let batches = first(&stream(&examples(scenes, crops), 0, None), 6);
    assert_ne!(batches[..3], batches[3..]);
}

#[test]
fn slice_is_a_run_of_the_examples() {
    let stream = stream(&examples(Numbered::default(), pipeline()), 1, None);
    let slice = stream.slice(1, 4).slice(1, 3);
    assert_eq!(slice.num_items(), 2);
    let batch = slice.iter().next().unwrap().unwrap();
    let [input, _] = values(batch).map(|values| samples(&values));
    assert_eq!([input[0], input[24]], [2000, 3000]);
}

fn validation(source: Numbered, batch_size: usize) -> ValidationSet {
    prepared_validation(source, batch_size, plain())
}

fn prepared_validation(
    source: Numbered,
    batch_size: usize,
    preparation: Preparation,
) -> ValidationSet {
    let pipeline = Pipeline {
        crop: CropPolicy::Center {
            divisor: 2,
            largest: 8,
        },
        target: None,
        ..pipeline()
    };
    let examples = examples(source, pipeline);
    let range = 0..examples.len();
    ValidationSet::new(examples, range, preparation, batch_size, Device::flex())
}

#[test]
fn validation_prefers_clean_images() {
    let set = validation(Numbered::default(), 3);
    let sizes: Vec<_> = set
        .iter()
        .map(|batch| batch.unwrap().input.dims()[0])
        .collect();
    assert_eq!(sizes, [3, 2]);
    let batch = set.iter().next().unwrap().unwrap();
    assert!(batch.reverse.is_none());
    let [input, target] = values(batch).map(|values| samples(&values));
    assert_eq!([input[0], target[0]], [0, 900]);
}

#[test]
fn validation_on_pairs_uses_both_directions() {
    let pairs = Numbered {
        clean: false,
        ..Numbered::default()
    };
    let batch = validation(pairs, 3).iter().next().unwrap().unwrap();
    let reverse = batch.reverse.clone().unwrap();
    let [input, target] = values(batch);
    let [other_input, other_target] = [reverse.input, reverse.target]
        .map(|tensor| tensor.into_data().iter().collect::<Vec<f32>>());
    assert_eq!((input, target), (other_target, other_input));
}

#[test]
fn outputs_are_brought_back_by_the_statistics_of_their_input() {
    let pairs = Numbered {
        clean: false,
        ..Numbered::default()
    };
    for kind in [Normalization::PerImage, {
        let examples = examples(pairs.clone(), pipeline());
        Normalization::fit(NormalizationKind::PerChannel, &examples).unwrap()
    }] {
        let preparation = Preparation {
            normalization: Arc::new(kind),
            restores: true,
        };
        let set = prepared_validation(pairs.clone(), 3, preparation);
        let batch = set.iter().next().unwrap().unwrap();
        let reverse = batch.reverse.unwrap();
        // A network that changes nothing: each image comes back from its normalized form.
        for (restoration, input, expected) in [
            (batch.restoration, batch.input, reverse.target),
            (reverse.restoration, reverse.input, batch.target),
        ] {
            let restored = restoration.unwrap().restore(input);
            let difference = (restored - expected).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-6, "{difference}");
        }
    }
}

#[test]
fn training_targets_are_in_the_units_of_the_input() {
    let examples = examples(Numbered::default(), pipeline());
    let batching = |restores| Batching {
        preparation: Preparation {
            normalization: Arc::new(Normalization::PerImage),
            restores,
        },
        target: Target::Noisy,
        batch_size: 2,
        shuffle_seed: None,
        workers: 0,
    };
    let batch = |restores| {
        let stream = TrainStream::new(examples.clone(), batching(restores), Device::flex());
        values(stream.iter().next().unwrap().unwrap())
    };
    let [[input, raw], [same_input, target]] = [batch(false), batch(true)];
    // Statistics of an image are rounded to f32 where they are kept.
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
    assert!(input.iter().zip(&same_input).all(close));
    assert_eq!(samples(&raw)[0], 100);
    // The second shot is the first and 100 samples more, in units of the least deviation.
    let step = 100.0 / 65535.0 * 255.0;
    let mut pairs = input.iter().zip(&target);
    assert!(pairs.all(|(input, target)| (target - input - step).abs() < 1e-4));
}
