//! Batches of sets on a graphics device against those that are made on the host.

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use n2n_files::{Raster, SampleKind, Samples};
use rand::{RngExt, SeedableRng};

use super::numbered::pipeline;
use crate::image_cache::ImageCache;
use crate::noise::ChaCha8Rng;
use crate::on_device::OnDevice;
use crate::pipeline::{CropPolicy, Pipeline};
use crate::{
    AugmentConfig, Batching, ByScenes, DataError, Examples, Normalization, Preparation, Range,
    SceneInfo, SceneSource, Swap, Target, TrainStream, View,
};

/// Scenes of random colour pictures of 8 bits, large enough that their noise is seen to be independent.
struct Random {
    shots: usize,
    ordered: bool,
    /// Of the last scene.
    last_height: usize,
    kind: SampleKind,
}

const PAIRS: Random = Random {
    shots: 2,
    ordered: true,
    last_height: 41,
    kind: SampleKind::U8,
};

impl SceneSource for Random {
    fn len(&self) -> usize {
        5
    }

    fn channels(&self) -> usize {
        3
    }

    fn kind(&self) -> SampleKind {
        self.kind
    }

    fn info(&self, scene: usize) -> SceneInfo {
        SceneInfo {
            shots: self.shots,
            clean: true,
            height: if scene == 4 {
                self.last_height
            } else {
                40 + scene
            },
            width: 53 - scene,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        format!("scene {scene}, {view:?}")
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        let SceneInfo { height, width, .. } = self.info(scene);
        let view = match view {
            View::Shot(shot) => shot as u64,
            View::Clean => 99,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1000 * scene as u64 + view);
        let bytes: Vec<u8> = (0..3 * height * width).map(|_| rng.random()).collect();
        Ok(Arc::new(Raster {
            channels: 3,
            height,
            width,
            samples: match self.kind {
                SampleKind::U8 => Samples::U8(bytes),
                _ => Samples::U16(bytes.into_iter().map(u16::from).collect()),
            },
            alpha: None,
        }))
    }

    fn ordered(&self) -> bool {
        self.ordered
    }
}

fn augment() -> AugmentConfig {
    AugmentConfig {
        flip: true,
        rot90: true,
        swap: Swap::Pixels,
        ..AugmentConfig::default()
    }
}

fn random_crops(target: Target) -> Pipeline {
    Pipeline {
        crop: CropPolicy::Random(24),
        channels: 3,
        augment: augment(),
        target: Some(target),
        ..pipeline()
    }
}

fn examples(source: Random, pipeline: Pipeline) -> Arc<Examples> {
    let images = ImageCache::new(Arc::new(source), 1 << 20);
    Arc::new(Examples::new(images, pipeline, false))
}

fn batching(target: Target, restores: bool, normalization: Normalization) -> Batching {
    Batching {
        preparation: Preparation {
            normalization: normalization.into(),
            restores,
        },
        target,
        batch_size: 4,
        shuffle_seed: Some(7),
        workers: 2,
    }
}

fn per_channel() -> Normalization {
    Normalization::PerChannel {
        mean: vec![0.1, 0.45, 0.6],
        std: vec![0.3, 0.2, 0.07],
    }
}

/// The numbers of some batches on a device, and the bytes that were sent there for them.
fn batches(examples: &Arc<Examples>, batching: &Batching, device: &Device) -> (Vec<f32>, u64) {
    let device = device.clone().autodiff();
    let stream = TrainStream::new(examples.clone(), batching.clone(), device);
    let mut numbers = vec![];
    for batch in stream.iter().take(6) {
        let batch = batch.unwrap();
        assert!(batch.mask.is_none());
        for images in [batch.input, batch.target] {
            assert!(images.is_autodiff());
            numbers.extend(images.into_data().iter::<f32>());
        }
    }
    (numbers, stream.sent_bytes())
}

/// Compares batches on a graphics device with those on the CPU.
fn check(source: Random, pipeline: Pipeline, batching: &Batching) {
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let examples = examples(source, pipeline);
    let (on_device, sent) = batches(&examples, batching, &device);
    let (on_host, _) = batches(&examples, batching, &Device::flex());
    assert_eq!(sent, 0);
    assert_eq!(on_device.len(), on_host.len());
    assert!(on_device == on_host);
}

#[test]
fn pairs_of_shots_are_those_of_the_host() {
    let batching = batching(Target::Noisy, true, per_channel());
    check(PAIRS, random_crops(Target::Noisy), &batching);
}

#[test]
fn clean_targets_are_those_of_the_host() {
    // The network's output is no image that is brought back, so that targets stay as they are.
    let batching = batching(Target::Clean, false, per_channel());
    let pipeline = Pipeline {
        range: Some(Range::PerChannel(vec![
            [10.0, 250.0],
            [-5.0, 90.0],
            [0.0, 255.0],
        ])),
        clip_input: true,
        ..random_crops(Target::Clean)
    };
    check(PAIRS, pipeline, &batching);
}

#[test]
fn any_two_shots_of_bursts_are_those_of_the_host() {
    let bursts = Random {
        shots: 4,
        ordered: false,
        ..PAIRS
    };
    let pipeline = random_crops(Target::Noisy);
    check(
        bursts,
        pipeline,
        &batching(Target::Noisy, false, Normalization::None),
    );
}

#[test]
fn sets_whose_pixels_change_stay_on_the_host() {
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let plain = || random_crops(Target::Noisy);
    let augmented = |augment| Pipeline { augment, ..plain() };
    let normalized = |normalization| batching(Target::Noisy, true, normalization);
    let bursts = || Random {
        shots: 3,
        ordered: false,
        ..PAIRS
    };
    let cases = [
        (true, PAIRS, plain(), per_channel()),
        (false, PAIRS, plain(), Normalization::PerImage),
        (
            false,
            PAIRS,
            augmented(AugmentConfig {
                zoom: ByScenes::Fixed(1.5),
                ..augment()
            }),
            per_channel(),
        ),
        (
            false,
            PAIRS,
            augmented(AugmentConfig {
                jitter: ByScenes::Fixed(0.2),
                ..augment()
            }),
            per_channel(),
        ),
        (
            false,
            bursts(),
            augmented(AugmentConfig {
                mix: 0.5,
                ..augment()
            }),
            per_channel(),
        ),
        (
            false,
            Random {
                last_height: 23, // Reflected.
                ..PAIRS
            },
            plain(),
            per_channel(),
        ),
        (
            false,
            Random {
                kind: SampleKind::U16,
                ..PAIRS
            },
            plain(),
            per_channel(),
        ),
    ];
    for (number, (lies_there, source, pipeline, normalization)) in cases.into_iter().enumerate() {
        let examples = examples(source, pipeline);
        let batching = normalized(normalization);
        let on_device = |device| OnDevice::new(&examples, &batching, device).is_some();
        assert_eq!(on_device(&device), lies_there, "case {number}");
        assert!(!on_device(&Device::flex()));
    }
}
