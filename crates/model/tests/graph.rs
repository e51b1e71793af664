//! The U-Net's own backward pass against Burn's tape, and the vector of all parameters.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use n2n_model::{
    Activation, Convolution, Layout, Loss, Network, NetworkConfig, Output, SimpleNetConfig,
    UNetConfig,
};
use n2n_testing::{cpu_devices, error};

/// Largest error over largest value: the tape adds the gradients of shared blocks in another order.
const TOLERANCE: f64 = 1e-5;

fn network(config: &UNetConfig, device: &Device) -> Network {
    let network = NetworkConfig::UNet(config.clone()).init(3, &device.clone().autodiff());
    network.fork(&device.clone().autodiff())
}

fn images(seed: u64, channels: usize) -> TensorData {
    let device = Device::flex();
    device.seed(seed);
    let shape = [2, channels, 16, 24];
    Tensor::<4>::random(shape, Distribution::Uniform(0.0, 1.0), &device).into_data()
}

fn configs() -> Vec<UNetConfig> {
    let small = UNetConfig {
        features: 5,
        depth: 3,
        ..UNetConfig::default()
    };
    vec![
        small.clone(),
        UNetConfig {
            share_weights: false,
            output: Output::Residual,
            channels: Some(1),
            ..small.clone()
        },
        UNetConfig {
            activation: Activation::Relu,
            output: Output::Linear,
            depth: 2,
            ..small
        },
    ]
}

fn assert_equals_tape(network: &Network, channels: usize, device: &Device) {
    let layout = Layout::of(network);
    let graph = network.graph(&layout).unwrap();
    let image = |seed| Tensor::<4>::from_data(images(seed, channels), device);
    let (input, target) = (image(1), image(2));
    let (loss, gradients) = network.loss_and_gradients(
        Loss::L2,
        0.0,
        input.clone().autodiff(),
        target.clone().autodiff(),
        None,
    );
    let expected = [loss, layout.join_gradients(network, gradients)];
    let (loss, gradient) = graph.loss_and_gradient(layout.join(network), input, target);
    for (found, expected) in [loss, gradient].into_iter().zip(expected) {
        let error = error(&found.into_data(), &expected.into_data());
        assert!(error < TOLERANCE, "{network:?}: {error:e}");
    }
}

#[test]
fn own_backward_pass_equals_the_tapes() {
    for config in configs() {
        for device in cpu_devices() {
            let network = network(&config, &device);
            assert_equals_tape(&network, config.channels.unwrap_or(3), &device);
        }
    }
}

#[test]
fn own_backward_pass_of_the_simple_net_equals_the_tapes() {
    let config = NetworkConfig::Simple(SimpleNetConfig {
        features: 5,
        ..SimpleNetConfig::default()
    });
    for device in cpu_devices() {
        let device = device.autodiff();
        let network = config.init(3, &device).fork(&device);
        assert_equals_tape(&network, 3, &device.inner());
    }
    let layers = config.with_implementation("layers").unwrap();
    let network = layers.init(3, &Device::flex().autodiff());
    assert!(network.graph(&Layout::of(&network)).is_none());
}

#[test]
fn networks_with_other_layers_have_no_graph() {
    let device = Device::flex();
    let base = UNetConfig {
        features: 4,
        depth: 2,
        ..UNetConfig::default()
    };
    for config in [
        UNetConfig {
            batch_norm: true,
            ..base.clone()
        },
        UNetConfig {
            dropout: 0.5,
            ..base.clone()
        },
        UNetConfig {
            conv: Convolution::Burn,
            ..base
        },
    ] {
        let network = network(&config, &device);
        assert!(network.graph(&Layout::of(&network)).is_none());
    }
}

#[test]
fn vector_holds_every_parameter_and_zeros_between() {
    let device = Device::flex().autodiff();
    let config = NetworkConfig::Simple(SimpleNetConfig {
        features: 5,
        ..SimpleNetConfig::default()
    });
    let network = config.init(1, &device);
    let layout = Layout::of(&network);
    let starts: Vec<usize> = layout.pieces().iter().map(|piece| piece.start).collect();
    assert!(starts.iter().all(|start| start.is_multiple_of(64)));
    assert_eq!(layout.pieces()[0].shape, [5, 3, 2, 2]);
    let vector = layout.join(&network);
    let values: Vec<f32> = vector.clone().into_data().iter().collect();
    assert_eq!(values.len(), layout.elements());
    let state = config.state_dict(&network);
    let first: Vec<f32> = state["conv0.weight"].iter().collect();
    assert_eq!(values[..60], first);
    assert_eq!(values[60..64], [0.0; 4]);

    let doubled = layout.split(&(vector * 2.0), network.clone());
    let doubled = config.state_dict(&doubled);
    for (name, values) in &state {
        let expected = values.iter::<f32>().map(|value| 2.0 * value);
        assert!(doubled[name].iter::<f32>().eq(expected), "{name}");
    }
    // A parameter without gradient.
    let none = layout.join_gradients(&network, GradientsParams::new());
    assert_eq!(none.into_data().iter::<f32>().sum::<f32>(), 0.0);
}

#[test]
fn running_statistics_are_no_parameters() {
    let config = UNetConfig {
        features: 4,
        depth: 2,
        batch_norm: true,
        ..UNetConfig::default()
    };
    let plain = UNetConfig {
        batch_norm: false,
        ..config.clone()
    };
    let count = |config: &UNetConfig| {
        let network = network(config, &Device::flex());
        Layout::of(&network).pieces().len()
    };
    // Scale and shift of one shared encoder block and two decoder blocks with two convolutions each.
    assert_eq!(count(&config), count(&plain) + 2 * (1 + 2 * 2));
}
