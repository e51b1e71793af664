//! OME-Zarr through the program: trained on, looked at, denoised and written back.

use std::fs;
use std::path::{Path, PathBuf};

use n2n_files::{
    AxesFrom, Axis, NpyStack, PageStack, Region, Samples, Stack, ZarrStack, ZarrWriter,
};
use n2n_model::{StateDict, read_model_file, write_model_file};
use serde_json::{Value, json};

use crate::data::SMALL;
use crate::{error, n2n, stderr, summary};

/// Points in time and planes, channels, rows and columns.
const SHAPE: [usize; 5] = [2, 3, 1, 70, 90];

fn put(path: &Path, value: &Value) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value.to_string()).unwrap();
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What OME-Zarr says of an image.
fn multiscales() -> Value {
    let axis = |(name, kind)| json!({"name": name, "type": kind});
    let axes = [
        ("t", "time"),
        ("z", "space"),
        ("c", "channel"),
        ("y", "space"),
        ("x", "space"),
    ];
    let scale = json!([{"type": "scale", "scale": [5.0, 2.0, 1.0, 0.1625, 0.1625]}]);
    json!([{
        "name": "cells", "axes": axes.map(axis),
        "datasets": [{"path": "0", "coordinateTransformations": scale}],
    }])
}

/// A folder of version 2 or 3, noisy slopes in each image, which differ by their noise.
fn folder(path: &Path, version: usize, seed: u32) {
    let empty = path.with_extension("empty");
    let chunks = [1, 1, 1, 32, 32];
    if version == 2 {
        put(&empty.join(".zgroup"), &json!({"zarr_format": 2}));
        let omero = json!({"channels": [{"label": "DAPI"}]});
        put(
            &empty.join(".zattrs"),
            &json!({"multiscales": multiscales(), "omero": omero}),
        );
        let blosc =
            json!({"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0});
        put(
            &empty.join("0/.zarray"),
            &json!({
                "zarr_format": 2, "shape": SHAPE, "chunks": chunks, "dtype": "<u2", "fill_value": 0,
                "order": "C", "filters": null, "dimension_separator": "/", "compressor": blosc,
            }),
        );
    } else {
        let bytes = json!({"name": "bytes", "configuration": {"endian": "little"}});
        let zstd = json!({"name": "zstd", "configuration": {"level": 0, "checksum": false}});
        let grid = json!({"name": "regular", "configuration": {"chunk_shape": [1, 1, 1, 64, 64]}});
        let shards = json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": chunks, "codecs": [bytes, zstd], "index_location": "end",
            "index_codecs": [bytes, {"name": "crc32c"}],
        }}]);
        put(
            &empty.join("zarr.json"),
            &json!({
                "zarr_format": 3, "node_type": "group",
                "attributes": {"ome": {"version": "0.5", "multiscales": multiscales()}},
            }),
        );
        put(
            &empty.join("0/zarr.json"),
            &json!({
                "zarr_format": 3, "node_type": "array", "shape": SHAPE, "data_type": "uint16",
                "chunk_grid": grid, "fill_value": 0, "codecs": shards, "attributes": {},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            }),
        );
    }
    let like = ZarrStack::open(&empty).unwrap();
    let mut writer = ZarrWriter::new(path, &like).unwrap();
    let mut state = seed;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u16
    };
    for index in 0..like.len() {
        let pixels = (0..SHAPE[3] * SHAPE[4]).map(|at| 300 + 4 * (at % SHAPE[4]) as u16 + noise());
        let whole = Region::all(like.shape());
        writer
            .write(index, whole, &Samples::U16(pixels.collect()))
            .unwrap();
    }
    writer.finish().unwrap();
    fs::remove_dir_all(empty).unwrap();
}

/// A model that gives back its input.
fn identity(folder: &Path) -> PathBuf {
    let bundled = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../models/bundled.safetensors"
    );
    let (mut state, metadata): (StateDict, Value) = read_model_file(Path::new(bundled)).unwrap();
    for values in state.values_mut() {
        *values = values.clone().convert::<f32>();
        values.as_mut_slice::<f32>().unwrap().fill(0.0);
    }
    let path = folder.join("identity.safetensors");
    write_model_file(&path, &state, &metadata).unwrap();
    path
}

#[test]
fn images_come_back_with_their_metadata() {
    let root = tempfile::tempdir().unwrap();
    let model = identity(root.path());
    for version in [2, 3] {
        let input = root.path().join(format!("in/v{version}.ome.zarr"));
        folder(&input, version, 1);
    }
    let folders = ["in", "-o", "out", "--model", model.to_str().unwrap()];
    let denoise = |args: &[&str]| {
        let command = [&["denoise", "--backend", "flex", "--json"], args].concat();
        n2n(&command).current_dir(root.path()).output().unwrap()
    };
    assert_eq!(summary(&denoise(&folders))["files"], 2);
    // Done is done, and may be done again.
    assert_eq!(summary(&denoise(&folders))["skipped"], 2);
    let again = [&folders[..], &["--overwrite", "--max-memory", "200"]].concat();
    assert_eq!(summary(&denoise(&again))["files"], 2);
    for (version, metadata) in [
        (2, [".zattrs", "0/.zarray"]),
        (3, ["zarr.json", "0/zarr.json"]),
    ] {
        let [input, output] =
            ["in", "out"].map(|folder| root.path().join(format!("{folder}/v{version}.ome.zarr")));
        let [before, after] = [&input, &output].map(|path| ZarrStack::open(path).unwrap());
        assert_eq!(before.axes()[0], (Axis::Time, 2));
        assert_eq!(before.axes(), after.axes());
        for index in 0..before.len() {
            assert_eq!(before.read(index).unwrap(), after.read(index).unwrap());
        }
        for file in metadata {
            assert_eq!(json_of(&input.join(file)), json_of(&output.join(file)));
        }
    }
    let names = fs::read_dir(root.path().join("out")).unwrap().count();
    assert_eq!(names, 2, "nothing else is left");
}

#[test]
fn other_formats_hold_the_pixels_and_the_rest_is_told() {
    let root = tempfile::tempdir().unwrap();
    let model = identity(root.path());
    let input = root.path().join("in.ome.zarr");
    folder(&input, 3, 1);
    let stack = ZarrStack::open(&input).unwrap();
    for output in ["out.npy", "out.tif"] {
        let done = n2n(&["denoise", "--backend", "flex", "in.ome.zarr", "-o", output])
            .args(["--model", model.to_str().unwrap()])
            .current_dir(root.path())
            .output()
            .unwrap();
        let message = stderr(&done);
        assert!(done.status.success(), "{message}");
        let expected = format!("{output} does not keep its metadata of Zarr");
        assert!(message.contains(&expected), "{message}");
        let path = root.path().join(output);
        let found: Box<dyn Stack> = match output {
            "out.npy" => {
                let axes = stack.axes();
                let letters: String = axes.iter().map(|(axis, _)| axis.letter()).collect();
                let axes = AxesFrom::Given(letters.parse().unwrap());
                Box::new(NpyStack::open_with(&path, &axes).unwrap())
            }
            _ => Box::new(PageStack::open(&path).unwrap()),
        };
        assert_eq!(found.len(), stack.len());
        for index in 0..stack.len() {
            assert_eq!(found.read(index).unwrap(), stack.read(index).unwrap());
        }
    }
}

#[test]
fn damaged_folders_leave_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    let input = root.path().join("a.zarr");
    folder(&input, 2, 1);
    fs::write(input.join("0/1/2/0/1/2"), "torn").unwrap();
    let args = ["denoise", "--backend", "flex", "a.zarr", "-o", "out/b.zarr"];
    let output = n2n(&args).current_dir(root.path()).output().unwrap();
    let message = error(&output);
    assert!(message.contains("image 5 of a.zarr"), "{message}");
    assert!(message.contains("damaged"), "{message}");
    assert_eq!(fs::read_dir(root.path().join("out")).unwrap().count(), 0);
    for (output, expected) in [
        ("a.zarr/b.zarr", "one in the other"),
        ("a.png", "cannot hold"),
        ("photo.zarr", "written of one of Zarr only"),
    ] {
        let input = if output == "photo.zarr" {
            "photo.png"
        } else {
            "a.zarr"
        };
        image::GrayImage::new(20, 20)
            .save(root.path().join("photo.png"))
            .unwrap();
        let args = ["denoise", "--backend", "flex", input, "-o", output];
        let output = n2n(&args).current_dir(root.path()).output().unwrap();
        let message = error(&output);
        assert!(
            message.contains(expected) || message.contains("holds one image"),
            "{message}"
        );
    }
}

#[test]
fn pairs_of_folders_are_trained_on_in_regions() {
    let root = tempfile::tempdir().unwrap();
    folder(&root.path().join("data/a.ome.zarr"), 2, 1);
    folder(&root.path().join("data/b.ome.zarr"), 3, 77);
    let losses = ["0", "64"].map(|cache| {
        let run = format!("run-{cache}");
        let cache = format!("data.cache_mb={cache}");
        let args = [
            &[
                "train",
                "--backend",
                "flex",
                "--json",
                "--data",
                "data",
                "--run-dir",
                &run,
            ][..],
            &SMALL,
            &["--set", &cache, "--set", "data.patch_size=32"],
        ];
        let output = n2n(&args.concat())
            .current_dir(root.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let text = fs::read_to_string(root.path().join(run).join("metrics.jsonl")).unwrap();
        let records = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let losses: Vec<Value> = records
            .map(|record: Value| record["train_loss"].clone())
            .collect();
        losses
    });
    assert!(losses[0].len() > 1);
    assert_eq!(losses[0], losses[1], "patches are those of whole images");
}
