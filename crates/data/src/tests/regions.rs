//! Folders of Zarr that are read in regions, held to the same ones in memory.

use std::fs;
use std::path::Path;

use n2n_files::{Region, SampleKind, Samples, Stack, ZarrStack, ZarrWriter};
use serde_json::json;

use super::open::{config, open};
use crate::{DataConfig, ExampleIndex, NoiseCheck, View};

/// Images, rows and columns.
const SHAPE: [usize; 3] = [3, 150, 170];

/// An array of slopes with some noise.
fn zarr(path: &Path, seed: u32) {
    let empty = path.with_extension("empty");
    fs::create_dir_all(&empty).unwrap();
    let metadata = json!({
        "zarr_format": 2, "shape": SHAPE, "chunks": [2, 40, 64], "dtype": "<u2", "fill_value": 0,
        "order": "C", "filters": null, "compressor": {"id": "zstd", "level": 1},
    });
    fs::write(empty.join(".zarray"), metadata.to_string()).unwrap();
    let like = ZarrStack::open(&empty).unwrap();
    let mut writer = ZarrWriter::new(path, &like).unwrap();
    let mut state = seed;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 26) as u16
    };
    for index in 0..like.len() {
        let pixels = (0..SHAPE[1] * SHAPE[2]).map(|at| 900 + 5 * (at % SHAPE[2]) as u16 + noise());
        let samples = Samples::U16(pixels.collect());
        writer
            .write(index, Region::all(like.shape()), &samples)
            .unwrap();
    }
    writer.finish().unwrap();
    fs::remove_dir_all(empty).unwrap();
}

#[test]
fn examples_of_regions_are_those_of_whole_images() {
    let folder = tempfile::tempdir().unwrap();
    for (name, seed) in [("a.zarr", 1), ("b.ome.zarr", 2)] {
        zarr(&folder.path().join(name), seed);
    }
    let with_cache = |cache_mb| {
        let mut config = DataConfig {
            cache_mb,
            patch_size: Some(32),
            ..config(folder.path())
        };
        config.augment.rotate_deg = 20.0;
        open(&config).unwrap()
    };
    let (regions, whole) = (with_cache(0), with_cache(64));
    assert_eq!(regions.kind, "stacks paired image by image");
    assert_eq!(regions.scenes[0].kind(), SampleKind::U16);
    assert!((0..3).all(|scene| regions.train.images().reads_regions(scene)));
    assert!((0..3).all(|scene| !whole.train.images().reads_regions(scene)));
    assert_eq!(regions.range, whole.range);
    assert_eq!(regions.train.digest(), whole.train.digest());
    regions.train.check_variation().unwrap();
    for (regions, whole) in [
        (&regions.train, &whole.train),
        (&regions.validation, &whole.validation),
    ] {
        assert_eq!(regions.len(), whole.len());
        for index in 0..regions.len() {
            let example = ExampleIndex { epoch: 1, index };
            let [regions, whole] = [regions, whole].map(|set| set.pair(example).unwrap());
            assert_eq!(regions, whole);
        }
    }
    let checks = [&regions, &whole].map(|opened| NoiseCheck::of(&opened.train).unwrap());
    assert_eq!(checks[0], checks[1]);
}

#[test]
fn a_folder_of_zarr_is_a_burst() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ome.zarr");
    zarr(&path, 5);
    let opened = open(&config(&path)).unwrap();
    assert_eq!(opened.kind, "bursts in stacks");
    let source = &opened.scenes[0];
    assert_eq!((source.len(), source.info(0).shots), (1, 3));
    let region = Region {
        top: 100,
        left: 3,
        height: 50,
        width: 9,
    };
    let read = source.read_region(0, View::Shot(2), region).unwrap();
    assert_eq!(
        *read,
        source.read(0, View::Shot(2)).unwrap().cropped(region)
    );
}
