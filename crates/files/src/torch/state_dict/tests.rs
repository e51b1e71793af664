//! The files come from `tests/data/torch/generate.py`, whose parameters are a formula.

use std::{fs, io::Cursor};

use super::*;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/torch")
        .join(name)
}

fn open(name: &str) -> StateDictFile<BufReader<File>> {
    open_state_dict(&data(name)).unwrap()
}

fn refusal(name: &str) -> FileError {
    open_state_dict(&data(name)).err().unwrap()
}

fn parse(bytes: &[u8]) -> Result<StateDictFile<Cursor<&[u8]>>, FileError> {
    read_state_dict(Cursor::new(bytes), Path::new("made-up.pth"))
}

/// The first elements of the generator's formula.
fn parameters(len: usize) -> Vec<f32> {
    let element = |i: usize| ((37 * i) % 251) as f32 - 100.0;
    (0..len).map(|i| element(i) / 64.0).collect()
}

fn names<R>(file: &StateDictFile<R>) -> Vec<&str> {
    file.tensors.iter().map(|tensor| &*tensor.name).collect()
}

/// The values of every tensor of floats.
fn read_all<R: Read + Seek>(file: &mut StateDictFile<R>) -> Result<(), FileError> {
    for index in 0..file.tensors().len() {
        match file.values(index) {
            Ok(values) => {
                let shape = &file.tensors()[index].shape;
                assert_eq!(values.len(), shape.iter().product::<usize>());
            }
            Err(FileError::ParameterType { .. }) => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[test]
fn every_form_gives_the_parameters_that_torch_saved() {
    let expected: [(&str, &[usize], &str); 11] = [
        ("shared.1", &[2, 3, 5, 4], "float32"),
        ("shared.0", &[2, 3, 5, 4], "float32"),
        ("double", &[3, 2], "float64"),
        ("half", &[2, 4], "float16"),
        ("brain", &[5, 3], "bfloat16"),
        ("channels_last", &[2, 3, 5, 4], "float32"),
        ("transposed", &[2, 3], "float32"),
        ("slice", &[2, 3], "float32"),
        ("scalar", &[], "float32"),
        ("empty", &[2, 0], "float32"),
        ("num_batches_tracked", &[], "int64"),
    ];
    for name in [
        "state_dict_zip.pth",
        "state_dict_legacy.pth",
        "state_dict_protocol_4.pth",
    ] {
        let mut file = open(name);
        assert_eq!(file.path(), data(name));
        assert_eq!(
            (file.place(), file.others()),
            (None, &["note".to_owned()][..])
        );
        for (index, (tensor, shape, dtype)) in expected.iter().enumerate() {
            let found = &file.tensors()[index];
            assert_eq!(
                (&*found.name, &*found.shape, found.dtype),
                (*tensor, *shape, *dtype)
            );
            if *dtype != "int64" {
                let len = shape.iter().product();
                assert_eq!(
                    file.values(index).unwrap(),
                    parameters(len),
                    "{name}: {tensor}"
                );
            }
        }
        assert_eq!(file.tensors().len(), expected.len());
        let error = file.values(10).unwrap_err();
        assert!(
            matches!(&error, FileError::ParameterType { name, found: "int64", .. }
                if name == "num_batches_tracked"),
            "{error}"
        );
    }
}

#[test]
fn a_network_is_found_beside_its_optimizer() {
    for name in ["checkpoint.pth", "checkpoint_legacy.pth"] {
        let mut file = open(name);
        assert_eq!(file.place(), Some("model_state_dict"));
        assert_eq!(
            names(&file),
            [
                "0.weight",
                "0.bias",
                "1.weight",
                "2.weight",
                "2.bias",
                "2.running_mean",
                "2.running_var",
                "2.num_batches_tracked"
            ]
        );
        assert_eq!(file.tensors()[0].shape, [2, 3, 1, 2]);
        assert_eq!(file.values(0).unwrap(), parameters(12), "{name}");
    }
}

#[test]
fn parameters_read_like_tensors() {
    let mut file = open("parameters.pth");
    assert_eq!(names(&file).len(), 5);
    assert_eq!(file.values(0).unwrap(), parameters(12));
}

#[test]
fn other_contents_are_refused_with_what_was_found() {
    for (name, found) in [
        ("two_networks.pth", "several state dicts: first, second"),
        (
            "no_network.pth",
            "a dictionary of epoch, lr, history without a state dict",
        ),
        ("pairs_zip.pkl", "a tuple of 2 values"),
        ("pairs_legacy.pkl", "a tuple of 2 values"),
    ] {
        let error = refusal(name);
        assert!(matches!(error, FileError::NotStateDict { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains(found) && message.contains(name),
            "{message}"
        );
        assert!(message.contains("network.state_dict()"), "{message}");
    }
    let error = parse(b"\x89PNG\r\n\x1a\n").err().unwrap();
    assert!(matches!(error, FileError::NotTorchSave { .. }), "{error}");
}

#[test]
fn code_is_refused_by_name_and_not_run() {
    for (name, expected) in [
        ("hostile.pth", "posix.system"),
        ("whole_module.pth", "torch.nn.modules.container.Sequential"),
    ] {
        let error = refusal(name);
        assert!(
            matches!(&error, FileError::UnsafePickle { global, .. } if global == expected),
            "{error}"
        );
        assert!(
            error.to_string().contains("network.state_dict()"),
            "{error}"
        );
    }
    assert!(!Path::new("hostile-pickle-was-run").exists());
}

#[test]
fn many_names_are_not_all_listed() {
    let names: Vec<String> = (0..11).map(|at| at.to_string()).collect();
    assert_eq!(
        listed(names.iter().map(String::as_str)),
        "0, 1, 2, 3, 4, 5, 6, 7 and 3 more"
    );
}

/// A legacy file of one storage of `len` floats, and a pickle of `tensors`.
fn legacy(tensors: &[u8], len: usize) -> Vec<u8> {
    let mut bytes = fs::read(data("pairs_legacy.pkl")).unwrap();
    // The header is as long in every file of this form; the object's pickle begins behind it.
    let start = b"\x80\x02ctorch._utils";
    let object = bytes.windows(start.len()).position(|at| at == start);
    bytes.truncate(object.unwrap());
    bytes.extend(tensors);
    bytes.extend(b"\x80\x02]X\x01\x00\x00\x000a.");
    bytes.extend((len as u64).to_le_bytes());
    bytes.extend(parameters(len).iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// Instructions that push a view of storage 0, of `len` floats.
fn tensor(len: u16, offset: u16, shape: &[u16], strides: &[u16]) -> Vec<u8> {
    let number = |value: u16| [&b"M"[..], &value.to_le_bytes()].concat();
    let tuple = |values: &[u16]| {
        let items: Vec<u8> = values.iter().flat_map(|&value| number(value)).collect();
        [&b"("[..], &items, b"t"].concat()
    };
    [
        &b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"[..],
        b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpu",
        &number(len),
        b"NtQ",
        &number(offset),
        &tuple(shape),
        &tuple(strides),
        b"\x89ccollections\nOrderedDict\n)RtR",
    ]
    .concat()
}

/// A pickle of a dictionary of tensors named `a`, `b` and so on.
fn dict(tensors: &[Vec<u8>]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for (name, tensor) in (b'a'..).zip(tensors) {
        pickle.extend([b"X\x01\x00\x00\x00".as_slice(), &[name], tensor].concat());
    }
    pickle.extend(b"u.");
    pickle
}

#[test]
fn views_are_read_where_they_are() {
    let tensors = [
        tensor(12, 1, &[2, 3], &[5, 2]),
        // An axis of one element may have any stride.
        tensor(12, 4, &[1, 3, 1], &[u16::MAX, 1, u16::MAX]),
    ];
    let bytes = legacy(&dict(&tensors), 12);
    let mut file = parse(&bytes).unwrap();
    let storage = parameters(12);
    let at = |places: [usize; 3]| places.map(|place| storage[place]);
    assert_eq!(
        file.values(0).unwrap(),
        [at([1, 3, 5]), at([6, 8, 10])].concat()
    );
    assert_eq!(file.values(1).unwrap(), at([4, 5, 6]));
}

#[test]
fn views_that_lie_are_refused_when_they_are_read() {
    for (view, needed) in [
        (tensor(12, 1, &[2, 3], &[6, 3]), 14),
        (tensor(12, 12, &[], &[]), 13),
        (tensor(12, 0, &[u16::MAX; 8], &[1; 8]), usize::MAX),
        (tensor(12, 0, &[4, 4], &[0, 0]), 16),
    ] {
        let bytes = legacy(&dict(&[view]), 12);
        let error = parse(&bytes).unwrap().values(0).unwrap_err();
        assert!(
            matches!(&error, FileError::TensorBounds { tensor, needed: found, held: 12, .. }
                if tensor == "a" && *found == needed),
            "{error}"
        );
    }
    let strides = legacy(&dict(&[tensor(12, 0, &[2, 3], &[1])]), 12);
    let error = parse(&strides).unwrap().values(0).unwrap_err();
    assert!(
        error.to_string().contains("1 strides for 2 axes"),
        "{error}"
    );
    // More axes than any parameter has.
    let axes = legacy(&dict(&[tensor(12, 0, &[1; 9], &[1; 9])]), 12);
    let error = parse(&axes).err().unwrap();
    assert!(matches!(error, FileError::Malformed { .. }), "{error}");
    // Storage 0 has one length.
    let two = legacy(
        &dict(&[tensor(12, 0, &[1], &[1]), tensor(11, 0, &[1], &[1])]),
        12,
    );
    let error = parse(&two).err().unwrap();
    assert!(error.to_string().contains("in two ways"), "{error}");
    let same = [
        b"}".as_slice(),
        b"(",
        b"X\x01\x00\x00\x00a",
        &tensor(12, 0, &[1], &[1]),
    ]
    .concat();
    let twice = [&b"\x80\x02"[..], &same, &same[2..], b"u."].concat();
    let bytes = legacy(&twice, 12);
    let error = parse(&bytes).err().unwrap();
    assert!(
        error.to_string().contains("two of its tensors are a"),
        "{error}"
    );
}

#[test]
fn overlapping_views_are_bounded_by_the_file() {
    // The same view under many names is a shared block; different ones are none.
    let shared = vec![tensor(4000, 0, &[4000], &[1]); 20];
    let bytes = legacy(&dict(&shared), 4000);
    read_all(&mut parse(&bytes).unwrap()).unwrap();
    let views: Vec<_> = (0..20).map(|at| tensor(4000, at, &[3980], &[1])).collect();
    let bytes = legacy(&dict(&views), 4000);
    let error = read_all(&mut parse(&bytes).unwrap()).unwrap_err();
    assert!(error.to_string().contains("overlap"), "{error}");
}

#[test]
fn containers_are_shared_as_in_python() {
    // outer = {"model": inner}; then inner["a"] = tensor, and outer is what was saved.
    let pickle = [
        &b"\x80\x02}q\x00X\x05\x00\x00\x00model}q\x01s"[..],
        b"h\x01X\x01\x00\x00\x00a",
        &tensor(12, 0, &[2, 3], &[3, 1]),
        b"sh\x00.",
    ]
    .concat();
    let bytes = legacy(&pickle, 12);
    let mut file = parse(&bytes).unwrap();
    assert_eq!(file.place(), Some("model"));
    assert_eq!(file.values(0).unwrap(), parameters(6));
}

#[test]
fn a_long_pickle_ends_with_an_error() {
    let mut doubling = b"\x80\x02]q\x00".to_vec();
    doubling.extend(b"](h\x00h\x00eq\x00".repeat(100_000));
    for pickle in [
        [0x85; 2_000_000].to_vec(),
        // Nested ever deeper.
        [&b"N"[..], &b"\x85".repeat(500_000)].concat(),
        doubling,
    ] {
        assert!(parse(&legacy(&pickle, 12)).is_err());
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    for name in ["state_dict_zip.pth", "checkpoint_legacy.pth"] {
        let bytes = fs::read(data(name)).unwrap();
        for len in 0..bytes.len() {
            let cut = parse(&bytes[..len]).and_then(|mut file| read_all(&mut file));
            assert!(cut.is_err(), "{name} cut at {len}");
        }
    }
}

#[test]
fn no_flipped_byte_panics_or_hangs() {
    for name in [
        "state_dict_zip.pth",
        "state_dict_legacy.pth",
        "checkpoint.pth",
    ] {
        let mut bytes = fs::read(data(name)).unwrap();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x10, 0x80, 0xff] {
                bytes[at] ^= flip;
                let _ = parse(&bytes).and_then(|mut file| read_all(&mut file));
                bytes[at] ^= flip;
            }
        }
    }
}
