//! The backward pass of a graph against Burn's tape over the same ops.

use burn::tensor::{Device, Distribution, FloatDType, Tensor, TensorData};
use n2n_scratch::{
    Activation, Block, ConvGeometry, Direction, Graph, Head, Kernel, Place, Slope, Source,
    conv2d_activated, mse, pooled_conv2d_activated, sigmoid, upsampled_conv2d_activated,
};
use n2n_testing::{cpu_devices, error, wgpu};

/// Largest error over largest value: the tape adds the gradients of shared blocks in another order.
const TOLERANCE: f64 = 1e-5;

/// Images: odd quarters, and neither square nor equal to a number of channels.
const IMAGES: [usize; 4] = [3, 2, 12, 20];

/// Elements before which each parameter starts are a multiple of this, which leaves gaps.
const ALIGNMENT: usize = 64;

/// Gives parameters their places.
#[derive(Default)]
struct Places(usize);

impl Places {
    fn next<const D: usize>(&mut self, shape: [usize; D]) -> Place<D> {
        let start = self.0;
        let end = start + shape.iter().product::<usize>();
        self.0 = end.next_multiple_of(ALIGNMENT);
        Place { start, shape }
    }
}

/// Two encoder blocks of the same weights, a bottom, two decoder blocks, one of them with the input as its skip; all
/// kinds of slopes; a block that nothing reads. Also the number of elements.
fn graph(head: Head) -> (Graph, usize, Vec<Block>) {
    let mut places = Places::default();
    let block = |x, skip, [channels, out]: [usize; 2], slope, places: &mut Places| Block {
        kernel: Kernel::Same3x3,
        x,
        skip,
        pooled: false,
        weight: places.next([out, channels, 3, 3]),
        bias: places.next([out]),
        slope,
    };
    let scalar = Slope::Learned(places.next([1]));
    let mut of_channels = |channels| Slope::Learned(places.next([channels]));
    let slopes = [of_channels(5), of_channels(6), of_channels(3)];
    let first = block(Source::Input, None, [2, 5], scalar, &mut places);
    let encoder = Block {
        pooled: true,
        ..block(Source::Block(0), None, [5, 5], slopes[0], &mut places)
    };
    let again = Block {
        x: Source::Block(1),
        ..encoder.clone()
    };
    let bottom = block(Source::Block(2), None, [5, 5], scalar, &mut places);
    let skip = Some(Source::Block(1));
    let decoder = block(Source::Block(3), skip, [10, 6], slopes[1], &mut places);
    let relu = Slope::Constant(0.0);
    let inner = block(Source::Block(4), None, [6, 4], relu, &mut places);
    let skip = Some(Source::Input);
    let upper = block(Source::Block(5), skip, [6, 3], slopes[2], &mut places);
    let unread = block(Source::Block(5), None, [4, 1], relu, &mut places);
    let linear = Slope::Constant(1.0);
    let last = block(Source::Block(6), None, [3, 2], linear, &mut places);
    let blocks = vec![
        first, encoder, again, bottom, decoder, inner, upper, unread, last,
    ];
    (Graph::new(blocks.clone(), head), places.0, blocks)
}

fn random<const D: usize>(seed: u64, shape: [usize; D]) -> TensorData {
    let device = Device::flex();
    device.seed(seed);
    Tensor::<D>::random(shape, Distribution::Uniform(-0.5, 0.5), &device).into_data()
}

/// The loss and the gradient by Burn's tape, on the CPU.
fn by_tape(blocks: &[Block], head: Head, elements: usize) -> [TensorData; 2] {
    let device = Device::flex().autodiff();
    let vector = Tensor::<1>::from_data(random(1, [elements]), &device).require_grad();
    let input = Tensor::<4>::from_data(random(2, IMAGES), &device);
    let target = Tensor::<4>::from_data(random(3, IMAGES), &device);
    fn of<const D: usize>(vector: &Tensor<1>, place: Place<D>) -> Tensor<D> {
        let elements = place.shape.iter().product::<usize>();
        let range = place.start..place.start + elements;
        vector.clone().slice([range]).reshape(place.shape)
    }
    let geometry = ConvGeometry::new([3, 3]).unwrap();
    let geometry = geometry.with_padding([[1, 1], [1, 1]]);
    let mut outputs: Vec<Tensor<4>> = Vec::new();
    for block in blocks {
        let images = |source| match source {
            Source::Input => input.clone(),
            Source::Block(index) => outputs[index].clone(),
        };
        let (x, skip) = (images(block.x), block.skip.map(images));
        let weight = of(&vector, block.weight);
        let bias = Some(of(&vector, block.bias));
        let activation = match block.slope {
            Slope::Learned(place) => Activation::PReLU(of(&vector, place)),
            Slope::Constant(0.0) => Activation::ReLU,
            Slope::Constant(_) => Activation::Linear,
        };
        outputs.push(match skip {
            Some(skip) => upsampled_conv2d_activated(x, skip, weight, bias, activation),
            None if block.pooled => pooled_conv2d_activated(x, weight, bias, activation),
            None => conv2d_activated(x, weight, bias, activation, &geometry),
        });
    }
    let last = outputs.pop().unwrap();
    let output = match head {
        Head::Sigmoid => sigmoid(last),
        Head::Residual => input + last,
        Head::Linear => last,
    };
    let loss = mse(output, target);
    let gradients = loss.backward();
    let gradient = vector.grad(&gradients).unwrap();
    [loss.into_data(), gradient.into_data()]
}

#[test]
fn losses_and_gradients_equal_those_of_the_tape() {
    for head in [Head::Sigmoid, Head::Residual, Head::Linear] {
        let (graph, elements, blocks) = graph(head);
        let expected = by_tape(&blocks, head, elements);
        for device in cpu_devices().into_iter().chain(wgpu()) {
            let (loss, gradient) = graph.loss_and_gradient(
                Tensor::from_data(random(1, [elements]), &device),
                Tensor::from_data(random(2, IMAGES), &device),
                Tensor::from_data(random(3, IMAGES), &device),
            );
            let found = [loss.into_data(), gradient.into_data()];
            for (found, expected) in found.iter().zip(&expected) {
                let error = error(found, expected);
                assert!(error < TOLERANCE, "{device:?}, {head:?}: {error:e}");
            }
        }
    }
}

/// Loss and gradient, with outputs of blocks stored as a type.
fn stored_as(
    graph: &Graph,
    elements: usize,
    stored: FloatDType,
    device: &Device,
) -> [TensorData; 2] {
    let (loss, gradient) = graph.clone().storing(stored).loss_and_gradient(
        Tensor::from_data(random(1, [elements]), device),
        Tensor::from_data(random(2, IMAGES), device),
        Tensor::from_data(random(3, IMAGES), device),
    );
    [loss.into_data(), gradient.into_data()]
}

#[test]
fn outputs_stored_as_f16_are_rounded_and_sums_are_not() {
    /// A gradient changes by the values of the linear parts, which the CPU does not round.
    const ROUNDING: f64 = 2e-3;
    let Some(device) = wgpu() else {
        return;
    };
    assert!(
        device.supports_dtype(FloatDType::F16),
        "no f16 on {device:?}"
    );
    let (with_skips, skips_elements, _) = graph(Head::Residual);
    let (strides, strides_elements) = strided(Head::Sigmoid);
    for (graph, elements) in [(with_skips, skips_elements), (strides, strides_elements)] {
        let on_device = |stored| stored_as(&graph, elements, stored, &device);
        let (f16, f32) = (on_device(FloatDType::F16), on_device(FloatDType::F32));
        let expected = stored_as(&graph, elements, FloatDType::F16, &Device::flex());
        for ((f16, f32), expected) in f16.iter().zip(&f32).zip(&expected) {
            let from_f32 = error(f16, f32);
            assert!(from_f32 > 0.0 && from_f32 < ROUNDING, "{from_f32:e}");
            let from_rounded = error(f16, expected);
            assert!(from_rounded < ROUNDING, "{from_rounded:e}");
            // Rounding on the CPU tells most of the difference.
            assert!(from_rounded < from_f32, "{from_rounded:e}, {from_f32:e}");
        }
    }
}

/// A strided convolution with slopes of channels, and a transposed one after it.
fn strided(head: Head) -> (Graph, usize) {
    let mut places = Places::default();
    let geometry = ConvGeometry::new([3, 2]).unwrap();
    let geometry = geometry.with_stride([3, 2]).unwrap();
    let mut block = |x, direction, weight, channels, slope: Option<usize>| Block {
        kernel: Kernel::Other(direction, geometry),
        x,
        skip: None,
        pooled: false,
        weight: places.next(weight),
        bias: places.next([channels]),
        slope: slope.map_or(Slope::Constant(1.0), |slopes| {
            Slope::Learned(places.next([slopes]))
        }),
    };
    let blocks = vec![
        block(Source::Input, Direction::Forward, [5, 2, 3, 2], 5, Some(5)),
        block(
            Source::Block(0),
            Direction::Transposed,
            [5, 2, 3, 2],
            2,
            None,
        ),
    ];
    (Graph::new(blocks, head), places.0)
}

#[test]
fn strided_convolutions_have_the_gradients_of_central_differences() {
    /// The third derivative along a way of 1/16, and the rounding of two losses in f32.
    const TOLERANCE: f64 = 2e-3;
    let (graph, elements) = strided(Head::Sigmoid);
    let parameters: Vec<f32> = random(1, [elements]).iter().collect();
    for device in cpu_devices().into_iter().chain(wgpu()) {
        let at = |direction: &[f32], step: f32| {
            let moved = parameters.iter().zip(direction);
            let moved: Vec<f32> = moved.map(|(value, by)| value + step * by).collect();
            let (loss, gradient) = graph.loss_and_gradient(
                Tensor::from_data(TensorData::from(moved.as_slice()), &device),
                Tensor::from_data(random(2, IMAGES), &device),
                Tensor::from_data(random(3, IMAGES), &device),
            );
            (loss.into_scalar::<f64>(), gradient.into_data())
        };
        // The steepest way is the one of which the loss says most.
        let (_, gradient) = at(&parameters, 0.0);
        let gradient: Vec<f32> = gradient.iter().collect();
        let norm = gradient
            .iter()
            .map(|value| value * value)
            .sum::<f32>()
            .sqrt();
        let direction: Vec<f32> = gradient.iter().map(|value| value / norm).collect();
        let (along, step) = (f64::from(norm), 1.0 / 32.0);
        let difference = at(&direction, step).0 - at(&direction, -step).0;
        let difference = difference / (2.0 * f64::from(step));
        let error = ((along - difference) / difference).abs();
        assert!(error < TOLERANCE, "{device:?}: {along} {difference}");
    }
}

#[test]
#[should_panic(expected = "block 0 reads")]
fn blocks_read_what_is_before_them() {
    let (_, _, blocks) = graph(Head::Linear);
    Graph::new(blocks[1..].to_vec(), Head::Linear);
}
