//! The files come from `tests/data/generate.py`: checkpoints of PyTorch, each with an input and its output.

use std::io::Cursor;
use std::path::PathBuf;

use burn::tensor::Tensor;
use n2n_files::{FileError, read_state_dict};
use n2n_model::{Activation, Architecture, ConfigError, SimpleNetConfig, UNetConfig};
use n2n_testing::pickle::{ordered_dict, pickle, storage, storage_file, tensor};

use super::*;

/// Largest difference of outputs in (0, 1). PyTorch computed in f64; what is left is the rounding of f32
/// sums of at most a few hundred terms, as in the tests of the networks.
const TOLERANCE: f32 = 1e-5;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn unet(features: usize, depth: usize, channels: usize) -> UNetConfig {
    UNetConfig {
        channels: Some(channels),
        features,
        depth,
        ..UNetConfig::default()
    }
}

fn simple(features: usize, channels: usize) -> NetworkConfig {
    NetworkConfig::Simple(SimpleNetConfig {
        channels: Some(channels),
        features,
        ..SimpleNetConfig::default()
    })
}

/// Imports `name.pth`, which must be `expected`, and compares its output with that of `golden`.
fn agrees(name: &str, golden: &str, expected: &NetworkConfig) -> Imported {
    let imported = import(&data(&format!("{name}.pth"))).unwrap();
    assert_eq!(imported.network, *expected, "{name}");
    let bytes = std::fs::read(data(&format!("{golden}.golden"))).unwrap();
    let golden = n2n_testing::golden(&bytes);
    for device in n2n_testing::cpu_devices() {
        let network = imported.network.load(imported.state.clone(), &device);
        let input = Tensor::<4>::from_data(golden["input"].clone(), &device);
        let output = network.unwrap().forward(input).into_data();
        assert_eq!(output.shape(), golden["output"].shape());
        let pairs = output.iter::<f32>().zip(golden["output"].iter::<f32>());
        for (ours, theirs) in pairs {
            let difference = (ours - theirs).abs();
            // A NaN is no such difference either.
            assert!(
                difference <= TOLERANCE,
                "{name} on {device:?}: {ours} and {theirs}"
            );
        }
    }
    imported
}

fn refusal(name: &str) -> Error {
    import(&data(&format!("bad_{name}.pth"))).unwrap_err()
}

#[test]
fn imported_unets_match_pytorch() {
    let shared = NetworkConfig::UNet(unet(3, 3, 3));
    let imported = agrees("unet_shared_prelu", "unet_shared_prelu", &shared);
    assert_eq!(imported.dtypes, ["float32"]);
    assert_eq!(imported.place, None);
    assert!(imported.ignored.is_empty());
    let legacy = agrees("unet_shared_prelu_legacy", "unet_shared_prelu", &shared);
    assert_eq!(legacy.state, imported.state);

    agrees(
        "unet_shared_relu",
        "unet_shared_relu",
        &NetworkConfig::UNet(UNetConfig {
            activation: Activation::Relu,
            ..unet(2, 4, 3)
        }),
    );
    agrees(
        "unet_unshared_prelu",
        "unet_unshared_prelu",
        &NetworkConfig::UNet(UNetConfig {
            share_weights: false,
            ..unet(4, 2, 1)
        }),
    );
    let unshared = NetworkConfig::UNet(UNetConfig {
        share_weights: false,
        activation: Activation::Relu,
        ..unet(2, 3, 3)
    });
    agrees("unet_unshared_relu", "unet_unshared_relu", &unshared);
    agrees("unet_unshared_relu_legacy", "unet_unshared_relu", &unshared);
}

#[test]
fn running_statistics_are_imported() {
    let expected = NetworkConfig::UNet(UNetConfig {
        batch_norm: true,
        ..unet(3, 3, 3)
    });
    let imported = agrees("unet_batch_norm", "unet_batch_norm", &expected);
    assert!(imported.state.contains_key("eblocks.0.norm.running_var"));
    assert!(!imported.state.keys().any(|name| name.ends_with(COUNTER)));
}

#[test]
fn simple_net_of_any_layer_names_equals_pytorch() {
    let expected = simple(5, 3);
    let imported = agrees("simple", "simple", &expected);
    // 3*5*4 + 5, 5*5*4 + 5 twice, 5*3*4 + 3.
    assert_eq!(imported.values, 65 + 105 + 105 + 63);
    for name in ["simple_sequential", "simple_numbered", "simple_deconv"] {
        let renamed = agrees(name, name, &expected);
        assert_eq!(renamed.state, imported.state, "{name}");
    }
    agrees("simple_legacy", "simple", &expected);
}

/// The parameters of a checkpoint as `pickle.dump` writes them, under other names.
fn pickled(imported: &Imported, names: &[(&str, &str)]) -> Vec<u8> {
    let parameters = names.iter().map(|(own, theirs)| {
        let data = &imported.state[*own];
        let values: Vec<f32> = data.iter().collect();
        let file = storage_file(&values);
        (*theirs, tensor(&storage(&file), data.shape().as_slice()))
    });
    pickle(&ordered_dict(&parameters.collect::<Vec<_>>()))
}

#[test]
fn plain_pickle_of_the_simple_net_equals_pytorch() {
    let expected = simple(5, 3);
    let imported = agrees("simple", "simple", &expected);
    let numbered = [
        ("conv0.weight", "0.weights"),
        ("conv0.bias", "0.bias"),
        ("conv1.weight", "2.weights"),
        ("conv1.bias", "2.bias"),
        ("tconv0.weight", "4.weights"),
        ("tconv0.bias", "4.bias"),
        ("tconv1.weight", "6.weights"),
        ("tconv1.bias", "6.bias"),
    ];
    let named = numbered.map(|(own, theirs)| {
        (
            own,
            theirs
                .strip_suffix("ts")
                .map_or(theirs, |_| &theirs[..theirs.len() - 1]),
        )
    });
    let own = numbered.map(|(own, _)| (own, own));
    let plural = [
        ("conv0.weight", "conv0.weights"),
        ("conv0.bias", "conv0.bias"),
        ("conv1.weight", "conv1.weights"),
        ("conv1.bias", "conv1.bias"),
        ("tconv0.weight", "tconv0.weights"),
        ("tconv0.bias", "tconv0.bias"),
        ("tconv1.weight", "tconv1.weights"),
        ("tconv1.bias", "tconv1.bias"),
    ];
    for names in [numbered, named, own, plural] {
        let bytes = pickled(&imported, &names);
        let path = Path::new("plain.pth");
        let found = read(read_state_dict(Cursor::new(&bytes[..]), path).unwrap()).unwrap();
        assert_eq!(found.network, expected, "{names:?}");
        assert_eq!(found.state, imported.state, "{names:?}");
    }
    // Two kernels of one layer are not one.
    let mut both = numbered.to_vec();
    both.push(("conv0.weight", "0.weight"));
    let bytes = pickled(&imported, &both);
    let file = read_state_dict(Cursor::new(&bytes[..]), Path::new("plain.pth")).unwrap();
    assert!(matches!(read(file), Err(Error::Parameters { .. })));
}

#[test]
fn network_is_found_among_other_entries() {
    let imported = agrees("simple_checkpoint", "simple_checkpoint", &simple(5, 3));
    assert_eq!(imported.place.as_deref(), Some("model_state_dict"));
}

#[test]
fn every_float_type_converts_to_f32() {
    let imported = agrees("simple_half", "simple_half", &simple(6, 1));
    assert_eq!(
        imported.dtypes,
        ["bfloat16", "float16", "float32", "float64"]
    );
}

#[test]
fn shared_values_are_counted_once() {
    for (name, config) in [
        ("unet_shared_prelu", unet(3, 3, 3)),
        (
            "unet_unshared_prelu",
            UNetConfig {
                share_weights: false,
                ..unet(4, 2, 1)
            },
        ),
    ] {
        let imported = import(&data(&format!("{name}.pth"))).unwrap();
        let network = config.init(1, &Device::flex());
        assert_eq!(imported.values, network.num_params(), "{name}");
    }
}

#[test]
fn misfit_parameter_error_names_it() {
    let parameters = |name| match refusal(name) {
        Error::Parameters {
            network, source, ..
        } => {
            assert!(network.contains("U-Net of depth 2"), "{network}");
            source
        }
        error => panic!("{error}"),
    };
    assert!(matches!(parameters("missing"),
        ParameterError::Missing { name } if name == "dblocks.1.conv0.bias"));
    assert!(matches!(parameters("stem"),
        ParameterError::Missing { name } if name == "conv0.weight"));
    assert!(matches!(parameters("shape"),
        ParameterError::Shape { name, expected, got }
            if name == "conv1.weight" && expected == [2, 2, 3, 3] && got == [2, 2, 5, 3]));
    assert!(matches!(parameters("unexpected"),
        ParameterError::Unexpected { name } if name == "conv3.weight"));
}

#[test]
fn non_finite_value_error_names_the_parameter() {
    for (name, expected) in [("nan", "NaN"), ("large", "inf")] {
        let error = refusal(name);
        let message = error.to_string();
        assert!(matches!(error, Error::NotFinite { name, .. } if name == "conv1.bias"));
        assert!(
            message.contains(&format!("holds {expected} in conv1.bias")),
            "{message}"
        );
    }
    let error = refusal("integers");
    assert!(
        matches!(&error, Error::File(FileError::ParameterType { name, found: "int64", .. })
            if name == "conv1.bias"),
        "{error}"
    );
}

#[test]
fn unknown_network_error_lists_the_parameters() {
    let error = refusal("resnet");
    assert!(matches!(error, Error::UnknownNetwork { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("conv1.weight, conv1.bias, bn1.weight"),
        "{message}"
    );
    assert!(message.contains("bad_resnet.pth"), "{message}");

    let error = refusal("depth");
    assert!(
        matches!(
            error,
            Error::Size {
                source: ConfigError::Depth { depth: 17 },
                ..
            }
        ),
        "{error}"
    );
    let error = refusal("order");
    assert!(
        matches!(&error, Error::Order { layers, .. } if layers == "up1, up2, down1, down2"),
        "{error}"
    );
}

#[test]
fn import_runs_no_code() {
    let error = refusal("hostile");
    assert!(
        matches!(&error, Error::File(FileError::UnsafePickle { global, .. })
            if global == "posix.system"),
        "{error}"
    );
    assert!(!Path::new("hostile-pickle-was-run").exists());
}

#[test]
fn truncated_checkpoint_is_an_error() {
    for name in ["simple_sequential", "simple_legacy"] {
        let path = data(&format!("{name}.pth"));
        let bytes = std::fs::read(&path).unwrap();
        for len in 0..bytes.len() {
            let cut = read_state_dict(Cursor::new(&bytes[..len]), &path);
            let imported = cut.map_err(Error::from).and_then(read);
            assert!(
                matches!(imported, Err(Error::File(_))),
                "{name} cut at {len}"
            );
        }
    }
}
