//! Sizes, sharing and initialization of the U-Net.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use n2n_model::{
    Activation, Architecture, ConfigError, Convolution, Forward, NetworkConfig, ParameterError,
    UNetConfig,
};

fn config(features: usize) -> UNetConfig {
    UNetConfig {
        features,
        ..UNetConfig::default()
    }
}

/// Floats of the shared network with a plain ReLU, as in the reference's text.
const SHARED_SIZES: [(usize, usize); 6] = [
    (4, 3_605),
    (8, 13_788),
    (16, 53_637),
    (32, 211_844),
    (64, 841_285),
    (128, 3_354_148),
];

#[test]
fn parameter_counts_match_the_reference() {
    let device = Device::flex();
    for (features, expected) in SHARED_SIZES {
        let relu = UNetConfig {
            activation: Activation::Relu,
            ..config(features)
        };
        assert_eq!(relu.init(0, &device).num_params(), expected);
        assert_eq!(config(features).init(0, &device).num_params(), expected + 1);
    }
    let unshared = UNetConfig {
        share_weights: false,
        ..config(32)
    };
    assert_eq!(unshared.init(0, &device).num_params(), 332_100 + 1);
}

#[test]
fn sizes_must_be_multiples_of_the_divisor() {
    let device = Device::flex();
    for (depth, height, width) in [(2, 4, 12), (3, 24, 8), (4, 16, 48)] {
        let config = UNetConfig { depth, ..config(3) };
        let any = NetworkConfig::UNet(config.clone());
        assert_eq!(any.check_image(height, width), Ok(()));
        let output = config
            .init(1, &device)
            .forward(Tensor::zeros([2, 3, height, width], &device));
        assert_eq!(output.dims(), [2, 3, height, width]);
    }
    let any = NetworkConfig::UNet(config(3));
    let error = any.check_image(32, 40).unwrap_err();
    assert_eq!(
        error,
        ConfigError::NotDivisible {
            height: 32,
            width: 40,
            depth: 4,
            multiple: 16
        }
    );
    let message = error.to_string();
    assert!(message.contains("32x40") && message.contains("divisible by 16"));
}

#[test]
#[should_panic(expected = "expected sides divisible by 4, got 6x8")]
fn wrong_image_size_panics_with_expected_and_got() {
    let device = Device::flex();
    let config = UNetConfig {
        depth: 2,
        ..config(3)
    };
    config
        .init(0, &device)
        .forward(Tensor::zeros([1, 3, 6, 8], &device));
}

#[test]
fn seed_determines_the_network() {
    #[allow(deprecated)]
    let (flex, ndarray) = (Device::flex(), Device::ndarray());
    let config = config(5);
    let state = |seed, device| config.state_dict(&config.init(seed, device));
    assert_eq!(state(3, &flex), state(3, &flex));
    assert_eq!(state(3, &flex), state(3, &ndarray));
    assert_ne!(state(3, &flex), state(4, &flex));
}

#[test]
fn initial_weights_fill_the_interval_of_pytorch() {
    let config = config(32);
    let state = config.state_dict(&config.init(9, &Device::flex()));
    for (name, fan_in) in [("dblocks.1.conv0", 96 * 9), ("eblocks.2.conv", 32 * 9)] {
        let bound = 1.0 / (fan_in as f32).sqrt();
        let weight: Vec<f32> = state[&format!("{name}.weight")].iter().collect();
        let largest = weight.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        assert!(
            largest <= bound && largest > 0.99 * bound,
            "{name}: {largest}"
        );
        // The variance of a uniform distribution over [-b, b] is b^2 / 3.
        let variance = weight.iter().map(|w| w * w).sum::<f32>() / weight.len() as f32;
        let ratio = variance / (bound * bound / 3.0);
        assert!((ratio - 1.0).abs() < 0.03, "{name}: {ratio}");
    }
    assert!(
        state["eblocks.0.relu.weight"]
            .iter::<f32>()
            .all(|a| a == 0.25)
    );
}

#[test]
fn shared_block_has_an_entry_for_each_index() {
    let config = config(4);
    let device = Device::flex();
    let state = config.state_dict(&config.init(2, &device));
    assert_eq!(
        state["eblocks.0.conv.weight"],
        state["eblocks.3.conv.weight"]
    );
    assert_eq!(state["dblocks.1.conv1.bias"], state["dblocks.2.conv1.bias"]);
    assert_eq!(state.len(), 3 * 2 + 4 * 3 + 4 * 6 + 1);
    let loaded = config.load(state.clone(), &device).unwrap();
    assert_eq!(config.state_dict(&loaded), state);
}

#[test]
fn misfit_state_dict_error_names_the_parameter() {
    let config = config(4);
    let device = Device::flex();
    let state = config.state_dict(&config.init(2, &device));
    let name = |error: ParameterError| error.to_string();

    let mut missing = state.clone();
    missing.remove("conv1.bias");
    let error = config.load(missing, &device).unwrap_err();
    assert_eq!(name(error), "parameter conv1.bias is missing");

    let mut extra = state.clone();
    extra.insert("conv9.bias".to_owned(), state["conv1.bias"].clone());
    let error = config.load(extra, &device).unwrap_err();
    assert_eq!(name(error), "the network has no parameter conv9.bias");

    let mut differing = state.clone();
    let other = config.state_dict(&config.init(8, &device));
    differing.insert(
        "eblocks.2.conv.weight".to_owned(),
        other["eblocks.2.conv.weight"].clone(),
    );
    let error = config.load(differing, &device).unwrap_err();
    assert!(matches!(error, ParameterError::NotShared { .. }), "{error}");

    let error = self::config(5).load(state, &device).unwrap_err();
    assert!(matches!(error, ParameterError::Shape { .. }), "{error}");
}

#[test]
fn grey_network_has_one_channel_at_both_ends() {
    let device = Device::flex();
    for conv in [Convolution::Burn, Convolution::Scratch] {
        let config = UNetConfig {
            channels: Some(1),
            depth: 2,
            conv,
            ..config(4)
        };
        let network = config.init(0, &device);
        let output = network.forward(Tensor::zeros([2, 1, 8, 12], &device));
        assert_eq!(output.dims(), [2, 1, 8, 12]);
        // Two kernels of 3x3 less at the first layer and four at the others that see the image.
        let colour = UNetConfig {
            channels: None,
            ..config
        };
        let fewer = 2 * (4 * 9 + 4 * 9 + 2 * 9 + 1);
        assert_eq!(
            network.num_params() + fewer,
            colour.init(0, &device).num_params()
        );
    }
    let none = UNetConfig {
        channels: Some(0),
        ..config(4)
    };
    assert_eq!(none.validate(), Err(ConfigError::Channels { channels: 0 }));
}
