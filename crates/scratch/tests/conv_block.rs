//! The fused convolutions and the pooling against Burn's own ops, differentiated by Burn's autodiff.

use burn::tensor::ops::{
    ConvOptions, ConvTransposeOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions,
};
use burn::tensor::{Device, Distribution, Tensor, TensorData, module};
use n2n_scratch::{
    Activation, ConvGeometry, conv_transpose2d_activated, conv2d_activated, max_pool2x2,
    mse_per_image, pooled_conv2d_activated, prelu, upsampled_conv2d_activated,
};
use n2n_testing::{cpu_devices, error, wgpu};

/// Largest error over largest value: Winograd's transforms add a few roundings to those of the sums.
const TOLERANCE: f64 = 1e-5;

/// Devices with fused convolutions, each with the one that computes what is expected: Burn's own ops on a graphics
/// device would search for the fastest kernels of every shape.
fn devices() -> impl Iterator<Item = (Device, Device)> {
    let gpu = wgpu().map(|gpu| (gpu, Device::flex()));
    cpu_devices()
        .map(|cpu| (cpu.clone(), cpu))
        .into_iter()
        .chain(gpu)
}

fn random<const D: usize>(seed: u64, shape: [usize; D]) -> TensorData {
    let device = Device::flex();
    device.seed(seed);
    Tensor::<D>::random(shape, Distribution::Uniform(-1.0, 1.0), &device).into_data()
}

struct Case {
    x: [usize; 4],
    /// Channels that are concatenated after upsampling.
    skip: Option<usize>,
    channels_out: usize,
    slopes: Vec<f32>,
}

fn cases() -> Vec<Case> {
    let case = |x, skip, channels_out, slopes: &[f32]| Case {
        x,
        skip,
        channels_out,
        slopes: slopes.to_vec(),
    };
    vec![
        case([3, 5, 6, 4], None, 7, &[0.25]),
        case([2, 3, 5, 7], None, 2, &[0.25, 0.1]),
        case([2, 16, 3, 4], Some(5), 3, &[0.3, 0.2, 0.1]),
        case([3, 4, 2, 3], Some(3), 2, &[0.25]),
        // Slopes that don't give back what was before the activation: none, tiny, negative.
        case([2, 4, 6, 5], None, 3, &[0.0]),
        case([2, 4, 6, 5], Some(2), 3, &[0.25, 1e-6, 0.5]),
        case([2, 4, 6, 5], None, 3, &[-0.5, 0.25, 0.1]),
        // More channels than a cube of a graphics device takes at a time, on both sides.
        case([2, 40, 5, 7], None, 70, &[0.25]),
        case([2, 64, 4, 2], Some(3), 64, &[0.25]),
    ]
}

/// The output and the gradients of `sum(y * dy)` by everything.
fn values_and_gradients(case: &Case, device: &Device, fused: bool) -> Vec<TensorData> {
    let device = device.clone().autodiff();
    let [batch_size, channels, height, width] = case.x;
    let channels_in = channels + case.skip.unwrap_or(0);
    let scale = if case.skip.is_some() { 2 } else { 1 };
    let size = [scale * height, scale * width];
    let tracked = |data| Tensor::<4>::from_data(data, &device).require_grad();
    let x = tracked(random(1, case.x));
    let skip = case
        .skip
        .map(|channels| tracked(random(2, [batch_size, channels, size[0], size[1]])));
    let weight = tracked(random(3, [case.channels_out, channels_in, 3, 3]));
    let bias = Tensor::<1>::from_data(random(4, [case.channels_out]), &device).require_grad();
    let slope = Tensor::<1>::from_data(TensorData::from(case.slopes.as_slice()), &device);
    let slope = slope.require_grad();
    let geometry = ConvGeometry::new([3, 3]).unwrap();
    let geometry = geometry.with_padding([[1, 1], [1, 1]]);

    let (w, b, a) = (weight.clone(), Some(bias.clone()), slope.clone());
    let y = match (fused, &skip) {
        (true, None) => conv2d_activated(x.clone(), w, b, Activation::PReLU(a), &geometry),
        (true, Some(skip)) => {
            let activation = Activation::PReLU(a);
            upsampled_conv2d_activated(x.clone(), skip.clone(), w, b, activation)
        }
        (false, skip) => {
            let concatenated = match skip {
                Some(skip) => {
                    let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
                    let x = module::interpolate(x.clone(), nearest.with_scale_factor([2.0, 2.0]));
                    Tensor::cat(vec![x, skip.clone()], 1)
                }
                None => x.clone(),
            };
            let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
            prelu(module::conv2d(concatenated, w, b, options), a)
        }
    };
    let dy = Tensor::<4>::from_data(random(5, y.dims()), &device);
    let gradients = (y.clone() * dy).sum().backward();
    let mut values = vec![y.into_data(), x.grad(&gradients).unwrap().into_data()];
    values.extend(skip.map(|skip| skip.grad(&gradients).unwrap().into_data()));
    values.push(weight.grad(&gradients).unwrap().into_data());
    values.push(bias.grad(&gradients).unwrap().into_data());
    values.push(slope.grad(&gradients).unwrap().into_data());
    values
}

#[test]
fn fused_convolutions_match_their_single_ops() {
    for (device, reference) in devices() {
        for case in cases() {
            let got = values_and_gradients(&case, &device, true);
            let expected = values_and_gradients(&case, &reference, false);
            for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
                let error = error(got, expected);
                let place = (case.x, case.skip, &case.slopes);
                assert!(error <= TOLERANCE, "value {i} of {place:?}: {error:e}");
            }
        }
    }
}

/// The output and the gradients of `sum(y * dy)` of a convolution of another geometry.
fn strided(
    device: &Device,
    transposed: bool,
    fused: bool,
    activation: &Activation,
) -> Vec<TensorData> {
    let device = device.clone().autodiff();
    let tracked = |data| Tensor::<4>::from_data(data, &device).require_grad();
    // The side with more pixels comes first: 7x6 to 4x2 and back to 7x5.
    let (x, weight, bias) = if transposed {
        (
            random(1, [2, 3, 4, 2]),
            random(2, [3, 5, 3, 2]),
            random(3, [5]),
        )
    } else {
        (
            random(1, [2, 3, 7, 6]),
            random(2, [5, 3, 3, 2]),
            random(3, [5]),
        )
    };
    let (x, weight) = (tracked(x), tracked(weight));
    let bias = Tensor::<1>::from_data(bias, &device).require_grad();
    let geometry = ConvGeometry::new([3, 2])
        .and_then(|geometry| geometry.with_stride([2, 3]))
        .unwrap()
        .with_padding([[1, 1], [0, 0]]);
    let (w, b) = (weight.clone(), Some(bias.clone()));
    let y = match (transposed, fused) {
        (false, true) => conv2d_activated(x.clone(), w, b, activation.clone(), &geometry),
        (true, true) => {
            let activation = activation.clone();
            conv_transpose2d_activated(x.clone(), w, b, activation, &geometry, [0, 0])
        }
        (transposed, false) => {
            let z = if transposed {
                let options = ConvTransposeOptions::new([2, 3], [1, 0], [0, 0], [1, 1], 1);
                module::conv_transpose2d(x.clone(), w, b, options)
            } else {
                let options = ConvOptions::new([2, 3], [1, 0], [1, 1], 1);
                module::conv2d(x.clone(), w, b, options)
            };
            match activation {
                Activation::Linear => z,
                Activation::ReLU => burn::tensor::activation::relu(z),
                Activation::PReLU(alpha) => burn::tensor::activation::prelu(z, alpha.clone()),
            }
        }
    };
    let dy = Tensor::<4>::from_data(random(5, y.dims()), &device);
    let gradients = (y.clone() * dy).sum().backward();
    vec![
        y.into_data(),
        x.grad(&gradients).unwrap().into_data(),
        weight.grad(&gradients).unwrap().into_data(),
        bias.grad(&gradients).unwrap().into_data(),
    ]
}

#[test]
fn any_geometry_takes_any_activation() {
    for (device, reference) in devices() {
        let slope = |device| Tensor::<1>::from_data([0.3, -0.2, 0.1, 0.0, 2.0], device);
        for activation in [
            |_: Tensor<1>| Activation::Linear,
            |_| Activation::ReLU,
            Activation::PReLU,
        ] {
            for transposed in [false, true] {
                let [activation, expected] = [&device, &reference].map(|on| activation(slope(on)));
                let got = strided(&device, transposed, true, &activation);
                let expected = strided(&reference, transposed, false, &expected);
                for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
                    let error = error(got, expected);
                    let place = (transposed, &activation);
                    assert!(error <= TOLERANCE, "value {i} of {place:?}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn errors_of_each_image_match_burns() {
    for (device, reference) in devices() {
        let (x, y) = (random(1, [3, 2, 5, 37]), random(2, [3, 2, 5, 37]));
        let on = |data: &TensorData, device| Tensor::<4>::from_data(data.clone(), device);
        let got = mse_per_image(on(&x, &device), on(&y, &device)).into_data();
        let squares = (on(&x, &reference) - on(&y, &reference)).square();
        let expected = squares.flatten::<2>(1, 3).mean_dim(1).squeeze_dim::<1>(1);
        let error = error(&got, &expected.into_data());
        assert!(error <= TOLERANCE, "{error:e}");
    }
}

#[test]
fn pooling_gradient_goes_to_the_first_maximum() {
    for device in cpu_devices() {
        let device = device.autodiff();
        // A tie, a NaN, and an odd column that no pool reaches.
        let image = [[1.0, 3.0, f32::NAN, 5.0, 9.0], [3.0, 2.0, 4.0, 6.0, 9.0]];
        let x = Tensor::<4>::from_data([[image]], &device).require_grad();
        let y = max_pool2x2(x.clone());
        let weights = Tensor::<4>::from_data([[[[2.0, 7.0]]]], &device);
        let grad = (y.clone() * weights).sum().backward();
        let y = y.into_data().try_into_vec::<f32>().unwrap();
        assert!(y[0] == 3.0 && y[1].is_nan(), "{y:?}");
        let expected = [[0.0, 2.0, 7.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0_f32]];
        let grad = x.grad(&grad).unwrap().into_data();
        assert_eq!(grad, TensorData::from([[expected]]));
    }
}

#[test]
fn pooled_convolutions_pass_the_gradient_to_the_first_maximum() {
    for (device, _) in devices() {
        let device = device.autodiff();
        // Pixels that are all equal stay so: the kernel is the identity.
        let x = Tensor::<4>::full([2, 1, 3, 4], 0.5, &device).require_grad();
        let mut identity = [0.0_f32; 9];
        identity[4] = 1.0;
        let weight = Tensor::<1>::from_data(identity, &device).reshape([1, 1, 3, 3]);
        let y = pooled_conv2d_activated(x.clone(), weight, None, Activation::ReLU);
        assert_eq!(y.dims(), [2, 1, 1, 2]);
        let dy = Tensor::<4>::from_data([[[[2.0, 3.0]]], [[[4.0, 5.0]]]], &device);
        let gradients = (y * dy).sum().backward();
        let got = x.grad(&gradients).unwrap().into_data();
        let image = |a: f32, b: f32| [[[a, 0.0, b, 0.0], [0.0; 4], [0.0; 4]]];
        assert_eq!(got, TensorData::from([image(2.0, 3.0), image(4.0, 5.0)]));
    }
}

#[test]
fn pooled_convolutions_pass_on_what_is_no_number() {
    for (device, _) in devices() {
        let mut image = [[0.5; 4]; 5];
        // Reaches the last pixel of the first pool.
        image[2][2] = f32::NAN;
        let x = Tensor::<4>::from_data([[image]], &device);
        let weight = Tensor::<4>::ones([1, 1, 3, 3], &device);
        let y = pooled_conv2d_activated(x, weight, None, Activation::ReLU);
        let y = y.into_data().try_into_vec::<f32>().unwrap();
        assert!(y.len() == 4 && y.iter().all(|y| y.is_nan()), "{y:?}");
    }
}

#[test]
fn the_gradient_by_skip_alone_is_there() {
    for (device, _) in devices() {
        let device = device.autodiff();
        let random = |seed, shape| Tensor::<4>::from_data(random(seed, shape), &device);
        let (x, skip) = (
            random(1, [2, 3, 2, 3]),
            random(2, [2, 4, 4, 6]).require_grad(),
        );
        let weight = random(3, [5, 7, 3, 3]);
        let y = upsampled_conv2d_activated(x, skip.clone(), weight, None, Activation::Linear);
        let gradient = skip.grad(&y.sum().backward()).unwrap();
        assert!(gradient.abs().max().into_scalar::<f32>() > 0.0);
    }
}

#[test]
fn pooling_matches_burn() {
    for device in cpu_devices() {
        let device = device.autodiff();
        let pooled = |pool: fn(Tensor<4>) -> Tensor<4>| {
            let x = Tensor::<4>::from_data(random(6, [2, 3, 6, 4]), &device).require_grad();
            let y = pool(x.clone());
            let dy = Tensor::<4>::from_data(random(7, [2, 3, 3, 2]), &device);
            let gradients = (y.clone() * dy).sum().backward();
            [y.into_data(), x.grad(&gradients).unwrap().into_data()]
        };
        let burns = |x| module::max_pool2d(x, MaxPoolOptions::new([2, 2]));
        assert_eq!(pooled(max_pool2x2), pooled(burns));
    }
}
