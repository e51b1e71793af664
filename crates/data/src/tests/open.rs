use std::collections::HashSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::error;
use super::files::{npy, png, tiff};
use crate::noise::{Noise, NoiseConfig};
use crate::{
    DataConfig, DataError, ExampleIndex, Layout, NormalizationKind, Opened, Range, RangeConfig,
    Request, ScenesConfig, Target, ValidatesOn,
};

/// A folder of pairs, `[height, width]` each.
fn pairs(sizes: &[[u32; 2]]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for shot in ["a", "b"] {
        let shot = folder.path().join(shot);
        fs::create_dir(&shot).unwrap();
        for (index, size) in sizes.iter().enumerate() {
            png(&shot.join(format!("{index:03}.png")), *size);
        }
    }
    folder
}

pub fn config(path: &Path) -> DataConfig {
    DataConfig {
        path: Some(path.to_owned()),
        ..DataConfig::default()
    }
}

fn request(config: &DataConfig) -> Request<'_> {
    Request {
        config,
        noise: None,
        seed: 4,
        target: Target::Noisy,
        divisor: 4,
        margin: 3,
        progress: &|_| {},
    }
}

pub fn open(config: &DataConfig) -> Result<Opened, DataError> {
    request(config).open()
}

#[test]
fn tenth_of_the_scenes_is_held_out_by_the_seed() {
    let folder = pairs(&[[8, 12]; 30]);
    let config = config(folder.path());
    let names = |seed: u64, set: usize| -> HashSet<String> {
        let request = Request {
            seed,
            ..request(&config)
        };
        let source = request.open().unwrap().scenes[set].clone();
        (0..source.len())
            .map(|scene| source.name(scene, crate::View::Shot(0)))
            .collect()
    };
    let [train, validation] = [names(4, 0), names(4, 1)];
    assert_eq!((train.len(), validation.len()), (27, 3));
    assert!(train.is_disjoint(&validation));
    assert_eq!(names(4, 1), validation);
    assert_ne!(names(5, 1), validation);
}

#[test]
fn only_large_or_unequal_images_are_cropped() {
    let shapes = |sizes: &[[u32; 2]], patch_size| {
        let folder = pairs(sizes);
        let config = DataConfig {
            patch_size,
            ..config(folder.path())
        };
        let opened = open(&config).unwrap();
        (
            opened.train.shape(0),
            opened.train.len(),
            opened.validation.shape(0),
        )
    };
    assert_eq!(shapes(&[[8, 12]; 2], None), ([1, 8, 12], 1, [1, 8, 12]));
    assert_eq!(shapes(&[[9, 12]; 2], None), ([1, 8, 8], 1, [1, 8, 12]));
    assert_eq!(shapes(&[[8, 12]; 2], Some(4)), ([1, 4, 4], 6, [1, 8, 12]));
    // What is left of 300 * 200 pixels holds 13 squares of 64.
    assert_eq!(
        shapes(&[[300, 200]; 2], None),
        ([1, 64, 64], 26, [1, 92, 60])
    );
    assert_eq!(shapes(&[[2, 3]; 2], None), ([1, 4, 4], 1, [1, 4, 4]));
}

#[test]
fn unequal_sizes_validate_in_batches_of_one() {
    let folder = pairs(&[[8, 12], [8, 12], [20, 16]]);
    let validation = Some(folder.path().to_owned());
    let config = DataConfig {
        validation,
        ..config(folder.path())
    };
    let opened = open(&config).unwrap();
    let set = crate::ValidationSet::new(
        opened.validation,
        0..3,
        crate::Preparation {
            normalization: std::sync::Arc::new(crate::Normalization::None),
            restores: false,
        },
        16,
        burn::tensor::Device::flex(),
    );
    use burn::data::dataloader::DataLoader;
    let shapes: Vec<_> = set
        .iter()
        .map(|batch| batch.unwrap().input.dims())
        .collect();
    assert_eq!(shapes, [[2, 1, 8, 12], [1, 1, 20, 16]]);
}

#[test]
fn per_pixel_statistics_need_one_size() {
    let folder = pairs(&[[8, 12], [8, 12], [20, 16]]);
    let with = |normalize| DataConfig {
        normalize,
        ..config(folder.path())
    };
    let message = error(open(&with(NormalizationKind::PerPixel)));
    assert!(message.contains("per_channel"), "{message}");
    let kind = NormalizationKind::PerChannel;
    let opened = open(&with(kind)).unwrap();
    let crate::Normalization::PerChannel { mean, std } = opened.normalization(kind).unwrap() else {
        panic!("per channel");
    };
    // Columns 0 to 15 at most, of 255.
    assert!((0.01..0.04).contains(&mean[0]) && std[0] > 0.0);
}

#[test]
fn one_scene_is_trained_and_validated_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stack.tif");
    tiff(&path, 5, [8, 12]);
    let config = DataConfig {
        range: RangeConfig::Type,
        ..config(&path)
    };
    let opened = open(&config).unwrap();
    assert_eq!(opened.validates_on, ValidatesOn::TrainingScene);
    let pair = opened
        .validation
        .pair(ExampleIndex { epoch: 0, index: 0 })
        .unwrap();
    assert_eq!(pair.noisy_target.unwrap()[0], 1.0 / 65535.0);
    assert!(!opened.validation.has_clean());
}

#[test]
fn clean_images_can_be_left_aside() {
    let config = DataConfig {
        ignore_clean: true,
        scenes: ScenesConfig {
            train: 3,
            validation: 2,
            height: 8,
            width: 12,
            oversample: 2,
            ..ScenesConfig::default()
        },
        ..DataConfig::default()
    };
    let opened = open(&config).unwrap();
    assert!(!opened.validation.has_clean());
    let pair = opened
        .validation
        .pair(ExampleIndex { epoch: 0, index: 1 })
        .unwrap();
    assert!(pair.clean_target.is_none() && pair.noisy_target.is_some());
    let request = Request {
        target: Target::Clean,
        ..request(&config)
    };
    assert!(error(request.open()).contains("no clean targets"));
}

#[test]
fn clean_images_are_reduced_to_network_multiples() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["1.png", "2.png"] {
        png(&folder.path().join(name), [13, 20]);
    }
    let config = DataConfig {
        layout: Some(Layout::Clean),
        ..config(folder.path())
    };
    let opened = open(&config).unwrap();
    let noise = opened.noise.as_ref().and_then(Noise::config);
    assert_eq!(noise, Some(NoiseConfig::Points { factor: 2 }));
    assert_eq!(opened.train.shape(0), [1, 4, 4]);
    let noise: NoiseConfig = "gaussian:25".parse().unwrap();
    let request = Request {
        noise: Some(noise.into()),
        ..request(&config)
    };
    assert_eq!(request.open().unwrap().train.shape(0), [1, 12, 12]);

    png(&folder.path().join("3.png"), [7, 20]);
    let message = error(open(&config));
    assert!(message.contains("expected noise"), "{message}");
}

#[test]
fn noise_without_clean_images_is_refused() {
    let folder = pairs(&[[8, 12]; 2]);
    let config = config(folder.path());
    let noise: NoiseConfig = "gaussian:25".parse().unwrap();
    let request = Request {
        noise: Some(noise.into()),
        ..request(&config)
    };
    let message = error(request.open());
    assert!(
        message.contains("noise is put on clean images"),
        "{message}"
    );
}

#[test]
fn grey_and_colour_are_what_the_configuration_says() {
    let folder = pairs(&[[8, 12]; 2]);
    let config = DataConfig {
        channels: Some(3),
        ..config(folder.path())
    };
    assert_eq!(open(&config).unwrap().train.shape(0), [3, 8, 12]);
}

#[test]
fn holes_are_masked_and_filled() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.npy", "b.npy"] {
        npy(&folder.path().join(name), &[2, 8, 12]);
    }
    // The last value of the last image.
    let path = folder.path().join("b.npy");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 4;
    let before = bytes[last - 4..last].to_vec();
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, bytes).unwrap();

    let config = config(folder.path());
    let opened = open(&config).unwrap();
    let pairs: Vec<_> = [&opened.train, &opened.validation]
        .map(|set| set.pair(ExampleIndex { epoch: 0, index: 0 }).unwrap())
        .into();
    let masks: Vec<_> = pairs.iter().filter_map(|pair| pair.mask.as_ref()).collect();
    let [mask] = masks[..] else {
        panic!("one scene has a hole");
    };
    assert_eq!(mask.iter().sum::<f32>(), 95.0);
    assert_eq!(mask[95], 0.0);
    let damaged = pairs.iter().find(|pair| pair.mask.is_some()).unwrap();
    let target = damaged.noisy_target.as_ref().unwrap();
    let before = f32::from_le_bytes(before.try_into().unwrap());
    assert_eq!(target[95], before, "the neighbour stands in");
}

#[test]
fn counts_are_ranged_by_the_training_images() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stack.tif");
    tiff(&path, 5, [8, 12]);
    let opened = open(&config(&path)).unwrap();
    let Some(Range::Shared([low, high])) = opened.range else {
        panic!("16-bit counts: {:?}", opened.range);
    };
    assert!(low >= 0.0 && high < 65535.0, "{low} {high}");
    let typed = DataConfig {
        range: RangeConfig::Type,
        ..config(&path)
    };
    assert_eq!(open(&typed).unwrap().range, None);
    let two = DataConfig {
        range: RangeConfig::Given(Range::PerChannel(vec![[0.0, 1.0]; 2])),
        ..config(&path)
    };
    let message = error(open(&two));
    assert!(message.contains("ranges of 2 channels"), "{message}");
}

#[test]
fn few_large_scenes_hold_out_regions() {
    let folder = pairs(&[[300, 200]; 3]);
    let config = config(folder.path());
    let opened = open(&config).unwrap();
    assert_eq!(opened.validates_on, ValidatesOn::Regions);
    assert_eq!([opened.train.len(), opened.validation.len()], [3 * 13, 3]);
    // A tenth of the area; sides are multiples of 4.
    assert_eq!(opened.validation.shape(0), [1, 92, 60]);

    let many = pairs(&[[300, 200]; 20]);
    let opened = open(&DataConfig {
        path: Some(many.path().to_owned()),
        ..config.clone()
    });
    assert_eq!(opened.unwrap().validates_on, ValidatesOn::Scenes);
    let with_set = DataConfig {
        validation: Some(folder.path().to_owned()),
        ..config
    };
    assert_eq!(open(&with_set).unwrap().validates_on, ValidatesOn::Set);
}

#[test]
fn channels_that_do_not_go_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.npy", "b.npy"] {
        npy(&folder.path().join(name), &[4, 5, 8, 12]);
    }
    let opened = open(&config(folder.path())).unwrap();
    assert_eq!(opened.train.shape(0), [5, 8, 12]);
    let three = DataConfig {
        channels: Some(3),
        ..config(folder.path())
    };
    let message = error(open(&three));
    assert!(message.contains("has 5 channels, but 3"), "{message}");
}

#[test]
fn sizes_that_do_not_fit_the_network_name_the_way_out() {
    let folder = pairs(&[[8, 12]; 2]);
    let config = DataConfig {
        patch_size: Some(10),
        ..config(folder.path())
    };
    let message = error(open(&config));
    assert!(message.contains("set 8 or 12"), "{message}");
    let config = DataConfig {
        patch_size: None,
        ..config
    };
    let request = Request {
        divisor: 64,
        ..request(&config)
    };
    let message = error(request.open());
    assert!(message.contains("lower model.depth"), "{message}");
}
