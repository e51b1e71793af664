//! The same bits for any number of threads.

use n2n_kernels::winograd::{self, Source};
use n2n_kernels::{Epilogue, Gradients, Images, Saved, direct, elementwise};
use rayon::ThreadPoolBuilder;

/// Values whose sums depend on their order.
fn values(count: usize, seed: f32) -> Vec<f32> {
    (0..count)
        .map(|i| (i as f32 * 0.731 + seed).sin())
        .collect()
}

const IMAGES: Images = Images {
    batch_size: 21,
    height: 6,
    width: 10,
};

const PIXELS: usize = 21 * 6 * 10;

/// Every result that is a sum, and one that is not.
fn results() -> Vec<Vec<f32>> {
    let (low, x) = (values(PIXELS / 4 * 7, 1.0), values(PIXELS * 5, 2.0));
    let sources = [
        Source {
            values: &low,
            channels: 7,
            upsampled: true,
        },
        Source {
            values: &x,
            channels: 5,
            upsampled: false,
        },
    ];
    let (weight, grad) = (values(9 * 12 * 9, 3.0), values(PIXELS * 9, 4.0));
    let (ones, slope) = (vec![1.0; 9], vec![0.25; 9]);
    let epilogue = Epilogue {
        bias: &ones,
        slope: &slope,
    };
    let output = winograd::forward(IMAGES, &sources, &weight, epilogue);
    let saved = Saved {
        output: &output,
        inverse: &ones,
        slope: &slope,
        grad: &grad,
    };
    let winograds = winograd::backward(IMAGES, &sources, &[true, true], &weight, saved);

    let geometry = direct::Geometry {
        frame: IMAGES,
        positions: [3, 5],
        kernel: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        padding: [0, 0],
    };
    let small = values(PIXELS / 4 * 9, 5.0);
    let kernel = values(9 * 5 * 4, 6.0);
    let saved = Saved {
        output: &small,
        grad: &small,
        ..saved
    };
    let direct = direct::conv2d_backward(geometry, &x, true, &kernel, saved);
    let error = elementwise::squared_error(&x, &values(x.len(), 7.0));
    let mut results = vec![output, vec![error as f32]];
    for gradients in [winograds, direct] {
        let Gradients {
            sources,
            weight,
            bias,
            slope,
        } = gradients;
        results.extend(sources.into_iter().flatten());
        results.extend([weight, bias, slope]);
    }
    results
}

#[test]
fn thread_count_changes_no_bit() {
    let with = |threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(results)
    };
    let bits = |results: Vec<Vec<f32>>| -> Vec<Vec<u32>> {
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect();
        results.into_iter().map(bits).collect()
    };
    let expected = bits(with(1));
    for threads in [2, 3, 7] {
        assert!(bits(with(threads)) == expected, "{threads} threads");
    }
}
