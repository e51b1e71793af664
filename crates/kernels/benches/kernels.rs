//! The kernels at sizes of the reference networks, 16 images: `cargo bench --workspace --bench kernels`.

use divan::{Bencher, black_box};
use n2n_kernels::winograd::{self, Source};
use n2n_kernels::{Epilogue, Images, Saved, direct, elementwise, layout, pool};

fn main() {
    divan::main();
}

const BATCH_SIZE: usize = 16;

/// Side of the output, channels in and out.
const CONVOLUTIONS: [[usize; 3]; 3] = [[32, 32, 32], [16, 64, 64], [4, 64, 64]];

fn images(side: usize) -> Images {
    Images {
        batch_size: BATCH_SIZE,
        height: side,
        width: side,
    }
}

fn pixels(side: usize) -> usize {
    BATCH_SIZE * side * side
}

/// Calls with a convolution's input, weight and output gradient, and slopes.
fn with_operands(
    [side, channels_in, channels_out]: [usize; 3],
    run: impl FnOnce(&[f32], &[f32], &[f32], &[f32]),
) {
    let x = vec![0.5; pixels(side) * channels_in];
    let weight = vec![0.01; channels_out * channels_in * 9];
    let grad = vec![0.5; pixels(side) * channels_out];
    run(&x, &weight, &grad, &vec![0.25; channels_out]);
}

#[divan::bench(args = CONVOLUTIONS)]
fn winograd_forward(bencher: Bencher, size: [usize; 3]) {
    with_operands(size, |x, weight, _, slope| {
        let source = Source {
            values: x,
            channels: size[1],
            upsampled: false,
        };
        let epilogue = Epilogue { bias: slope, slope };
        bencher.bench_local(|| winograd::forward(images(size[0]), &[source], weight, epilogue));
    });
}

#[divan::bench(args = CONVOLUTIONS)]
fn winograd_backward(bencher: Bencher, size: [usize; 3]) {
    with_operands(size, |x, weight, grad, slope| {
        let source = Source {
            values: x,
            channels: size[1],
            upsampled: false,
        };
        let saved = Saved {
            output: grad,
            inverse: slope,
            slope,
            grad,
        };
        let images = images(size[0]);
        bencher.bench_local(|| winograd::backward(images, &[source], &[true], weight, saved));
    });
}

/// The simple net's second convolution.
#[divan::bench]
fn direct_forward(bencher: Bencher) {
    let geometry = direct::Geometry {
        frame: images(16),
        positions: [8, 8],
        kernel: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        padding: [0, 0],
    };
    let (x, weight) = (vec![0.5; pixels(16) * 64], vec![0.01; 64 * 64 * 4]);
    let slope = vec![0.0; 64];
    let epilogue = Epilogue {
        bias: &slope,
        slope: &slope,
    };
    bencher.bench_local(|| direct::conv2d(geometry, &x, &weight, epilogue));
}

#[divan::bench]
fn max_pool(bencher: Bencher) {
    let x = vec![0.5; pixels(32) * 32];
    bencher.bench_local(|| pool::max_pool(images(32), 32, black_box(&x)));
}

#[divan::bench]
fn sigmoid(bencher: Bencher) {
    let x = vec![0.5; pixels(32) * 3];
    bencher.bench_local(|| elementwise::sigmoid(black_box(&x)));
}

#[divan::bench]
fn channels_last(bencher: Bencher) {
    let x = vec![0.5; pixels(32) * 3];
    bencher.bench_local(|| layout::channels_last(images(32), 3, black_box(&x)));
}
