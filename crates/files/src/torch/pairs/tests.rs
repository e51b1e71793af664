//! The files come from `tests/data/generate.py`, whose pixels are a formula.

use std::{
    fs::{self, File},
    io::{Cursor, Read, Write},
    path::PathBuf,
};

use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::*;

const SHAPE: [usize; 3] = [3, 5, 7];
const IMAGES: usize = 2;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/torch")
        .join(name)
}

fn open(name: &str) -> Result<Vec<TorchStack>, FileError> {
    open_torch(&data(name))
}

fn refusal(name: &str) -> FileError {
    open(name).err().expect("the file should be refused")
}

fn parse(bytes: &[u8]) -> Result<Vec<TorchStack>, FileError> {
    read_torch(Cursor::new(bytes), Path::new("made-up.pkl"))
}

/// Image `index` of tensor `which`, by the formula of the generator.
fn image(which: usize, index: usize) -> Raster {
    let size = SHAPE.iter().product::<usize>();
    let byte = |i: usize| ((37 * i + 11 * which) % 251) as u8;
    let bytes = (index * size..(index + 1) * size).map(byte).collect();
    Raster::from_planes(Samples::U8(bytes), SHAPE, false)
}

/// The zip file `name` with `change` applied to the name and bytes of each entry.
fn rewritten(name: &str, change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut archive = ZipArchive::new(File::open(data(name)).unwrap()).unwrap();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let entry_name = entry.name().unwrap().to_string();
        if let Some(bytes) = change(&entry_name, bytes) {
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            writer.start_file(entry_name, options).unwrap();
            writer.write_all(&bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// A zip file whose pickle, as long as that of `pairs_zip.pkl`, has `from` replaced by `to`.
fn with_pickle(from: &[u8], to: &[u8]) -> Vec<u8> {
    rewritten("pairs_zip.pkl", |name, bytes| {
        if !name.ends_with("data.pkl") {
            return Some(bytes);
        }
        let at = bytes
            .windows(from.len())
            .position(|window| window == from)
            .unwrap();
        Some([&bytes[..at], to, &bytes[at + from.len()..]].concat())
    })
}

#[test]
fn both_forms_give_the_pixels_that_torch_saved() {
    for (name, tensors) in [
        ("pairs_zip.pkl", 2),
        ("pairs_legacy.pkl", 2),
        // Two views among them.
        ("triples_zip.pkl", 3),
    ] {
        let stacks = open(name).unwrap();
        assert_eq!(stacks.len(), tensors, "{name}");
        for (which, stack) in stacks.iter().enumerate() {
            assert_eq!((stack.len(), stack.shape()), (IMAGES, SHAPE), "{name}");
            assert_eq!((stack.path(), stack.kind()), (&*data(name), SampleKind::U8));
            for index in 0..IMAGES {
                assert_eq!(stack.read(index).unwrap(), image(which, index), "{name}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "index 2 of a stack of 2 images")]
fn an_index_beyond_the_end_panics() {
    let _ = open("pairs_zip.pkl").unwrap()[0].read(IMAGES);
}

#[test]
fn tensors_of_one_storage_share_it() {
    let stacks = parse(&with_pickle(b"X\x01\x00\x00\x001", b"X\x01\x00\x00\x000")).unwrap();
    assert!(Arc::ptr_eq(&stacks[0].storage, &stacks[1].storage));
    assert_eq!(stacks[0].read(1).unwrap(), stacks[1].read(1).unwrap());
}

#[test]
fn a_hostile_pickle_is_refused_by_name_and_not_run() {
    let error = refusal("hostile.pkl");
    assert!(
        matches!(&error, FileError::UnsafePickle { global, .. } if global == "posix.system"),
        "{error}"
    );
    assert!(error.to_string().contains("nothing was run"), "{error}");
    assert!(!Path::new("hostile-pickle-was-run").exists());
}

#[test]
fn other_contents_are_refused_with_what_was_found() {
    let error = refusal("float32.pkl");
    assert!(
        matches!(&error, FileError::TensorType { index: 0, found, .. }
            if found == "torch.FloatStorage"),
        "{error}"
    );
    let error = refusal("three_dim.pkl");
    assert!(
        matches!(&error, FileError::TensorShape { index: 0, found, .. } if *found == [3, 5, 7]),
        "{error}"
    );
    let error = refusal("shapes_differ.pkl");
    assert!(
        matches!(&error, FileError::ShapesDiffer { index: 1, found, expected, .. }
            if *found == [2, 3, 7, 5] && *expected == [2, 3, 5, 7]),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_an_io_error() {
    assert!(matches!(refusal("missing.pkl"), FileError::Io { .. }));
}

#[test]
fn a_file_of_another_kind_is_named_so() {
    // An image, and a zip archive without a pickle.
    let other_zip = rewritten("pairs_zip.pkl", |name, bytes| {
        (!name.ends_with("data.pkl")).then_some(bytes)
    });
    for bytes in [&b"\x89PNG\r\n\x1a\n"[..], b"\x80\x09K\x07.", &other_zip] {
        assert!(
            matches!(parse(bytes), Err(FileError::NotTorchSave { .. })),
            "{bytes:?}"
        );
    }
    // Pickles of something else.
    for bytes in [&b"\x80\x02K\x07."[..], b"\x80\x02\xff.", b"\x80\x04]."] {
        assert!(
            matches!(parse(bytes), Err(FileError::NotPairs { .. })),
            "{bytes:?}"
        );
    }
}

#[test]
fn big_endian_and_compressed_files_are_refused() {
    let big = rewritten("pairs_zip.pkl", |name, bytes| {
        Some(if name.ends_with("byteorder") {
            b"big".to_vec()
        } else {
            bytes
        })
    });
    assert!(matches!(parse(&big), Err(FileError::ByteOrder { found, .. }) if found == "big"));

    let mut legacy = fs::read(data("pairs_legacy.pkl")).unwrap();
    let true_at = legacy.iter().position(|&byte| byte == 0x88).unwrap();
    legacy[true_at] = 0x89;
    assert!(matches!(parse(&legacy), Err(FileError::ByteOrder { .. })));

    // Bytes 10 and 46 of a header in the central directory: compression method and file name.
    let mut deflated = fs::read(data("pairs_zip.pkl")).unwrap();
    let name = b"pairs_zip/data/1";
    let last = deflated
        .windows(name.len())
        .rposition(|window| window == name)
        .unwrap();
    deflated[last - 36] = 8;
    let error = parse(&deflated).err().unwrap();
    assert!(
        matches!(&error, FileError::CompressedEntry { entry, .. } if entry == "pairs_zip/data/1"),
        "{error}"
    );
}

#[test]
fn impossible_sizes_fail_before_allocation() {
    // BININT1 entries of the shape (2, 3, 5, 7) and of the strides (105, 35, 7, 1) of the first
    // tensor.
    let shape = b"K\x02K\x03K\x05K\x07";
    let huge = with_pickle(shape, b"J\xff\xff\xff\x7fK\x03J\xff\xff\xff\x7fK\x07");
    assert!(matches!(parse(&huge), Err(FileError::ShapesDiffer { .. })));
    let repeated = with_pickle(b"K\x69K\x23K\x07K\x01", b"K\x00K\x00K\x00K\x00");
    assert!(
        parse(&repeated).is_ok(),
        "repeated elements within the storage's size are a view"
    );
    let beyond = with_pickle(b"K\x69K\x23K\x07K\x01", b"K\x6aK\x23K\x07K\x01");
    let error = parse(&beyond).err().unwrap();
    assert!(
        matches!(
            error,
            FileError::TensorBounds {
                needed: 211,
                held: 210,
                ..
            }
        ),
        "{error}"
    );
    let overflow = b"K\x69\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\x07K\x01";
    let error = parse(&with_pickle(b"K\x69K\x23K\x07K\x01", overflow))
        .err()
        .unwrap();
    assert!(
        matches!(
            error,
            FileError::TensorBounds {
                needed: usize::MAX,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn an_empty_tensor_is_an_error() {
    let empty = rewritten("pairs_zip.pkl", |name, mut bytes| {
        if name.ends_with("data.pkl") {
            let shape = b"K\x02K\x03K\x05K\x07";
            while let Some(at) = bytes.windows(8).position(|window| window == shape) {
                bytes[at + 1] = 0;
            }
        }
        Some(bytes)
    });
    assert!(matches!(parse(&empty), Err(FileError::Empty { .. })));
}

#[test]
fn a_long_pickle_ends_with_an_error() {
    // Nested tuples, pushes, doubled lists: each would cost depth, memory or time without a bound.
    let mut doubling = b"\x80\x02]q\x00".to_vec();
    doubling.extend(b"](h\x00h\x00eq\x00".repeat(100_000));
    for pickle in [
        [0x85; 2_000_000].to_vec(),
        b"N\x85".repeat(500_000),
        doubling,
    ] {
        let file = rewritten("pairs_zip.pkl", |name, bytes| {
            Some(if name.ends_with("data.pkl") {
                pickle.clone()
            } else {
                bytes
            })
        });
        assert!(parse(&file).is_err());
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    for name in ["pairs_zip.pkl", "pairs_legacy.pkl"] {
        let bytes = fs::read(data(name)).unwrap();
        for len in 0..bytes.len() {
            assert!(parse(&bytes[..len]).is_err(), "{name} cut at {len}");
        }
        let error = parse(&bytes[..bytes.len() - 1]).err().unwrap();
        assert!(
            matches!(error, FileError::Truncated { .. }),
            "{name}: {error}"
        );
    }
}

#[test]
fn no_flipped_byte_panics_or_hangs() {
    for name in ["pairs_zip.pkl", "pairs_legacy.pkl", "triples_zip.pkl"] {
        let mut bytes = fs::read(data(name)).unwrap();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x10, 0x80, 0xff] {
                bytes[at] ^= flip;
                for stack in parse(&bytes).iter().flatten() {
                    (0..stack.len()).for_each(|index| drop(stack.read(index).unwrap()));
                }
                bytes[at] ^= flip;
            }
        }
    }
}

#[test]
fn a_changed_pixel_of_a_zip_file_is_noticed() {
    let mut bytes = fs::read(data("pairs_zip.pkl")).unwrap();
    let pixels = [0, 37, 74, 111, 148_u8];
    let at = bytes
        .windows(5)
        .position(|window| window == pixels)
        .unwrap();
    bytes[at] ^= 1;
    let error = parse(&bytes).err().unwrap();
    assert!(matches!(error, FileError::Malformed { .. }), "{error}");
}
