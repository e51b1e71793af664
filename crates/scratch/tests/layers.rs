//! The reference's own check: each derivative that a layer's closure returns, against Burn's autodiff
//! through Burn's own op.

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, Distribution, Tensor, TensorData, activation, module};
use n2n_scratch::ConvGeometry;
use n2n_scratch::layers::{Conv2d, ConvTranspose2d, Layer, ReLU, Sigmoid};
use n2n_testing::{cpu_devices, error};

/// Largest error over largest value: both add the same f32 products in another order.
const TOLERANCE: f64 = 1e-5;

fn random<const D: usize>(seed: u64, shape: [usize; D]) -> TensorData {
    let device = Device::flex();
    device.seed(seed);
    Tensor::<D>::random(shape, Distribution::Uniform(-1.0, 1.0), &device).into_data()
}

fn close(what: &str, got: TensorData, expected: TensorData) {
    let error = error(&got, &expected);
    assert!(error <= TOLERANCE, "{what}: {error:e}");
}

/// Kernel 3x2, stride 2x1, padding 1x0, dilation 1x2, two groups.
fn geometry(channels_in: usize, channels_out: usize) -> ConvGeometry {
    ConvGeometry::new([3, 2])
        .and_then(|geometry| geometry.with_stride([2, 1]))
        .and_then(|geometry| geometry.with_dilation([1, 2]))
        .and_then(|geometry| geometry.with_groups(2, channels_in, channels_out))
        .unwrap()
        .with_padding([[1, 1], [0, 0]])
}

#[test]
fn convolution() {
    for device in cpu_devices() {
        let (x, f, b) = (
            random(1, [2, 4, 9, 7]),
            random(2, [6, 2, 3, 2]),
            random(3, [6]),
        );
        let dy = random(4, [2, 6, 5, 5]);
        let on = |data: &TensorData| Tensor::<4>::from_data(data.clone(), &device);
        let bias = Tensor::<1>::from_data(b.clone(), &device);

        let layer = Conv2d::new(on(&f), Some(bias), geometry(4, 6)).unwrap();
        let (y, vjp) = layer.forward_and_vjp(on(&x));
        let gradients = vjp(on(&dy));

        let autodiff = device.clone().autodiff();
        let tracked = |data: &TensorData| Tensor::<4>::from_data(data.clone(), &autodiff);
        let (x, f) = (tracked(&x).require_grad(), tracked(&f).require_grad());
        let b = Tensor::<1>::from_data(b, &autodiff).require_grad();
        let options = ConvOptions::new([2, 1], [1, 0], [1, 2], 2);
        let expected = module::conv2d(x.clone(), f.clone(), Some(b.clone()), options);
        let autograd = (expected.clone() * tracked(&dy)).sum().backward();

        close("y", y.into_data(), expected.into_data());
        close(
            "x",
            gradients.x.into_data(),
            x.grad(&autograd).unwrap().into_data(),
        );
        let df = gradients.weight.unwrap().into_data();
        close("f", df, f.grad(&autograd).unwrap().into_data());
        let db = gradients.bias.unwrap().into_data();
        close("b", db, b.grad(&autograd).unwrap().into_data());
    }
}

#[test]
fn transposed_convolution() {
    for device in cpu_devices() {
        let (x, f, b) = (
            random(1, [2, 4, 5, 6]),
            random(2, [4, 3, 3, 2]),
            random(3, [6]),
        );
        let dy = random(4, [2, 6, 10, 8]);
        let on = |data: &TensorData| Tensor::<4>::from_data(data.clone(), &device);
        let bias = Tensor::<1>::from_data(b.clone(), &device);

        let layer = ConvTranspose2d::new(on(&f), Some(bias), geometry(4, 6), [1, 0]).unwrap();
        let (y, vjp) = layer.forward_and_vjp(on(&x));
        let gradients = vjp(on(&dy));

        let autodiff = device.clone().autodiff();
        let tracked = |data: &TensorData| Tensor::<4>::from_data(data.clone(), &autodiff);
        let (x, f) = (tracked(&x).require_grad(), tracked(&f).require_grad());
        let b = Tensor::<1>::from_data(b, &autodiff).require_grad();
        let options = ConvTransposeOptions::new([2, 1], [1, 0], [1, 0], [1, 2], 2);
        let expected = module::conv_transpose2d(x.clone(), f.clone(), Some(b.clone()), options);
        let autograd = (expected.clone() * tracked(&dy)).sum().backward();

        close("y", y.into_data(), expected.into_data());
        close(
            "x",
            gradients.x.into_data(),
            x.grad(&autograd).unwrap().into_data(),
        );
        let df = gradients.weight.unwrap().into_data();
        close("f", df, f.grad(&autograd).unwrap().into_data());
        let db = gradients.bias.unwrap().into_data();
        close("b", db, b.grad(&autograd).unwrap().into_data());
    }
}

#[test]
fn activations() {
    type BurnsOp = fn(Tensor<4>) -> Tensor<4>;
    let layers: [(Box<dyn Layer>, BurnsOp); 2] = [
        (Box::new(ReLU), activation::relu),
        (Box::new(Sigmoid), activation::sigmoid),
    ];
    let (x, dy) = (random(1, [2, 3, 5, 4]), random(2, [2, 3, 5, 4]));
    for device in cpu_devices() {
        for (layer, burns) in &layers {
            let on = |data: &TensorData| Tensor::<4>::from_data(data.clone(), &device);
            let (y, vjp) = layer.forward_and_vjp(on(&x));
            let dx = vjp(on(&dy)).x;

            let autodiff = device.clone().autodiff();
            let tracked = |data: &TensorData| Tensor::<4>::from_data(data.clone(), &autodiff);
            let x = tracked(&x).require_grad();
            let expected = burns(x.clone());
            let autograd = (expected.clone() * tracked(&dy)).sum().backward();
            close("y", y.into_data(), expected.into_data());
            close("x", dx.into_data(), x.grad(&autograd).unwrap().into_data());
        }
    }
}
