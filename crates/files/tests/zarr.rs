//! Folders of Zarr as other programs write them, whole and damaged, and as they are written here.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use n2n_files::{
    Axis, FileError, Raster, Region, Sample, SampleKind, Samples, Stack, ZarrStack, ZarrWriter,
    is_zarr, remove_unfinished, with_samples,
};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

/// An array without chunks of version 2.
fn v2(shape: &[usize], chunks: &[usize], dtype: &str, compressor: &Value) -> Value {
    json!({
        "zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": dtype, "fill_value": 7,
        "order": "C", "filters": null, "dimension_separator": "/", "compressor": compressor,
    })
}

/// The same of version 3.
fn v3(shape: &[usize], chunks: &[usize], kind: &str, codecs: &Value) -> Value {
    json!({
        "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": kind, "fill_value": 7,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": codecs, "attributes": {}, "storage_transformers": [],
    })
}

fn bytes_codec() -> Value {
    json!({"name": "bytes", "configuration": {"endian": "little"}})
}

/// Chunks of `inner` in shards.
fn shards(inner: &[usize], codecs: &Value, place: &str) -> Value {
    json!([{"name": "sharding_indexed", "configuration": {
        "chunk_shape": inner, "codecs": codecs, "index_location": place,
        "index_codecs": [bytes_codec(), {"name": "crc32c"}],
    }}])
}

/// What OME-Zarr says of an image in two sizes.
fn multiscales(axes: &[&str], version: &str) -> Value {
    let axis = |name: &&str| match *name {
        "t" => json!({"name": "t", "type": "time", "unit": "second"}),
        "c" => json!({"name": "c", "type": "channel"}),
        name => json!({"name": name, "type": "space", "unit": "micrometer"}),
    };
    let size = |path: &str, factor: f64| {
        let scale = vec![0.325 * factor; axes.len()];
        json!({"path": path, "coordinateTransformations": [{"type": "scale", "scale": scale}]})
    };
    let axes: Vec<_> = axes.iter().map(axis).collect();
    json!([{
        "version": version, "name": "image", "axes": axes,
        "datasets": [size("0", 1.0), size("1", 2.0)],
    }])
}

fn put(path: &Path, value: &Value) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value.to_string()).unwrap();
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A folder with the metadata of an array.
fn array(metadata: &Value) -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.zarr");
    let name = match metadata["zarr_format"].as_u64() {
        Some(2) => ".zarray",
        _ => "zarr.json",
    };
    put(&path.join(name), metadata);
    (folder, path)
}

/// Samples of an image that nothing repeats.
fn samples(kind: SampleKind, len: usize, seed: usize) -> Samples {
    let mut samples = Samples::zeros(kind, len);
    with_samples!(&mut samples, samples => {
        for (at, sample) in samples.iter_mut().enumerate() {
            *sample = Sample::from_f64(((at + seed) * 7919 % 127) as f64);
        }
    });
    samples
}

/// Regions that make up an image.
fn regions([_, height, width]: [usize; 3]) -> Vec<Region> {
    let cut = |length: usize| -> Vec<Range<usize>> {
        let middle = length * 2 / 5;
        vec![0..middle, middle..length]
    };
    let both = |rows: Range<usize>| {
        cut(width).into_iter().map(move |columns| Region {
            top: rows.start,
            left: columns.start,
            height: rows.len(),
            width: columns.len(),
        })
    };
    cut(height).into_iter().flat_map(both).collect()
}

/// Writes the images of `images` as a folder like `like`, region by region.
fn write(path: &Path, like: &ZarrStack, images: &[Raster]) {
    let mut writer = ZarrWriter::new(path, like).unwrap();
    for (index, image) in images.iter().enumerate() {
        for region in regions(image.shape()) {
            writer
                .write(index, region, &image.cropped(region).samples)
                .unwrap();
        }
        assert!(!path.exists(), "a folder appears when it is complete");
    }
    writer.finish().unwrap();
}

/// Images for a stack.
fn images(stack: &ZarrStack) -> Vec<Raster> {
    let [channels, height, width] = stack.shape();
    let image = |index| Raster {
        channels,
        height,
        width,
        samples: samples(stack.kind(), channels * height * width, 1000 * index),
        alpha: None,
    };
    (0..stack.len()).map(image).collect()
}

/// The error of opening a folder.
fn refused(path: &Path) -> FileError {
    ZarrStack::open(path).err().expect("an error")
}

#[test]
fn chunks_are_where_their_names_say() {
    // Of 3x5 numbers in chunks of 2x3, one is missing, and reads as the fill value.
    let numbers: Vec<u16> = (100..115).collect();
    let chunk = |top: usize, left: usize, big: bool| -> Vec<u8> {
        let places = (0..2).flat_map(|y| (0..3).map(move |x| (top + y, left + x)));
        let number = |(y, x)| {
            if y < 3 && x < 5 {
                numbers[y * 5 + x]
            } else {
                9
            }
        };
        let bytes = |number: u16| {
            if big {
                number.to_be_bytes()
            } else {
                number.to_le_bytes()
            }
        };
        places.map(number).flat_map(bytes).collect()
    };
    let mut expected = numbers.clone();
    for at in [13, 14] {
        expected[at] = 7;
    }
    let dotted = |mut metadata: Value| {
        metadata["dimension_separator"] = json!(".");
        metadata
    };
    for (metadata, names, big) in [
        (
            v2(&[3, 5], &[2, 3], "<u2", &Value::Null),
            ["0/0", "0/1", "1/0"],
            false,
        ),
        (
            dotted(v2(&[3, 5], &[2, 3], ">u2", &Value::Null)),
            ["0.0", "0.1", "1.0"],
            true,
        ),
        (
            v3(&[3, 5], &[2, 3], "uint16", &json!([bytes_codec()])),
            ["c/0/0", "c/0/1", "c/1/0"],
            false,
        ),
    ] {
        let (_folder, path) = array(&metadata);
        for (name, [top, left]) in names.iter().zip([[0, 0], [0, 3], [2, 0]]) {
            let file = path.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, chunk(top, left, big)).unwrap();
        }
        let stack = ZarrStack::open(&path).unwrap();
        assert_eq!(stack.axes(), [(Axis::Row, 3), (Axis::Column, 5)]);
        let read = stack.read(0).unwrap();
        assert_eq!(read.samples, Samples::U16(expected.clone()), "{metadata}");
        let region = Region {
            top: 1,
            left: 2,
            height: 2,
            width: 2,
        };
        assert_eq!(stack.read_region(0, region).unwrap(), read.cropped(region));
    }
}

#[test]
fn every_way_of_packing_survives() {
    let blosc = |name: &str, shuffle: i64| json!({"id": "blosc", "cname": name, "clevel": 5, "shuffle": shuffle});
    let fortran = |mut metadata: Value| {
        metadata["order"] = json!("F");
        metadata
    };
    let shape = [2, 3, 2, 21, 34];
    let small = [1, 1, 2, 8, 16];
    let transposed = json!({"name": "transpose", "configuration": {"order": [4, 0, 3, 1, 2]}});
    let packed = |name: &str, settings: Value| json!([bytes_codec(), {"name": name, "configuration": settings}]);
    let zstd = packed("zstd", json!({"level": 0, "checksum": false}));
    for metadata in [
        v2(&shape, &small, "<u2", &Value::Null),
        v2(&shape, &small, ">f4", &json!({"id": "zstd", "level": 1})),
        v2(&shape, &small, "|u1", &json!({"id": "gzip", "level": 5})),
        v2(
            &shape,
            &[2, 3, 1, 30, 40],
            "<f8",
            &json!({"id": "zlib", "level": 1}),
        ),
        v2(
            &shape,
            &small,
            "<i2",
            &json!({"id": "lz4", "acceleration": 1}),
        ),
        v2(&shape, &small, "<u2", &blosc("lz4", 1)),
        v2(&shape, &small, "<f4", &blosc("zstd", 2)),
        v2(&shape, &small, "<i8", &blosc("zlib", -1)),
        fortran(v2(&shape, &small, "<u4", &blosc("lz4", 0))),
        v3(&shape, &small, "uint16", &zstd),
        v3(
            &shape,
            &small,
            "float32",
            &packed("gzip", json!({"level": 5})),
        ),
        v3(
            &shape,
            &small,
            "int16",
            &packed(
                "blosc",
                json!({
                    "cname": "lz4", "clevel": 5, "shuffle": "shuffle", "typesize": 2, "blocksize": 0
                }),
            ),
        ),
        v3(
            &shape,
            &small,
            "float64",
            &json!([transposed, bytes_codec(), {"name": "crc32c"}]),
        ),
        v3(
            &shape,
            &[1, 3, 2, 16, 32],
            "uint16",
            &shards(&small, &zstd, "end"),
        ),
        v3(
            &shape,
            &[1, 3, 2, 16, 32],
            "uint8",
            &shards(&small, &json!([bytes_codec()]), "start"),
        ),
    ] {
        let (folder, path) = array(&metadata);
        let like = ZarrStack::open(&path).unwrap();
        assert_eq!(
            (like.len(), like.shape()),
            (4, [3, 21, 34]),
            "t, z; c, y, x"
        );
        let (images, out) = (images(&like), folder.path().join("out.zarr"));
        write(&out, &like, &images);
        let read = ZarrStack::open(&out).unwrap();
        for (index, image) in images.iter().enumerate() {
            assert_eq!(&read.read(index).unwrap(), image, "{metadata}");
            for region in regions(image.shape()) {
                assert_eq!(
                    read.read_region(index, region).unwrap(),
                    image.cropped(region)
                );
            }
        }
        let name = if metadata["zarr_format"] == 2 {
            ".zarray"
        } else {
            "zarr.json"
        };
        assert_eq!(json_of(&out.join(name)), metadata);
    }
}

#[test]
fn metadata_are_kept_but_for_smaller_sizes() {
    let axes = ["t", "c", "z", "y", "x"];
    let shape = [1, 2, 3, 9, 10];
    let omero = json!({"channels": [{"color": "00FF00", "window": {"start": 0, "end": 1500}}]});
    let one_size = |mut images: Value| {
        images[0]["datasets"].as_array_mut().unwrap().truncate(1);
        images
    };
    let folder = tempdir().unwrap();
    let (old, new) = (
        folder.path().join("old.zarr"),
        folder.path().join("new.zarr"),
    );
    put(&old.join(".zgroup"), &json!({"zarr_format": 2}));
    put(
        &old.join(".zattrs"),
        &json!({"multiscales": multiscales(&axes, "0.4"), "omero": omero}),
    );
    put(
        &old.join("0/.zarray"),
        &v2(&shape, &[1, 1, 1, 8, 8], "<u2", &Value::Null),
    );
    put(
        &old.join("1/.zarray"),
        &v2(&[1, 2, 3, 5, 5], &[1, 1, 1, 8, 8], "<u2", &Value::Null),
    );
    put(&old.join("labels/.zgroup"), &json!({"zarr_format": 2}));
    put(
        &new.join("zarr.json"),
        &json!({
            "zarr_format": 3, "node_type": "group", "consolidated_metadata": {"metadata": {}},
            "attributes": {"ome": {"version": "0.5", "multiscales": multiscales(&axes, "0.5"), "omero": omero}},
        }),
    );
    let codecs = json!([bytes_codec()]);
    put(
        &new.join("0/zarr.json"),
        &v3(&shape, &[1, 1, 1, 8, 8], "uint16", &codecs),
    );

    for (path, left_out) in [
        (&old, &["smaller copies of the image", "its labels"][..]),
        (&new, &["smaller copies of the image"]),
    ] {
        let like = ZarrStack::open(path).unwrap();
        let sizes = [
            (Axis::Time, 1),
            (Axis::Channel, 2),
            (Axis::Depth, 3),
            (Axis::Row, 9),
            (Axis::Column, 10),
        ];
        assert_eq!(like.axes(), sizes);
        let out = folder.path().join("out.zarr");
        let writer = ZarrWriter::new(&out, &like).unwrap();
        assert_eq!(writer.left_out(), left_out);
        drop(writer);
        write(&out, &like, &images(&like));
        let written = ZarrStack::open(&out).unwrap();
        assert_eq!((written.axes(), written.len()), (like.axes(), 3));
        let group = if path == &old {
            assert_eq!(
                json_of(&out.join("0/.zarray")),
                json_of(&old.join("0/.zarray"))
            );
            json_of(&out.join(".zattrs"))
        } else {
            let root = json_of(&out.join("zarr.json"));
            assert!(root.get("consolidated_metadata").is_none());
            root["attributes"]["ome"].clone()
        };
        let version = group["multiscales"][0]["version"].as_str().unwrap();
        assert_eq!(group["omero"], omero);
        assert_eq!(group["multiscales"], one_size(multiscales(&axes, version)));
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn series_of_bio_formats_are_read_where_there_is_one() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.zarr");
    put(&path.join(".zgroup"), &json!({"zarr_format": 2}));
    put(&path.join(".zattrs"), &json!({"bioformats2raw.layout": 3}));
    put(&path.join("OME/METADATA.ome.xml"), &json!("x"));
    put(
        &path.join("0/.zattrs"),
        &json!({"multiscales": multiscales(&["y", "x"], "0.4")}),
    );
    put(
        &path.join("0/0/.zarray"),
        &v2(&[4, 4], &[4, 4], "|u1", &Value::Null),
    );
    let like = ZarrStack::open(&path).unwrap();
    let out = folder.path().join("out.zarr");
    write(&out, &like, &images(&like));
    assert_eq!(
        ZarrStack::open(&out).unwrap().read(0).unwrap(),
        images(&like)[0]
    );
    assert!(out.join("OME/METADATA.ome.xml").is_file());

    fs::create_dir(path.join("1")).unwrap();
    assert!(refused(&path).to_string().contains("several series"));
}

#[test]
fn arrays_without_names_of_axes_are_read_by_sizes() {
    use Axis::{Channel as C, Column as X, Row as Y, Shot as N};
    for (shape, axes) in [
        (&[20, 30][..], &[Y, X][..]),
        (&[20, 30, 3], &[Y, X, C]),
        (&[5, 20, 30], &[N, Y, X]),
        (&[5, 2, 20, 30], &[N, C, Y, X]),
        (&[5, 20, 30, 4], &[N, Y, X, C]),
    ] {
        let (_folder, path) = array(&v2(shape, &vec![8; shape.len()], "|u1", &Value::Null));
        let found = ZarrStack::open(&path).unwrap().axes();
        assert!(
            found.iter().map(|(axis, _)| axis).eq(axes),
            "{shape:?} {found:?}"
        );
    }
    let mut named = v3(&[4, 20, 30], &[1, 8, 8], "uint8", &json!([bytes_codec()]));
    named["dimension_names"] = json!(["c", "y", "x"]);
    let (_folder, path) = array(&named);
    assert_eq!(ZarrStack::open(&path).unwrap().shape(), [4, 20, 30]);
}

/// Chunks that c-blosc wrote of 256 numbers of 2 bytes, each three times: with LZ4 and zlib and shuffled
/// bits, and with zstd in two blocks and shuffled bytes.
const BLOSC: [&str; 3] = [
    "0201240200020000000200007c00000014000000550000003f388ee303000a3fc00ffc03000a3f00f0ff03000a6f00\
     0000ffffff06000801020011ff0100010b00002f00023200010c000107000302000119000302000313000f0200060327\
     00007a000f0200055000000000000b0000001f000100e7500000000000",
    "02016402000200000002000058000000140000003000000078dab3e87b6c810f1de0ff8317317cf88f17313030fcff\
     ff1f0f0906ffc1001b9b0109fc47020c0400b1ea00d51769330c00000078da636018d9000001000001",
    "0201910200020000000100004701000018000000af0000009300000028b52ffd6000004d0400140800000001010102\
     02020303030404040505050606060707070808080909090a0a0a0b0b0b0c0c0c0d0d0d0e0e0e0f0f0f101010111111\
     1212121313131414141515151616161717171818181919191a1a1a1b1b1b1c1c1c1d1d1d1e1e1e1f1f1f2020202121\
     212222222323232424242525252626262727272828282929292a2a000100019e02299400000028b52ffd6000005504\
     0024082a2b2b2b2c2c2c2d2d2d2e2e2e2f2f2f30303031313132323233333334343435353536363637373738383839\
     39393a3a3a3b3b3b3c3c3c3d3d3d3e3e3e3f3f3f404040414141424242434343444444454545464646474747484848\
     4949494a4a4a4b4b4b4c4c4c4d4d4d4e4e4e4f4f4f5050505151515252525353535454545500000100829d0229",
];

fn bytes_of(text: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

#[test]
fn chunks_of_the_blosc_library_are_read() {
    let metadata = v2(
        &[16, 16],
        &[16, 16],
        "<u2",
        &json!({"id": "blosc", "cname": "lz4"}),
    );
    let expected: Vec<u16> = (0..256).map(|at| at / 3).collect();
    for chunk in BLOSC {
        let (_folder, path) = array(&metadata);
        fs::create_dir(path.join("0")).unwrap();
        let bytes = bytes_of(chunk);
        fs::write(path.join("0/0"), &bytes).unwrap();
        let stack = ZarrStack::open(&path).unwrap();
        assert_eq!(
            stack.read(0).unwrap().samples,
            Samples::U16(expected.clone())
        );
        // Whatever a changed byte says, there is a result or an error.
        for at in 0..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= change;
                fs::write(path.join("0/0"), &bytes).unwrap();
                if let Err(error) = stack.read(0) {
                    assert!(error.to_string().contains("a.zarr"), "{error}");
                }
            }
        }
    }
}

#[test]
fn wrong_metadata_are_refused_by_name() {
    let sound = v2(&[8, 8], &[4, 4], "<u2", &Value::Null);
    let with = |key: &str, value: Value| {
        let mut metadata = sound.clone();
        metadata[key] = value;
        metadata
    };
    let codecs = |codecs: Value| v3(&[8, 8], &[4, 4], "uint16", &codecs);
    for (metadata, expected) in [
        (
            with("shape", json!([8, 1_u64 << 62])),
            "announces the sizes",
        ),
        (with("shape", json!([8, -1])), "shape is no list of sizes"),
        (with("shape", json!([8, 0])), "no image"),
        (with("shape", json!([8])), "chunks of other axes"),
        (with("shape", json!(null)), "shape is no list of sizes"),
        (with("chunks", json!([4, 0])), "announces chunks of"),
        (with("chunks", json!([1 << 20, 1 << 20])), "more than 2 GiB"),
        (with("dtype", json!("|b1")), "an array of \"|b1\""),
        (with("dtype", json!([["r", "<u2"]])), "an array of"),
        (with("order", json!("A")), "neither C nor F"),
        (with("fill_value", json!(70_000)), "fill value 70000"),
        (with("fill_value", json!("NaN")), "fill value \"NaN\""),
        (with("filters", json!([{"id": "delta"}])), "a filter delta"),
        (
            with("compressor", json!({"id": "jpegxl"})),
            "packed by jpegxl",
        ),
        (
            codecs(json!([{"name": "numcodecs.lzma"}])),
            "packed by numcodecs.lzma",
        ),
        (codecs(json!("bytes")), "does not say its codecs"),
        (
            codecs(shards(&[3, 4], &json!([bytes_codec()]), "end")),
            "no multiples",
        ),
        (
            codecs(json!([{"name": "transpose", "configuration": {"order": [0, 0]}}])),
            "in the order [0, 0]",
        ),
    ] {
        let (_folder, path) = array(&metadata);
        let message = refused(&path).to_string();
        assert!(
            message.contains(expected) && message.contains("a.zarr"),
            "{expected}: {message}"
        );
    }
    let (_folder, path) = array(&sound);
    let text = sound.to_string();
    for end in [0, 1, text.len() / 2, text.len() - 1] {
        fs::write(path.join(".zarray"), &text[..end]).unwrap();
        assert!(refused(&path).to_string().contains("JSON cannot be read"));
    }
}

#[test]
fn groups_without_an_image_are_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.zarr");
    let axes = ["y", "x"];
    put(
        &path.join("0/.zarray"),
        &v2(&[8, 8], &[4, 4], "<u2", &Value::Null),
    );
    let images = |change: &dyn Fn(&mut Value)| {
        let mut images = multiscales(&axes, "0.4");
        change(&mut images[0]);
        json!({"multiscales": images})
    };
    let path_of =
        |path: &'static str| images(&move |image| image["datasets"][0]["path"] = json!(path));
    for (said, expected) in [
        (json!({}), "a group of Zarr without an image"),
        (json!({"plate": {}}), "without an image"),
        (
            images(&|image| image["datasets"] = json!([])),
            "name no array",
        ),
        (path_of("../../x"), "the place ../../x, outside"),
        (path_of("/tmp"), "the place /tmp, outside"),
        (path_of("7"), "no array in 7"),
        (
            images(&|image| image["axes"] = json!(["y"])),
            "not those of images",
        ),
        (
            images(&|image| image["axes"] = json!(["y", "y", "x"])),
            "not those of images",
        ),
        (
            images(&|image| image["axes"] = json!(["z", "y", "x"])),
            "names 3 axes",
        ),
        (
            images(&|image| image["axes"][0]["name"] = json!("phase")),
            "an axis",
        ),
    ] {
        put(&path.join(".zattrs"), &said);
        let message = refused(&path).to_string();
        assert!(message.contains(expected), "{expected}: {message}");
    }
    assert!(is_zarr(&path) && !is_zarr(folder.path()));
    assert!(
        refused(folder.path())
            .to_string()
            .contains("neither zarr.json")
    );
}

#[test]
fn damaged_chunks_are_refused_by_name() {
    let gzip = json!([bytes_codec(), {"name": "gzip", "configuration": {"level": 5}}]);
    let plain = json!([bytes_codec()]);
    for codecs in [plain.clone(), gzip, shards(&[4, 4], &plain, "end")] {
        let (folder, path) = array(&v3(&[8, 8], &[8, 8], "uint16", &codecs));
        let out = folder.path().join("b.zarr");
        let like = ZarrStack::open(&path).unwrap();
        write(&out, &like, &images(&like));
        let (chunk, stack) = (out.join("c/0/0"), ZarrStack::open(&out).unwrap());
        let whole = fs::read(&chunk).unwrap();
        let error = |bytes: &[u8]| {
            fs::write(&chunk, bytes).unwrap();
            stack.read(0).err().map(|error| error.to_string())
        };
        assert_eq!(error(&whole), None);
        for end in (0..whole.len()).step_by(5) {
            let error = error(&whole[..end]).expect("an error");
            assert!(
                error.contains("b.zarr") && error.contains("damaged"),
                "{error}"
            );
        }
        let longer = [&whole[..], &[0; 200_000]].concat();
        if codecs != plain && error(&longer).is_none() {
            // What follows a packed stream is not looked at.
            continue;
        }
        assert!(error(&longer).is_some());
    }
}

#[test]
fn only_folders_of_zarr_are_replaced() {
    let (folder, path) = array(&v2(&[4, 4], &[4, 4], "|u1", &Value::Null));
    let like = ZarrStack::open(&path).unwrap();
    let whole = Region::all(like.shape());
    let out = folder.path().join("out.zarr");
    let written = |seed| {
        let mut writer = ZarrWriter::new(&out, &like).unwrap();
        writer
            .write(0, whole, &samples(SampleKind::U8, 16, seed))
            .unwrap();
        writer.finish()
    };
    written(1).unwrap();
    written(2).unwrap();
    let read = ZarrStack::open(&out).unwrap().read(0).unwrap();
    assert_eq!(read.samples, samples(SampleKind::U8, 16, 2));
    fs::remove_dir_all(&out).unwrap();
    fs::create_dir(&out).unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    assert!(written(3).is_err());
    assert!(out.join("notes.txt").is_file());
    let names = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names(), 2, "nothing unfinished is left");
    // What a killed program leaves is removed, and what another one writes stays.
    let writer = ZarrWriter::new(&out, &like).unwrap();
    let left = folder.path().join(".unfinished-left");
    fs::create_dir(&left).unwrap();
    fs::write(left.join(".lock"), "").unwrap();
    remove_unfinished(folder.path());
    assert_eq!((left.exists(), names()), (false, 3));
    drop(writer);
    assert_eq!(names(), 2);
}
