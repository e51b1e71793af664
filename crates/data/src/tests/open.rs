use std::collections::HashSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::error;
use super::files::{npy, png, tiff};
use crate::noise::{Noise, NoiseConfig};
use crate::{
    DataConfig, DataError, ExampleIndex, NormalizationKind, Opened, Request, ScenesConfig, Target,
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

fn config(path: &Path) -> DataConfig {
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
        progress: &|_| {},
    }
}

fn open(config: &DataConfig) -> Result<Opened, DataError> {
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
    // 300 * 200 pixels hold 14 squares of 64.
    assert_eq!(
        shapes(&[[300, 200]; 2], None),
        ([1, 64, 64], 14, [1, 256, 200])
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
        std::sync::Arc::new(crate::Normalization::None),
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
    let opened = open(&config(&path)).unwrap();
    assert!(opened.one_scene);
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
    let config = config(folder.path());
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
fn floats_out_of_range_name_their_file() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.npy", "b.npy"] {
        npy(&folder.path().join(name), &[2, 8, 12]);
    }
    let path = folder.path().join("b.npy");
    let put = |value: f32| {
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 4;
        bytes[last..].copy_from_slice(&value.to_le_bytes());
        fs::write(&path, bytes).unwrap();
    };
    let config = config(folder.path());
    let read = |config: &DataConfig| {
        let opened = open(config).unwrap();
        let sets = [&opened.train, &opened.validation];
        let results = sets.map(|set| set.pair(ExampleIndex { epoch: 0, index: 0 }));
        results
            .into_iter()
            .find_map(Result::err)
            .map(|error| error.to_string())
    };
    assert_eq!(read(&config), None);
    put(f32::NAN);
    let message = read(&config).unwrap();
    assert!(
        message.contains("b.npy") && message.contains("NaN"),
        "{message}"
    );
    put(40.5);
    let message = read(&config).unwrap();
    assert!(
        message.contains("b.npy") && message.contains("from 0 to 40.5"),
        "{message}"
    );
    let ranged = DataConfig {
        range: Some([0.0, 40.5]),
        ..config
    };
    assert_eq!(read(&ranged), None);
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
