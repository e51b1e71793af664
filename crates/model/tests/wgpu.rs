//! wgpu against flex, on whatever adapter this machine has, a software one included.
//!
//! One test, because each process tunes its kernels anew, which takes a software adapter a minute.

use std::io::Write;

use burn::nn::loss::{MseLoss, Reduction};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use n2n_model::{StateDict, UNetConfig};

/// Largest error over largest value. Both add the same f32 products, of which there are at most a
/// few hundred in a sum, in different orders: about sqrt(300) * 2^-24 = 1e-6.
const TOLERANCE: f64 = 1e-5;

/// Relative error of a training loss: each of ten steps adds an error of the size above.
const LOSS_TOLERANCE: f64 = 1e-4;

const STEPS: usize = 10;

#[test]
fn wgpu_computes_what_flex_computes() {
    // The APIs that the program uses; OpenGL is not among them.
    let api = match std::env::consts::OS {
        "macos" => WgpuBackend::Metal,
        "windows" => WgpuBackend::Dx12,
        _ => WgpuBackend::Vulkan,
    };
    let opened = Device::wgpu_options().graphics_api(api).init_with_setup();
    let (wgpu, adapter) = match opened {
        Ok((device, setup)) => (device, setup.adapter.get_info().name),
        Err(error) if std::env::var_os("CI").is_some() => panic!("no adapter in CI: {error}"),
        Err(error) => {
            tell(&format!("wgpu is NOT tested: no adapter here: {error}"));
            return;
        }
    };
    tell(&format!("wgpu is tested on {adapter}"));
    let flex = Device::flex();
    matrix_products(&wgpu, &flex);
    convolutions(&wgpu, &flex);
    training(&wgpu, &flex);
}

/// Writes past the capture of a passing test's output.
fn tell(line: &str) {
    let line = format!("{line}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
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
fn training(wgpu: &Device, flex: &Device) {
    let (losses, state) = train(wgpu);
    let (expected_losses, expected_state) = train(flex);
    for (step, (got, expected)) in losses.iter().zip(&expected_losses).enumerate() {
        let error = (got - expected).abs() / expected;
        assert!(
            error <= LOSS_TOLERANCE,
            "loss of step {step}: {got} and {expected}"
        );
    }
    assert!(expected_losses[STEPS - 1] < expected_losses[0], "it learns");
    for (name, expected) in &expected_state {
        let error = error(&state[name], expected);
        assert!(error <= LOSS_TOLERANCE, "{name}: {error:e}");
    }
}

fn train(device: &Device) -> (Vec<f64>, StateDict) {
    let config = UNetConfig {
        features: 2,
        depth: 2,
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

fn error(got: &TensorData, expected: &TensorData) -> f64 {
    let (got, expected): (Vec<f64>, Vec<f64>) = (got.iter().collect(), expected.iter().collect());
    let largest = expected.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    let difference = got.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    // f64::max would drop a NaN.
    difference.fold(0.0, |a, b| if a >= b { a } else { b }) / largest
}
