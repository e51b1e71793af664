//! Pickles of tensors beside other objects, and hostile ones: nothing is ever run.

use std::io::Cursor;
use std::path::Path;

use n2n_files::{FileError, Stack, StateDictFile, read_state_dict, read_torch};
use n2n_testing::pickle::{
    bytes, call, global, legacy_file, number, ordered_dict, outer_storage, pickle, storage,
    storage_file, tensor, text, tuple,
};

/// Values of the tensors, exact in every float type.
const VALUES: [f32; 6] = [0.5, -1.25, 3.0, 0.0, -0.75, 2.0];

fn read(pickle: &[u8]) -> Result<StateDictFile<Cursor<&[u8]>>, FileError> {
    read_state_dict(Cursor::new(pickle), Path::new("theirs.pth"))
}

/// Reads a file with all its values.
fn read_all(pickle: &[u8]) -> Result<Vec<(String, Vec<f32>)>, FileError> {
    let mut file = read(pickle)?;
    let names: Vec<String> = file
        .tensors()
        .iter()
        .map(|tensor| tensor.name.clone())
        .collect();
    let values = names.into_iter().enumerate();
    values
        .map(|(at, name)| Ok((name, file.values(at)?)))
        .collect()
}

/// Instructions of a tensor of [`VALUES`].
fn values() -> Vec<u8> {
    tensor(&storage(&storage_file(&VALUES)), &[2, 3])
}

fn weights() -> Vec<u8> {
    ordered_dict(&[("0.weights", values()), ("0.bias", values())])
}

#[test]
fn a_plain_pickle_gives_its_tensors() {
    let found = read_all(&pickle(&weights())).unwrap();
    let expected = [("0.weights", VALUES), ("0.bias", VALUES)];
    assert_eq!(
        found,
        expected.map(|(name, values)| (name.to_owned(), values.to_vec()))
    );

    // A storage that two tensors share is written once.
    let shared = [storage(&storage_file(&VALUES)), b"q\x05".to_vec()].concat();
    let views = [("a", tensor(&shared, &[6])), ("b", tensor(b"h\x05", &[3]))];
    let found = read_all(&pickle(&ordered_dict(&views))).unwrap();
    assert_eq!(found[0].1, VALUES);
    assert_eq!(found[1].1, VALUES[..3]);

    // Parameters, tensors with attributes, and Python 2's way to write a dictionary.
    let rebuild = global("torch._utils", "_rebuild_parameter");
    let parameter = call(&rebuild, &[values(), b"\x88".to_vec(), b"N".to_vec()]);
    let arguments = tuple(&[
        storage(&storage_file(&VALUES)),
        number(0),
        tuple(&[number(6)]),
        tuple(&[number(1)]),
    ]);
    let with_attributes = call(
        &global("torch._tensor", "_rebuild_from_type_v2"),
        &[
            global("torch._utils", "_rebuild_tensor_v2"),
            global("torch.nn.parameter", "Parameter"),
            arguments,
            b"}".to_vec(),
        ],
    );
    for value in [parameter, with_attributes] {
        let pair = [b"](U\x01a".to_vec(), value, b"e".to_vec()].concat();
        let pairs = [b"]".to_vec(), pair, b"a".to_vec()].concat();
        let dict = call(&global("collections", "OrderedDict"), &[pairs]);
        assert_eq!(
            read_all(&pickle(&dict)).unwrap(),
            [("a".to_owned(), VALUES.to_vec())]
        );
    }
}

#[test]
fn pairs_are_read_from_a_plain_pickle_too() {
    let image = |first: u8| {
        let file = storage_file(&[0.0; 3]);
        // The same file with bytes for floats: 12 of them.
        let name = b"FloatStorage";
        let at = file
            .windows(name.len())
            .position(|window| window == name)
            .unwrap();
        let end = file.len() - 12 - 8;
        let file = [
            &file[..at],
            b"ByteStorage",
            &file[at + name.len()..end],
            &12_u64.to_le_bytes(),
            &[first; 12],
        ];
        let file = file.concat();
        let three = [b"J\x03\x00\x00\x00".as_slice(), b"J\x0c\x00\x00\x00"];
        let at = file
            .windows(5)
            .position(|window| window == three[0])
            .unwrap();
        let file = [&file[..at], three[1], &file[at + 5..]].concat();
        tensor(&storage(&file), &[1, 3, 2, 2])
    };
    let pairs = pickle(&tuple(&[image(7), image(9)]));
    let stacks = read_torch(Cursor::new(&pairs), Path::new("pairs.pkl")).unwrap();
    assert_eq!(stacks.len(), 2);
    assert_eq!(stacks[1].shape(), [3, 2, 2]);
    assert!(stacks[1].read(0).is_ok());
}

/// An object of a class without arguments, with attributes that other instructions push.
fn object(module: &str, name: &str, state: &[u8]) -> Vec<u8> {
    [&global(module, name), b")\x81".as_slice(), state, b"b"].concat()
}

#[test]
fn harmless_objects_beside_tensors_are_inert() {
    let float64 = [
        call(
            &global("numpy", "dtype"),
            &[text("f8"), b"\x89".to_vec(), b"\x88".to_vec()],
        ),
        tuple(&[number(3), text("<"), b"N".to_vec()]),
        b"b".to_vec(),
    ]
    .concat();
    let eight = call(
        &global("_codecs", "encode"),
        &[text("\u{0}\u{f0}?"), text("latin1")],
    );
    let history = "mmengine.logging.history_buffer";
    let buffer = global(history, "HistoryBuffer");
    let objects = [
        (
            "float64",
            call(
                &global("numpy._core.multiarray", "scalar"),
                &[float64.clone(), eight],
            ),
        ),
        (
            "small array",
            [
                call(
                    &global("numpy.core.multiarray", "_reconstruct"),
                    &[global("numpy", "ndarray"), tuple(&[number(0)]), bytes(b"b")],
                ),
                tuple(&[
                    number(1),
                    tuple(&[number(1)]),
                    float64,
                    b"\x89".to_vec(),
                    bytes(&[0; 8]),
                ]),
                b"b".to_vec(),
            ]
            .concat(),
        ),
        (
            "options",
            object(
                "argparse",
                "Namespace",
                &[b"}".to_vec(), text("lr"), b"G12345678s".to_vec()].concat(),
            ),
        ),
        (
            "folder",
            call(&global("pathlib", "PosixPath"), &[text("/"), text("runs")]),
        ),
        (
            "counts",
            [
                call(
                    &global("collections", "defaultdict"),
                    &[global("builtins", "int")],
                ),
                text("a"),
                number(3),
                b"s".to_vec(),
            ]
            .concat(),
        ),
        (
            "last losses",
            [
                call(&global("collections", "deque"), &[b")".to_vec(), number(9)]),
                b"(".to_vec(),
                number(1),
                number(2),
                b"e".to_vec(),
            ]
            .concat(),
        ),
        (
            "set",
            [b"\x8f(".to_vec(), number(1), b"\x90".to_vec()].concat(),
        ),
        (
            "frozen set",
            [b"(".to_vec(), text("a"), b"\x91".to_vec()].concat(),
        ),
        (
            "time",
            call(
                &global("datetime", "datetime"),
                &[bytes(b"\x07\xe9\x01\x02\x03\x04\x05\x00\x00\x00")],
            ),
        ),
        (
            "hyper parameters",
            [
                global("lightning_fabric.utilities.data", "AttributeDict"),
                b")\x81".to_vec(),
                text("lr"),
                number(1),
                b"s".to_vec(),
            ]
            .concat(),
        ),
        // Its content names it as their parent, before it is filled.
        (
            "config",
            [
                global("omegaconf.dictconfig", "DictConfig"),
                b")\x81q\x40}".to_vec(),
                text("_content"),
                b"}".to_vec(),
                text("lr"),
                object(
                    "omegaconf.nodes",
                    "AnyNode",
                    &[b"}".to_vec(), text("_parent"), b"h\x40s".to_vec()].concat(),
                ),
                b"ssb".to_vec(),
            ]
            .concat(),
        ),
        (
            "history",
            object(
                "mmengine.logging.history_buffer",
                "HistoryBuffer",
                &[
                    b"}".to_vec(),
                    text("mean"),
                    call(&global("__builtin__", "getattr"), &[buffer, text("mean")]),
                    b"s".to_vec(),
                ]
                .concat(),
            ),
        ),
        ("large number", [b"\x8a\x11".as_slice(), &[1; 17]].concat()),
        ("old string", b"U\x02\xff\xfe".to_vec()),
        ("type", global("torch", "float32")),
        (
            "named arguments",
            [
                global("mmcv.utils.config", "ConfigDict"),
                b")}\x92".to_vec(),
            ]
            .concat(),
        ),
    ];
    for (name, object) in &objects {
        let checkpoint = ordered_dict(&[(name, object.clone()), ("state_dict", weights())]);
        let file = pickle(&checkpoint);
        let found = read(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.place(), Some("state_dict"), "{name}");
        assert_eq!(read_all(&file).unwrap()[1].1, VALUES, "{name}");
    }
    // All in one, and the same in a file of torch.save.
    let mut all = objects.to_vec();
    all.push(("state_dict", weights()));
    assert_eq!(read_all(&pickle(&ordered_dict(&all))).unwrap().len(), 2);
    let weights = ordered_dict(&[("a", tensor(&outer_storage(6), &[6]))]);
    *all.last_mut().unwrap() = ("state_dict", weights);
    let found = read_all(&legacy_file(&ordered_dict(&all), 6, &VALUES)).unwrap();
    assert_eq!(found, [("a".to_owned(), VALUES.to_vec())]);
}

#[test]
fn tensors_are_found_in_objects_like_dictionaries() {
    let dict = "mmengine.config.config";
    let items = [b"(".to_vec(), text("a"), values(), b"u".to_vec()].concat();
    let items = [&global(dict, "ConfigDict"), b")\x81".as_slice(), &items].concat();
    let attributes = object("argparse", "Namespace", &ordered_dict(&[("a", values())]));
    for weights in [items, attributes] {
        for (place, file) in [
            (None, pickle(&weights)),
            (
                Some("model"),
                pickle(&ordered_dict(&[("model", weights.clone())])),
            ),
        ] {
            assert_eq!(read(&file).unwrap().place(), place);
            assert_eq!(
                read_all(&file).unwrap(),
                [("a".to_owned(), VALUES.to_vec())]
            );
        }
    }
}

/// Instructions that a file may hold in place of a value, and what the refusal says.
fn hostile() -> Vec<(Vec<u8>, &'static str)> {
    let attribute = global("builtins", "getattr");
    let class = call(&attribute, &[global("builtins", "dict"), text("__class__")]);
    let inert = call(&global("pathlib", "PosixPath"), &[text("a")]);
    let memo_bomb = [b"]q\x00".to_vec(), b"](h\x00h\x00eq\x00".repeat(300_000)].concat();
    vec![
        (
            call(&global("posix", "system"), &[text("touch run")]),
            "posix.system",
        ),
        (
            call(&global("builtins", "eval"), &[text("1")]),
            "builtins.eval",
        ),
        (
            [text("os"), text("system"), b"\x93".to_vec()].concat(),
            "os.system",
        ),
        (
            call(&attribute, &[class, text("__subclasses__")]),
            "builtins.getattr",
        ),
        (
            call(&attribute, &[inert.clone(), text("unlink")]),
            "builtins.getattr",
        ),
        (object("their.code", "Evil", b"}"), "their.code.Evil"),
        (call(&global("their.code", "evil"), &[]), "their.code.evil"),
        (
            call(&global("torch", "load"), &[text("other.pth")]),
            "torch.load",
        ),
        (
            call(&global("numpy", "load"), &[text("other.npy")]),
            "numpy.load",
        ),
        (
            call(&global("mmcv.utils", "Config.fromfile"), &[text("a.py")]),
            "mmcv.utils.Config.fromfile",
        ),
        (call(&inert, &[]), "calls what is no function"),
        ([b"N)\x81".as_slice()].concat(), "no class"),
        (
            [b"N}b".as_slice()].concat(),
            "attributes to what can have none",
        ),
        (memo_bomb, "instructions"),
        (
            b"N".iter().copied().chain(vec![0x85; 1 << 21]).collect(),
            "instructions",
        ),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(), "ends"),
        (b"h\x2a".to_vec(), "a value that it never made"),
        (b"\xff".to_vec(), "pickle instruction 0xff"),
    ]
}

fn refusal(file: &[u8]) -> String {
    let error = read_all(file).expect_err("it is hostile");
    let message = error.to_string();
    assert!(message.contains("theirs.pth"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

#[test]
fn hostile_pickles_are_refused() {
    for (instructions, expected) in hostile() {
        let value = ordered_dict(&[("a", values()), ("b", instructions.clone())]);
        let message = refusal(&pickle(&value));
        assert!(message.contains(expected), "{expected}: {message}");
        // In a file of torch.save.
        let message = refusal(&legacy_file(&value, 6, &VALUES));
        assert!(!message.is_empty());
    }
}

#[test]
fn hostile_storages_within_a_pickle_are_refused() {
    let of = |file: &[u8]| {
        refusal(&pickle(&ordered_dict(&[(
            "a",
            tensor(&storage(file), &[6]),
        )])))
    };
    for (instructions, expected) in hostile() {
        let inner = [&instructions, b"0".as_slice(), &outer_storage(6)].concat();
        let message = of(&legacy_file(&inner, 6, &VALUES));
        let bounded = message.contains("more than 256 instructions");
        assert!(
            message.contains(expected) || bounded,
            "{expected}: {message}"
        );
    }
    let sound = storage_file(&VALUES);
    for (file, expected) in [
        (b"PK\x03\x04".to_vec(), "is not of the older form"),
        (sound[1..].to_vec(), "is not of the older form"),
        (Vec::new(), "is not of the older form"),
        (
            legacy_file(&outer_storage(6), 5, &VALUES),
            "holds 20 bytes, its tensor says 24",
        ),
        (
            legacy_file(&outer_storage(5), 6, &VALUES),
            "spans 6 elements and its storage holds 5",
        ),
        (legacy_file(&outer_storage(6), 7, &VALUES), "storage 7"),
        (
            legacy_file(&outer_storage(6), u64::MAX, &VALUES),
            "storage 7",
        ),
        (
            legacy_file(&values(), 6, &VALUES),
            "where PyTorch writes none",
        ),
        (legacy_file(b"]", 6, &VALUES), "no tensor has its storage 7"),
        (
            legacy_file(&[outer_storage(6), b"0]".to_vec()].concat(), 6, &VALUES),
            "a list of 0 values",
        ),
        (sound[..sound.len() - 1].to_vec(), "storage 7"),
    ] {
        let message = of(&file);
        assert!(message.contains(expected), "{expected}: {message}");
    }
    for len in 0..sound.len() {
        of(&sound[..len]);
    }
}

#[test]
fn hostile_views_within_a_pickle_are_refused() {
    let nested = storage(&storage_file(&VALUES));
    let cyclic = b"]q\x07h\x07a".to_vec();
    for (value, expected) in [
        (tensor(&nested, &[7]), "spans 7 elements"),
        (tensor(&nested, &[1 << 30, 1 << 30, 1 << 30]), "spans"),
        (tensor(&cyclic, &[6]), "in an unknown way"),
        (tensor(&outer_storage(6), &[6]), "storage 7 is missing"),
        (
            call(
                &global("torch._utils", "_rebuild_tensor_v2"),
                &[nested.clone(), cyclic.clone()],
            ),
            "in an unknown way",
        ),
        (
            call(
                &global("torch.storage", "_load_from_bytes"),
                &[text("a.pth")],
            ),
            "in an unknown way",
        ),
    ] {
        let message = refusal(&pickle(&ordered_dict(&[("a", value)])));
        assert!(message.contains(expected), "{expected}: {message}");
    }
    assert!(refusal(&pickle(&cyclic)).contains("a list of 1 values"));

    let sound = pickle(&weights());
    for len in (0..sound.len()).step_by(7) {
        refusal(&sound[..len]);
    }
    // One file, opened again and again.
    let again = b"h\x01h\x02R0".repeat(1 << 17);
    let bomb = [
        global("torch.storage", "_load_from_bytes"),
        b"q\x010".to_vec(),
        tuple(&[bytes(&storage_file(&VALUES))]),
        b"q\x020".to_vec(),
        again,
    ];
    assert!(refusal(&pickle(&bomb.concat())).contains("storages"));
    // One list, made a dictionary again and again.
    let pair = [b"](".to_vec(), text("a"), b"Ne".to_vec()].concat();
    let bomb = [
        global("collections", "OrderedDict"),
        b"q\x010](".to_vec(),
        pair.repeat(1 << 12),
        b"e\x85q\x020".to_vec(),
        b"h\x01h\x02R0".repeat(1 << 16),
    ];
    assert!(refusal(&pickle(&bomb.concat())).contains("instructions"));
}
