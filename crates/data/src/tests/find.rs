use std::fs;
use std::path::{Path, PathBuf};

use n2n_files::{AxesFrom, Samples};
use tempfile::TempDir;

use super::files::{npy, pages, png, tiff};
use crate::{DataError, Finder, Found, Layout, Pairing, SceneInfo, Target, View};

fn finder(strict: bool) -> Finder<'static> {
    Finder {
        strict,
        layout: None,
        axes: &AxesFrom::File,
        second: Target::Noisy,
        channels: None,
        pairing: Pairing::Auto,
        progress: &|_| {},
    }
}

fn find(path: &Path) -> Result<Found, DataError> {
    finder(false).find(path)
}

/// A folder with these files, made by `make`.
fn folder(files: &[&str], make: impl Fn(&Path)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        make(&path);
    }
    folder
}

/// An 8-bit picture of 3x5 pixels, or notes.
fn picture(path: &Path) {
    match path.extension().unwrap().to_str() {
        Some("png" | "jpg") => png(path, [3, 5]),
        _ => fs::write(path, "notes").unwrap(),
    }
}

fn info(shots: usize, clean: bool) -> SceneInfo {
    SceneInfo {
        shots,
        clean,
        height: 3,
        width: 5,
    }
}

/// What is found in a folder of pictures: number of scenes, images of the first, whether ordered.
fn scenes(files: &[&str]) -> (usize, SceneInfo, bool) {
    let folder = folder(files, picture);
    let found = find(folder.path()).unwrap();
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    (
        found.train.len(),
        found.train.info(0),
        found.train.ordered(),
    )
}

fn error(found: Result<Found, DataError>) -> String {
    match found {
        Ok(found) => panic!("found {}", found.kind),
        Err(error) => error.to_string(),
    }
}

#[test]
fn two_folders_of_matching_names_are_pairs() {
    let pairs = ["a/1.png", "a/2.png", "b/1.png", "b/2.png"];
    assert_eq!(scenes(&pairs), (2, info(2, false), true));
    let with_clean = [&pairs[..], &["clean/1.png", "clean/2.png", "notes.txt"]].concat();
    assert_eq!(scenes(&with_clean), (2, info(2, true), true));
    let others = ["dawn/1.png", "dusk/1.png", "gt/1.png"];
    assert_eq!(scenes(&others), (1, info(2, true), true));
    assert_eq!(
        scenes(&["Noisy/1.png", "Clean/1.png"]),
        (1, info(1, true), true)
    );
}

#[test]
fn folders_of_shots_are_bursts() {
    let bursts = ["x/1.png", "x/2.png", "x/3.png", "y/1.png", "y/2.png"];
    assert_eq!(scenes(&bursts), (2, info(3, false), false));
    let with_clean = [&bursts[..], &["x/clean.png", "y/GT.png"]].concat();
    assert_eq!(scenes(&with_clean), (2, info(3, true), false));
    // One clean image is no use without the other.
    let half = [&bursts[..], &["x/clean.png"]].concat();
    assert_eq!(scenes(&half), (2, info(3, false), false));
}

#[test]
fn two_folders_that_may_be_either_are_asked_about() {
    let folder = folder(&["x/1.png", "x/2.png", "y/1.png", "y/2.png"], picture);
    let message = error(find(folder.path()));
    assert!(message.contains("data.layout"), "{message}");
    for (layout, scenes) in [(Layout::Pairs, 2), (Layout::Bursts, 2)] {
        let finder = Finder {
            layout: Some(layout),
            ..finder(false)
        };
        let found = finder.find(folder.path()).unwrap();
        assert_eq!(found.train.len(), scenes);
        assert_eq!(found.train.ordered(), layout == Layout::Pairs);
    }
    let [x, y] = ["x", "y"].map(|name| folder.path().join(name));
    let found = finder(false).pairs([&x, &y], None).unwrap();
    assert!(found.train.ordered());
}

#[test]
fn pictures_alone_are_clean_images() {
    assert_eq!(
        scenes(&["1.png", "2.png", "3.png", "readme.md"]),
        (3, info(0, true), true)
    );
}

#[test]
fn sets_may_be_given_as_training_and_validation() {
    let folder = folder(
        &[
            "train/a/1.png",
            "train/b/1.png",
            "val/noisy/1.png",
            "val/clean/1.png",
        ],
        picture,
    );
    let found = find(folder.path()).unwrap();
    assert_eq!(found.train.info(0), info(2, false));
    assert_eq!(found.validation.unwrap().info(0), info(1, true));
}

#[test]
fn tiff_stacks_are_bursts_or_paired_by_name() {
    let pages = |path: &Path| tiff(path, 4, [3, 5]);
    let stacks = |files: &[&str]| {
        let folder = folder(files, pages);
        let found = find(folder.path()).unwrap();
        (
            found.train.len(),
            found.train.info(0),
            found.train.ordered(),
        )
    };
    assert_eq!(stacks(&["one.tif"]), (1, info(4, false), false));
    assert_eq!(stacks(&["one.tif", "two.TIFF"]), (2, info(4, false), false));
    assert_eq!(stacks(&["a.tif", "b.tif"]), (4, info(2, false), true));
    assert_eq!(
        stacks(&["A.tif", "B.tif", "clean.tif"]),
        (4, info(2, true), true)
    );
    let folder = folder(&["one.tif"], pages);
    let found = find(&folder.path().join("one.tif")).unwrap();
    assert_eq!(found.train.info(0), info(4, false));
}

#[test]
fn sections_and_planes_are_as_pages_are() {
    let many = |path: &Path| pages(path, 4, [3, 5]);
    let one = |path: &Path| pages(path, 1, [3, 5]);
    let found = |folder: &TempDir| {
        let found = find(folder.path()).unwrap();
        assert!(found.skipped.is_empty());
        (found.train.len(), found.train.info(0))
    };
    for extension in ["mrc", "st", "fits", "fts", "map.gz", "fit.gz"] {
        let named = |stem: &str| format!("{stem}.{extension}");
        let stacks = |stems: &[&str], make: &dyn Fn(&Path)| {
            let names: Vec<String> = stems.iter().map(|stem| named(stem)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            found(&folder(&names, make))
        };
        let tilts = folder(&[&named("tilts")], many);
        let message = error(find(tilts.path()));
        assert!(message.contains("data.axes"), "{message}");
        for (axes, layout, expected) in [
            (AxesFrom::Pages, None, Some((1, 4))),
            (given("TYX"), None, Some((1, 4))),
            (AxesFrom::File, Some(Layout::Bursts), Some((1, 4))),
            (given("ZYX"), None, None),
        ] {
            let finder = Finder {
                axes: &axes,
                layout,
                ..finder(true)
            };
            let found = finder.find(tilts.path()).ok();
            let found = found.map(|found| (found.train.len(), found.train.info(0).shots));
            assert_eq!(found, expected, "{axes:?}");
        }
        assert_eq!(stacks(&["a", "b"], &many), (4, info(2, false)));
        let sides = ["noisy_a/1", "noisy_a/2", "noisy_b/1", "noisy_b/2"];
        assert_eq!(stacks(&sides, &one), (2, info(2, false)));
        let frames = ["movie/1", "movie/2", "movie/3"];
        assert_eq!(stacks(&frames, &one), (1, info(3, false)));
    }
}

fn given(letters: &str) -> AxesFrom {
    AxesFrom::Given(letters.parse().unwrap())
}

#[test]
fn planes_of_volumes_are_scenes_of_their_own() {
    let volumes = |path: &Path| npy(path, &[3, 2, 9, 8, 7]);
    let folder = folder(&["movie.npy"], volumes);
    for (letters, scenes, shots) in [
        ("TCZYX", 9, 3),
        ("ZCTYX", 3, 9),
        ("TZCYX", 2, 3),
        ("CTZYX", 9, 2),
        ("ZTNYX", 3, 18),
    ] {
        let axes = given(letters);
        let finder = Finder {
            axes: &axes,
            ..finder(true)
        };
        let found = finder.find(folder.path()).unwrap();
        let found_shots = found.train.info(0).shots;
        assert_eq!(
            (found.train.len(), found_shots),
            (scenes, shots),
            "{letters}"
        );
    }
    let message = error(find(folder.path()));
    assert!(message.contains("[3, 2, 9, 8, 7]"), "{message}");
    let axes = given("ZNCYX");
    let finder = Finder {
        axes: &axes,
        ..finder(false)
    };
    let first = |plane, shot| {
        finder
            .find(folder.path())
            .unwrap()
            .train
            .name(plane, View::Shot(shot))
    };
    assert!(first(2, 1).starts_with("image 5 of "), "{}", first(2, 1));
}

#[test]
fn images_at_one_place_of_files_are_a_scene() {
    let names = [
        "noisy_a/1.tif",
        "noisy_a/2.tif",
        "noisy_b/1.tif",
        "noisy_b/2.tif",
    ];
    let pages = |path: &Path| tiff(path, 4, [3, 5]);
    let pairs = folder(&names, pages);
    let source = find(pairs.path()).unwrap().train;
    assert_eq!((source.len(), source.info(0)), (8, info(2, false)));
    let name = source.name(6, View::Shot(1));
    assert!(
        name.starts_with("image 2 of ") && name.ends_with("noisy_b/2.tif"),
        "{name}"
    );
    let Samples::U16(samples) = &source.read(6, View::Shot(1)).unwrap().samples else {
        panic!("uint16");
    };
    assert_eq!(samples[..], [2; 15]);
    // As before axes were read.
    let finder = Finder {
        axes: &AxesFrom::Pages,
        ..finder(true)
    };
    assert_eq!(finder.find(pairs.path()).unwrap().train.len(), 2);

    tiff(&pairs.path().join("noisy_b/2.tif"), 3, [3, 5]);
    let found = find(pairs.path()).unwrap();
    assert_eq!((found.train.len(), found.skipped.len()), (4, 1));
    let message = found.skipped[0].to_string();
    assert!(message.contains("3 images of 3x5"), "{message}");
}

#[test]
fn arrays_are_bursts_or_paired_by_name() {
    let array = |path: &Path| npy(path, &[4, 3, 5]);
    let arrays = |files: &[&str]| {
        let folder = folder(files, array);
        let found = find(folder.path()).unwrap();
        (found.train.len(), found.train.info(0))
    };
    assert_eq!(arrays(&["shots.npy"]), (1, info(4, false)));
    assert_eq!(arrays(&["input.npy", "target.npy"]), (4, info(2, false)));
}

#[test]
fn reference_files_are_found() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../files/tests/data/torch");
    let file = Path::new(data).join("pairs_zip.pkl");
    let folder = folder(&["train_data.pkl"], |path| {
        fs::copy(&file, path).unwrap();
    });
    let found = find(folder.path()).unwrap();
    assert_eq!(found.train.info(0).shots, 2);
    assert!(found.validation.is_none() && found.train.in_memory());
    fs::copy(&file, folder.path().join("val_data.pkl")).unwrap();
    let validation = find(folder.path()).unwrap().validation.unwrap();
    let SceneInfo { shots, clean, .. } = validation.info(0);
    assert_eq!((shots, clean), (1, true));
}

#[test]
fn cifar_10_is_clean_images_with_its_own_validation() {
    let files = ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"];
    let records = |path: &Path| fs::write(path, vec![7; 3 * 3073]).unwrap();
    let check = |path: &Path| {
        let found = find(path).unwrap();
        assert_eq!(found.train.len(), 6);
        assert_eq!(found.validation.unwrap().len(), 3);
        let info = found.train.info(5);
        assert_eq!((info.shots, info.clean, info.height), (0, true, 32));
        assert!(found.train.read(5, crate::View::Clean).is_ok());
    };
    check(folder(&files, records).path());
    let inside = files.map(|file| format!("cifar-10-batches-bin/{file}"));
    let inside: Vec<&str> = inside.iter().map(String::as_str).collect();
    check(folder(&inside, records).path());
}

#[test]
fn one_bad_file_among_many_is_left_out_or_an_error() {
    let files = [
        "a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png", "b/4.png",
    ];
    let folder = folder(&files, picture);
    fs::write(folder.path().join("b/2.png"), b"no picture").unwrap();
    let found = find(folder.path()).unwrap();
    assert_eq!(found.train.len(), 1);
    let reasons: Vec<String> = found.skipped.iter().map(ToString::to_string).collect();
    let about = |name: &str| {
        let name = Path::new(name).components().collect::<PathBuf>();
        let name = name.display().to_string();
        reasons.iter().any(|reason| reason.contains(&name))
    };
    assert!(reasons.len() == 3 && about("a/3.png") && about("b/4.png") && about("b/2.png"));
    let message = error(finder(true).find(folder.path()));
    assert!(message.contains("no partner"), "{message}");
}

#[test]
fn sizes_that_differ_within_a_pair_name_both_files() {
    let folder = folder(&["a/1.png", "b/1.png"], picture);
    png(&folder.path().join("b/1.png"), [3, 4]);
    let message = error(find(folder.path()));
    assert!(
        message.contains("3x4") && message.contains("3x5"),
        "{message}"
    );
}

#[test]
fn what_is_no_data_says_what_would_be() {
    let empty = tempfile::tempdir().unwrap();
    let message = error(find(empty.path()));
    assert!(message.contains("noisy_a + noisy_b"), "{message}");
    let message = error(find(Path::new("no/such/folder")));
    assert!(message.contains("no/such/folder"), "{message}");
    let text = folder(&["notes.txt"], |path| fs::write(path, "x").unwrap());
    let message = error(find(&text.path().join("notes.txt")));
    assert!(
        message.contains("notes.txt") && message.contains(".npz"),
        "{message}"
    );
    let single = folder(&["x/1.png"], picture);
    let pairs_only = Finder {
        pairing: Pairing::Any,
        ..finder(false)
    };
    let message = error(pairs_only.find(single.path()));
    assert!(message.contains("a single shot"), "{message}");
    let found = find(single.path()).unwrap();
    assert_eq!(
        (found.train.len(), found.train.info(0)),
        (1, info(1, false))
    );
}

#[test]
fn pictures_of_one_stem_are_scenes_of_their_own() {
    let files = [
        "a/0.png", "a/0.jpg", "a/1.png", "b/0.png", "b/0.jpg", "b/1.jpg",
    ];
    assert_eq!(scenes(&files), (3, info(2, false), true));
    // Which of the two is meant, nobody knows but for the one of the same ending.
    let folder = folder(
        &["a/0.png", "a/0.jpg", "a/1.png", "b/0.png", "b/1.jpg"],
        picture,
    );
    let found = find(folder.path()).unwrap();
    assert_eq!(found.train.len(), 2);
    let [skipped] = &found.skipped[..] else {
        panic!("{:?}", found.skipped);
    };
    assert!(
        skipped.to_string().contains("0.jpg has no partner"),
        "{skipped}"
    );
}

#[test]
fn a_torn_stack_holds_up_no_others() {
    let make = |path: &Path| match path.extension().unwrap().to_str() {
        Some("npy") => npy(path, &[4, 3, 5]),
        _ => tiff(path, 4, [3, 5]),
    };
    for extension in ["tif", "npy"] {
        let files = ["1", "2", "3"].map(|name| format!("{name}.{extension}"));
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let folder = folder(&files, make);
        // The first one is what a folder is told by.
        let first = folder.path().join(files[0]);
        let whole = fs::read(&first).unwrap();
        fs::write(&first, &whole[..whole.len() / 2]).unwrap();
        let found = find(folder.path()).unwrap();
        assert_eq!(
            (found.train.len(), found.train.info(0)),
            (2, info(4, false))
        );
        assert_eq!(found.skipped.len(), 1);
        assert!(found.skipped[0].to_string().contains(files[0]));
        let message = error(finder(true).find(folder.path()));
        assert!(message.contains(files[0]), "{message}");
    }
}

#[test]
fn images_beside_stacks_are_told() {
    let make = |path: &Path| match path.extension().unwrap().to_str() {
        Some("npy") => npy(path, &[4, 3, 5]),
        Some("tif") => tiff(path, 4, [3, 5]),
        _ => picture(path),
    };
    for files in [
        &["shots.npy", "1.png", "2.png", "notes.txt"][..],
        &["one.tif", "two.tif", "1.png", "2.png"],
        &["a.npy", "b.npy", "one.tif", "two.tif"],
    ] {
        let folder = folder(files, make);
        let found = find(folder.path()).unwrap();
        let [skipped] = &found.skipped[..] else {
            panic!("{:?}", found.skipped);
        };
        let message = skipped.to_string();
        assert!(
            message.contains("holds other images") && message.contains(": 2, "),
            "{message}"
        );
    }
}
