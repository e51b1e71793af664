//! wgpu against flex, on any adapter of the machine, a software one included.
//!
//! One test, because each process tunes its kernels anew, which takes a software adapter a minute.

use burn::nn::loss::{MseLoss, Reduction};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use n2n_model::{Architecture, Convolution, Forward, StateDict, UNetConfig};
use n2n_testing::error;

/// Largest error over largest value. Both add the same f32 products, of which there are at most a
/// few hundred in a sum, in different orders: about sqrt(300) * 2^-24 = 1e-6.
const TOLERANCE: f64 = 1e-5;

/// Relative error of a training loss: each of ten steps adds an error of the size above.
const LOSS_TOLERANCE: f64 = 1e-4;

const STEPS: usize = 10;

#[test]
fn wgpu_matches_flex() {
    let Some(wgpu) = n2n_testing::wgpu() else {
        return;
    };
    let flex = Device::flex();
    assert_eq!(UNetConfig::default().implementation(&wgpu), "scratch");
    matrix_products(&wgpu, &flex);
    convolutions(&wgpu, &flex);
    for conv in Convolution::ALL {
        training(&wgpu, &flex, conv);
    }
}

fn matrix_products(wgpu: &Device, flex: &Device) {
    for [rows, inner, columns] in [[7, 5, 3], [65, 70, 33]] {
        let a = random([rows, inner], 1, flex);
        let b = random([inner, columns], 2, flex);
        let product = |device: &Device| {
            let on = |data: &TensorData| Tensor::<2>::from_data(data.clone(), device);
            on(&a).matmul(on(&b)).into_data()
        };
        let error = error(&product(wgpu), &product(flex));
        assert!(error <= TOLERANCE, "{rows}x{inner}x{columns}: {error:e}");
    }
}

fn convolutions(wgpu: &Device, flex: &Device) {
    let x = random([2, 3, 8, 12], 3, flex);
    let weight = random([4, 3, 3, 3], 4, flex);
    let run = |device: &Device| {
        let device = device.clone().autodiff();
        let x = Tensor::<4>::from_data(x.clone(), &device).require_grad();
        let weight = Tensor::<4>::from_data(weight.clone(), &device).require_grad();
        let options = ConvOptions::new_with_padding([1, 1], [(1, 1), (1, 1)], [1, 1], 1);
        let y = conv2d(x.clone(), weight.clone(), None, options);
        let gradients = y.clone().square().sum().backward();
        [
            y.into_data(),
            x.grad(&gradients).unwrap().into_data(),
            weight.grad(&gradients).unwrap().into_data(),
        ]
    };
    for (part, (got, expected)) in ["output", "x", "weight"]
        .into_iter()
        .zip(run(wgpu).iter().zip(&run(flex)))
    {
        let error = error(got, expected);
        assert!(error <= TOLERANCE, "{part}: {error:e}");
    }
}

/// The same seed, the same batch: the losses and the weights stay together.
fn training(wgpu: &Device, flex: &Device, conv: Convolution) {
    let (losses, state) = train(wgpu, conv);
    let (expected_losses, expected_state) = train(flex, conv);
    for (step, (got, expected)) in losses.iter().zip(&expected_losses).enumerate() {
        let error = (got - expected).abs() / expected;
        assert!(
            error <= LOSS_TOLERANCE,
            "{conv:?}, loss of step {step}: {got} and {expected}"
        );
    }
    assert!(expected_losses[STEPS - 1] < expected_losses[0], "it learns");
    for (name, expected) in &expected_state {
        let error = error(&state[name], expected);
        assert!(error <= LOSS_TOLERANCE, "{conv:?}, {name}: {error:e}");
    }
}

fn train(device: &Device, conv: Convolution) -> (Vec<f64>, StateDict) {
    let config = UNetConfig {
        features: 2,
        depth: 2,
        conv,
        ..UNetConfig::default()
    };
    let flex = Device::flex();
    let device = device.clone().autodiff();
    let input = Tensor::<4>::from_data(random([2, 3, 8, 12], 5, &flex), &device);
    let target = Tensor::<4>::from_data(random([2, 3, 8, 12], 6, &flex), &device);
    let mut network = config.init(7, &device);
    let mut optimizer = SgdConfig::new().init();
    let mut losses = Vec::new();
    for _ in 0..STEPS {
        let output = network.forward(input.clone());
        let loss = MseLoss::new().forward(output, target.clone(), Reduction::Mean);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        losses.push(loss.into_scalar::<f64>());
        network = optimizer.step(0.5, network, gradients);
    }
    (losses, config.state_dict(&network))
}

fn random<const D: usize>(shape: [usize; D], seed: u64, flex: &Device) -> TensorData {
    flex.seed(seed);
    Tensor::<D>::random(shape, Distribution::Uniform(0.0, 1.0), flex).into_data()
}
