use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::files::png;
use crate::noise::{Noise, NoiseConfig};
use crate::{DataConfig, DataError, EvaluationRequest, EvaluationSet, Target};

/// A folder with pictures of these sizes, `[height, width]`, in folders of these names.
fn folder(names: &[&str], sizes: &[[u32; 2]]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let within = folder.path().join(name);
        fs::create_dir_all(&within).unwrap();
        for (index, size) in sizes.iter().enumerate() {
            png(&within.join(format!("{index}.png")), *size);
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

fn request(config: &DataConfig, noise: Option<NoiseConfig>) -> EvaluationRequest<'_> {
    EvaluationRequest {
        config,
        noise: noise.map(Noise::from),
        seed: 4,
        second: None,
        limit: None,
        progress: &|_| {},
    }
}

fn open(config: &DataConfig) -> Result<EvaluationSet, DataError> {
    request(config, None).open()
}

fn error(opened: Result<EvaluationSet, DataError>) -> String {
    match opened {
        Ok(opened) => panic!("opened {}", opened.kind),
        Err(error) => error.to_string(),
    }
}

#[test]
fn images_are_whole_whatever_their_size() {
    let folder = folder(&["a", "b", "clean"], &[[5, 7], [301, 13], [9, 270]]);
    let mut config = config(folder.path());
    let set = open(&config).unwrap();
    assert!(set.has_clean() && set.may_skip());
    let shapes: Vec<_> = (0..set.len()).map(|scene| set.shape(scene)).collect();
    assert_eq!(shapes, [[1, 5, 7], [1, 301, 13], [1, 9, 270]]);
    for (scene, shape) in shapes.into_iter().enumerate() {
        let pair = set.pair(scene).unwrap();
        assert_eq!(pair.shape, shape);
        // Brighter to the right, from the first column on.
        let value = |x: usize| (x % 256) as f32 / 255.0;
        let expected: Vec<f32> = (0..shape[1] * shape[2])
            .map(|at| value(at % shape[2]))
            .collect();
        assert_eq!(pair.noisy_input, expected);
        assert_eq!(pair.noisy_target.unwrap(), expected);
        assert_eq!(pair.clean_target.unwrap(), expected);
        assert!(set.name(scene).ends_with(&format!("{scene}.png")));
    }
    let first = EvaluationRequest {
        limit: Some(2),
        ..request(&config, None)
    };
    assert_eq!(first.open().unwrap().len(), 2);
    config.ignore_clean = true;
    assert!(!open(&config).unwrap().has_clean());
}

#[test]
fn set_to_validate_on_is_what_is_evaluated_on() {
    let names = ["train/a", "train/b", "val/noisy", "val/clean"];
    let folder = folder(&names, &[[6, 4]; 3]);
    fs::remove_file(folder.path().join("val/noisy/2.png")).unwrap();
    let mut config = config(folder.path());
    let set = open(&config).unwrap();
    assert_eq!(set.len(), 2);
    assert!(set.has_clean() && set.name(0).contains("val"));
    // The clean image without a noisy one.
    assert!(set.skipped[0].contains("2.png"), "{:?}", set.skipped);
    config.strict = true;
    assert!(error(open(&config)).contains("2.png"));
}

#[test]
fn noise_is_new_and_the_same_each_time() {
    let folder = folder(&["."], &[[8, 5], [4, 9]]);
    let config = config(folder.path());
    let message = error(open(&config));
    assert!(message.contains("expected noise"), "{message}");

    let noise: NoiseConfig = "gaussian:25".parse().unwrap();
    let noisy = |seed| {
        let request = EvaluationRequest {
            seed,
            ..request(&config, Some(noise))
        };
        let set = request.open().unwrap();
        assert!(set.has_clean());
        set.pair(1).unwrap()
    };
    let pair = noisy(4);
    assert_eq!(pair.shape, [1, 4, 9]);
    assert_ne!(pair.noisy_input, pair.clean_target.clone().unwrap());
    assert_eq!(noisy(4), pair);
    assert_ne!(noisy(5).noisy_input, pair.noisy_input);
    assert_eq!(noisy(5).clean_target, pair.clean_target);

    let points: NoiseConfig = "points:2".parse().unwrap();
    let reduced = request(&config, Some(points)).open().unwrap();
    assert_eq!(reduced.shape(0), [1, 4, 2]);
}

#[test]
fn second_tensor_is_clean_unless_named_otherwise() {
    let file = |name: &str| -> PathBuf {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../files/tests/data/torch");
        Path::new(folder).join(name)
    };
    let has_clean = |path: &Path, second| {
        let config = config(path);
        let request = EvaluationRequest {
            second,
            ..request(&config, None)
        };
        request.open().unwrap().has_clean()
    };
    assert!(has_clean(&file("pairs_zip.pkl"), None));
    assert!(!has_clean(&file("pairs_zip.pkl"), Some(Target::Noisy)));
    assert!(has_clean(&file("triples_zip.pkl"), None));

    let folder = tempfile::tempdir().unwrap();
    let train = folder.path().join("train_data.pkl");
    fs::copy(file("pairs_zip.pkl"), &train).unwrap();
    assert!(!has_clean(&train, None));
    assert!(!has_clean(folder.path(), None));
    fs::copy(file("pairs_zip.pkl"), folder.path().join("val_data.pkl")).unwrap();
    assert!(has_clean(folder.path(), None), "the set to validate on");
}

#[test]
fn damaged_evaluation_image_is_an_error() {
    let folder = folder(&["noisy", "clean"], &[[16, 11]; 3]);
    let damaged = folder.path().join("noisy/1.png");
    let bytes = fs::read(&damaged).unwrap();
    // The header is whole, so that the set opens.
    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let set = open(&config(folder.path())).unwrap();
    assert_eq!(set.len(), 3);
    assert!(set.pair(0).is_ok() && set.pair(2).is_ok());
    let message = set.pair(1).unwrap_err().to_string();
    assert!(message.contains("1.png"), "{message}");
}

#[test]
fn what_there_is_nothing_to_compare_with_is_refused() {
    let folder = folder(&["a", "b"], &[[6, 4]; 2]);
    let noise: NoiseConfig = "gaussian:25".parse().unwrap();
    let message = error(request(&config(folder.path()), Some(noise)).open());
    assert!(message.contains("has none"), "{message}");
    let empty = tempfile::tempdir().unwrap();
    let message = error(open(&config(empty.path())));
    assert!(message.contains("no data that is understood"), "{message}");
}
