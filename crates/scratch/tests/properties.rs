//! Oracle: identities of any geometry. Values are small integers, exact in f32, so that identities compare
//! by equality.

use burn::tensor::{Device, Tensor};
use n2n_scratch::{ConvGeometry, conv_transpose2d, conv2d, fold, unfold};
use n2n_testing::{cpu_devices, wgpu};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};

/// Random geometries on each CPU backend, for each property.
const CASES: u32 = 64;

/// On wgpu every new shape costs time to build kernels.
const WGPU_CASES: u32 = 3;

#[derive(Clone, Debug)]
struct Layer {
    geometry: ConvGeometry,
    batch_size: usize,
    channels: [usize; 2],
    size: [usize; 2],
    positions: [usize; 2],
    seed: u64,
}

fn layers() -> impl Strategy<Value = Layer> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    let options = (pair(1..4), pair(1..4), pair(1..4), [pair(0..3), pair(0..3)]);
    let sizes = (1..3_usize, pair(1..3), 1..4_usize, pair(1..9), any::<u64>());
    let layer = (options, sizes).prop_map(|(options, sizes)| {
        let (kernel_size, stride, dilation, padding) = options;
        let (batch_size, channels, groups, size, seed) = sizes;
        let channels = channels.map(|channels| channels * groups);
        let geometry = ConvGeometry::new(kernel_size)
            .and_then(|geometry| geometry.with_stride(stride))
            .and_then(|geometry| geometry.with_dilation(dilation))
            .and_then(|geometry| geometry.with_groups(groups, channels[0], channels[1]))
            .unwrap()
            .with_padding(padding);
        let positions = geometry.output_size(size).ok()?;
        Some(Layer {
            geometry,
            batch_size,
            channels,
            size,
            positions,
            seed,
        })
    });
    layer.prop_filter_map("the kernel does not fit", |layer| layer)
}

impl Layer {
    /// Integers from -3 to 3; `stream` tells tensors of one layer apart.
    fn tensor<const D: usize>(&self, stream: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
        let mut state = self.seed.wrapping_add(stream);
        let count = shape.iter().product();
        let values: Vec<f32> = std::iter::repeat_with(|| {
            // Knuth's MMIX generator; its high bits are good.
            state = state.wrapping_mul(6364136223846793005);
            state = state.wrapping_add(1442695040888963407);
            ((state >> 33) % 7) as f32 - 3.0
        })
        .take(count)
        .collect();
        Tensor::<1>::from_data(values.as_slice(), device).reshape(shape)
    }

    fn x(&self, stream: u64, device: &Device) -> Tensor<4> {
        let [height, width] = self.size;
        self.tensor(
            stream,
            [self.batch_size, self.channels[0], height, width],
            device,
        )
    }

    fn y(&self, stream: u64, device: &Device) -> Tensor<4> {
        let [height, width] = self.positions;
        self.tensor(
            stream,
            [self.batch_size, self.channels[1], height, width],
            device,
        )
    }

    fn weight(&self, device: &Device) -> Tensor<4> {
        let [height, width] = self.geometry.kernel_size();
        let channels_in_group = self.channels[0] / self.geometry.groups();
        self.tensor(
            2,
            [self.channels[1], channels_in_group, height, width],
            device,
        )
    }

    /// Pixels at the end that the stride leaves over: the output padding of the way back.
    fn rest(&self) -> [usize; 2] {
        std::array::from_fn(|axis| {
            let geometry = &self.geometry;
            let padding: usize = geometry.padding()[axis].iter().sum();
            let extent = geometry.dilation()[axis] * (geometry.kernel_size()[axis] - 1) + 1;
            (self.size[axis] + padding - extent) % geometry.stride()[axis]
        })
    }
}

fn dot<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f64 {
    let pairs = a.into_data();
    let others = b.into_data();
    pairs
        .iter::<f64>()
        .zip(others.iter::<f64>())
        .map(|(a, b)| a * b)
        .sum()
}

/// Values, compared as numbers because zero has two signs.
fn values(y: Tensor<4>) -> Vec<f32> {
    y.into_data().iter().collect()
}

/// Holds a property on every backend; the first counterexample is shrunk and shown.
fn holds(property: impl Fn(&Layer, &Device) -> Result<(), TestCaseError>) {
    let cases = cpu_devices().map(|device| (device, CASES));
    for (device, cases) in cases
        .into_iter()
        .chain(wgpu().map(|device| (device, WGPU_CASES)))
    {
        // Always the same cases: a property that fails once in a while tells nothing.
        let config = Config {
            failure_persistence: None,
            cases,
            ..Config::default()
        };
        let rng = TestRng::deterministic_rng(config.rng_algorithm);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let result = runner.run(&layers(), |layer| property(&layer, &device));
        if let Err(error) = result {
            panic!("on {device:?}: {error}");
        }
    }
}

#[test]
fn fold_is_the_adjoint_of_unfold() {
    holds(|layer, device| {
        let x = layer.x(0, device);
        let columns = unfold(x.clone(), &layer.geometry);
        let y = layer.tensor(1, columns.dims(), device);
        let folded = fold(y.clone(), &layer.geometry, layer.size);
        prop_assert_eq!(dot(columns, y), dot(x, folded));
        Ok(())
    });
}

#[test]
fn transposed_convolution_is_the_adjoint() {
    holds(|layer, device| {
        let (x, y) = (layer.x(0, device), layer.y(1, device));
        let weight = layer.weight(device);
        let forward = conv2d(x.clone(), weight.clone(), None, &layer.geometry);
        let back = conv_transpose2d(y.clone(), weight, None, &layer.geometry, layer.rest());
        prop_assert_eq!(back.dims(), x.dims());
        prop_assert_eq!(dot(forward, y), dot(x, back));
        Ok(())
    });
}

#[test]
fn convolution_is_linear() {
    holds(|layer, device| {
        let (a, b) = (layer.x(0, device), layer.x(1, device));
        let conv = |x| conv2d(x, layer.weight(device), None, &layer.geometry);
        let whole = conv(a.clone() * 2.0 - b.clone() * 3.0);
        let parts = conv(a) * 2.0 - conv(b) * 3.0;
        prop_assert_eq!(values(whole), values(parts));
        Ok(())
    });
}

#[test]
fn sizes_match_the_geometry() {
    holds(|layer, device| {
        let x = layer.x(0, device);
        let [height, width] = layer.positions;
        let y = conv2d(x.clone(), layer.weight(device), None, &layer.geometry);
        prop_assert_eq!(
            y.dims(),
            [layer.batch_size, layer.channels[1], height, width]
        );
        let kernel: usize = layer.geometry.kernel_size().iter().product();
        prop_assert_eq!(
            unfold(x, &layer.geometry).dims(),
            [layer.batch_size, layer.channels[0] * kernel, height * width]
        );
        prop_assert_eq!(
            layer
                .geometry
                .transposed_size(layer.positions, layer.rest()),
            Ok(layer.size)
        );
        Ok(())
    });
}
