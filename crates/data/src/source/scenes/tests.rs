use super::*;

fn set(config: &ScenesConfig, seed: u64, split: Split) -> Scenes {
    Scenes::new(config, seed, split)
}

/// Not square, and neither size nor oversampling the default.
fn odd_config() -> ScenesConfig {
    ScenesConfig {
        train: 5,
        validation: 3,
        height: 20,
        width: 36,
        oversample: 3,
        ..ScenesConfig::default()
    }
}

fn triple(scenes: &Scenes, index: usize) -> [Vec<f32>; 3] {
    [View::Shot(0), View::Shot(1), View::Clean].map(|view| {
        let image = scenes.read(index, view).unwrap();
        let Samples::U8(samples) = &image.samples else {
            panic!("8-bit samples");
        };
        samples
            .iter()
            .map(|&byte| f32::from(byte) / 255.0)
            .collect()
    })
}

fn psnr_db(image: &[f32], clean: &[f32]) -> f64 {
    let squares = image
        .iter()
        .zip(clean)
        .map(|(a, b)| f64::from(a - b).powi(2));
    -10.0 * (squares.sum::<f64>() / image.len() as f64).log10()
}

/// Mean product of two noises.
fn covariance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / a.len() as f64
}

#[test]
fn noise_is_that_of_the_reference_set() {
    let scenes = set(&ScenesConfig::default(), 0, Split::Validation);
    let mut psnrs_db = Vec::new();
    let [mut first, mut second] = [Vec::new(), Vec::new()];
    for index in 0..scenes.len() {
        let [input, target, clean] = triple(&scenes, index);
        psnrs_db.push(psnr_db(&input, &clean));
        let noise = |image: &[f32]| -> Vec<f64> {
            image
                .iter()
                .zip(&clean)
                .map(|(noisy, clean)| f64::from(noisy - clean))
                .collect()
        };
        first.extend(noise(&input));
        second.extend(noise(&target));
    }
    // The photographs have 20.72 dB, so results read alike; half a decibel is the room for other
    // constants.
    let psnr_db = psnrs_db.iter().sum::<f64>() / psnrs_db.len() as f64;
    assert!((20.2..21.2).contains(&psnr_db), "{psnr_db} dB");

    // 256 * 1,024 independent pixels with a deviation near 0.1: the mean is within 0.0002 of 0, and
    // the correlation, whose terms have heavy tails, within 0.007, at one standard deviation.
    let mean = first.iter().sum::<f64>() / first.len() as f64;
    assert!(mean.abs() < 0.001, "mean {mean}");
    let variances = covariance(&first, &first) * covariance(&second, &second);
    let correlation = covariance(&first, &second) / variances.sqrt();
    assert!(correlation.abs() < 0.03, "correlation {correlation}");
}

#[test]
fn example_is_a_function_of_seed_split_and_index() {
    let config = odd_config();
    let scenes = set(&config, 7, Split::Train);
    let example = triple(&scenes, 2);
    assert_eq!(example, triple(&set(&config, 7, Split::Train), 2));
    assert_ne!(example, triple(&scenes, 1));
    assert_ne!(example, triple(&set(&config, 8, Split::Train), 2));
    assert_ne!(example, triple(&set(&config, 7, Split::Validation), 2));
}

#[test]
fn splits_share_no_scene() {
    let config = odd_config();
    let (train, validation) = (
        set(&config, 0, Split::Train),
        set(&config, 0, Split::Validation),
    );
    for i in 0..train.len() {
        for j in 0..validation.len() {
            assert_ne!(
                triple(&train, i)[2],
                triple(&validation, j)[2],
                "{i} and {j}"
            );
        }
    }
}

#[test]
fn two_noisy_images_of_a_scene_differ() {
    let [input, target, clean] = triple(&set(&odd_config(), 0, Split::Train), 0);
    assert!(input != target && input != clean && target != clean);
}

#[test]
fn sizes_and_oversampling_are_free() {
    for (height, width, oversample) in [(20, 36, 3), (1, 1, 1), (7, 130, 5), (64, 48, 2)] {
        let config = ScenesConfig {
            height,
            width,
            oversample,
            ..odd_config()
        };
        let scenes = set(&config, 1, Split::Validation);
        assert_eq!((scenes.len(), scenes.channels()), (3, 3));
        let info = SceneInfo {
            shots: 2,
            clean: true,
            height,
            width,
        };
        assert_eq!(scenes.info(2), info);
        for image in triple(&scenes, 2) {
            assert_eq!(image.len(), 3 * height * width);
        }
    }
}

#[test]
fn one_point_per_pixel_leaves_no_noise() {
    let config = ScenesConfig {
        oversample: 1,
        ..odd_config()
    };
    let [input, target, clean] = triple(&set(&config, 0, Split::Train), 0);
    assert!(input == clean && target == clean);
}

#[test]
fn chroma_and_texture_can_be_left_out() {
    let default = ScenesConfig {
        height: 20,
        width: 36,
        ..ScenesConfig::default()
    };
    let clean = |config: &ScenesConfig| {
        let scenes = set(config, 0, Split::Validation);
        (0..20).flat_map(move |index| triple(&scenes, index)[2].clone())
    };
    let grey = ScenesConfig {
        chroma: 0.0,
        ..default.clone()
    };
    let grey: Vec<f32> = clean(&grey).collect();
    for image in grey.chunks_exact(3 * 20 * 36) {
        assert!(image[..720] == image[720..1440] && image[..720] == image[1440..]);
    }
    let steps = |config: &ScenesConfig| {
        let image: Vec<f32> = clean(config).collect();
        let steps = image.windows(2).map(|pair| (pair[0] - pair[1]).abs());
        steps.sum::<f32>()
    };
    let calm = ScenesConfig {
        texture: [0.01, 0.02],
        ..default.clone()
    };
    let wide = ScenesConfig {
        zoom: [8.0, 8.0],
        ..default.clone()
    };
    assert!(steps(&calm) < 0.8 * steps(&default));
    assert!(steps(&wide) < 0.8 * steps(&default));
}

#[test]
fn grains_are_noise_more_than_other_textures() {
    let noise = |grain| {
        let config = ScenesConfig {
            grain,
            ..odd_config()
        };
        let scenes = set(&config, 0, Split::Train);
        let squares = (0..scenes.len()).flat_map(|index| {
            let [input, _, clean] = triple(&scenes, index);
            let noise = input.into_iter().zip(clean);
            noise.map(|(noisy, clean)| (noisy - clean).powi(2))
        });
        squares.sum::<f32>()
    };
    assert!(
        noise(1.0) > 1.3 * noise(0.0),
        "{} {}",
        noise(1.0),
        noise(0.0)
    );
}

#[test]
fn zero_is_named() {
    let config = ScenesConfig {
        width: 0,
        ..odd_config()
    };
    let error = config.validate().unwrap_err().to_string();
    assert_eq!(
        error,
        "data.scenes.width is 0, but must be between 1 and 2048"
    );
}

#[test]
#[should_panic(expected = "scene 3 of 3")]
fn an_index_beyond_the_end_panics() {
    let _ = triple(&set(&odd_config(), 0, Split::Validation), 3);
}
