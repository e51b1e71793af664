//! The computed receptive field against that of real networks.

use burn::tensor::{Device, Tensor, TensorData};
use n2n_model::{Network, NetworkConfig, SimpleNetConfig, StateDict, UNetConfig};

/// Change of a pixel, large enough that rounding does not hide its effect at the rim of the field.
const JOLT: f32 = 1e4;

/// Factor of initial kernels: without it, outputs hardly depend on the image.
const GAIN: f32 = 2.0;

fn unet(channels: usize, features: usize, depth: usize) -> NetworkConfig {
    NetworkConfig::UNet(UNetConfig {
        channels: Some(channels),
        features,
        depth,
        ..UNetConfig::default()
    })
}

fn simple(channels: usize) -> NetworkConfig {
    NetworkConfig::Simple(SimpleNetConfig {
        channels: Some(channels),
        features: 5,
        ..SimpleNetConfig::default()
    })
}

/// Parameters of a network that depends on its input.
fn parameters(network: &NetworkConfig, seed: u64) -> StateDict {
    let mut state = network.state_dict(&network.init(seed, &Device::flex()));
    for (name, data) in &mut state {
        if name.ends_with("weight") {
            let values: Vec<f32> = data.iter::<f32>().map(|value| GAIN * value).collect();
            *data = TensorData::new(values, data.shape().clone());
        }
    }
    state
}

/// Lines of an image: the network is as wide as it is long, and one line of it is enough.
const LINES: usize = 16;

/// The output's columns that change if one of the input's does, from the first to the last.
fn changed(network: &Network, channels: usize, width: usize, column: usize) -> (usize, usize) {
    let output = |jolt: f32| -> Vec<f32> {
        let mut values = vec![0.0; channels * LINES * width];
        for (at, value) in values.iter_mut().enumerate() {
            let x = at % width;
            // Not flat: each max-pooling has one winner, which a column can become.
            *value = (at as f32 * 0.7).sin() + if x == column { jolt } else { 0.0 };
        }
        let data = TensorData::new(values, [1, channels, LINES, width]);
        let x = Tensor::<4>::from_data(data, &Device::flex());
        network.forward(x).into_data().iter().collect()
    };
    let (before, up, down) = (output(0.0), output(JOLT), output(-JOLT));
    let differ = |x: usize| {
        (x..before.len())
            .step_by(width)
            .any(|at| before[at] != up[at] || before[at] != down[at])
    };
    let columns: Vec<usize> = (0..width).filter(|&x| differ(x)).collect();
    (columns[0], columns[columns.len() - 1])
}

/// The largest distance over which a network sees, at each place of its grid.
fn measured_radius(config: &NetworkConfig) -> usize {
    let radius = config.receptive_radius();
    let divisor = config.divisor();
    let middle = (radius + divisor).next_multiple_of(divisor);
    let width = 2 * middle + divisor;
    let channels = config.channels().unwrap();
    let mut farthest = 0;
    for seed in 0..3 {
        let network = config
            .load(parameters(config, seed), &Device::flex())
            .unwrap();
        for column in middle..middle + divisor {
            let (first, last) = changed(&network, channels, width, column);
            farthest = farthest.max(column - first).max(last - column);
        }
    }
    farthest
}

#[test]
fn receptive_radius_matches_real_networks() {
    let unshared = NetworkConfig::UNet(UNetConfig {
        channels: Some(1),
        features: 6,
        depth: 2,
        share_weights: false,
        ..UNetConfig::default()
    });
    for (config, expected) in [
        (unet(3, 5, 2), 18),
        (unshared, 18),
        (unet(1, 6, 3), 38),
        (unet(1, 6, 4), 78),
        (simple(3), 3),
    ] {
        assert_eq!(config.receptive_radius(), expected, "{config:?}");
        assert_eq!(measured_radius(&config), expected, "{config:?}");
    }
}
