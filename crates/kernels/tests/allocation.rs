//! What a training step of the reference U-Net allocates beside its results.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use n2n_kernels::winograd::{self, Source};
use n2n_kernels::{Epilogue, Gradients, Images, Saved, elementwise, layout, pool};

/// Counts the bytes that are asked for.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code)]
// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that a step may allocate beside its results.
const LIMIT: usize = 1 << 20;

const BATCH_SIZE: usize = 16;

/// Side of the images, channels of the upsampled source if there is one, other channels in, channels out.
const LAYERS: [(usize, usize, usize, usize); 15] = [
    (32, 0, 3, 32),
    (32, 0, 32, 32),
    (16, 0, 32, 32),
    (8, 0, 32, 32),
    (4, 0, 32, 32),
    (2, 0, 32, 32),
    (4, 32, 32, 64),
    (4, 0, 64, 64),
    (8, 64, 32, 64),
    (8, 0, 64, 64),
    (16, 64, 32, 64),
    (16, 0, 64, 64),
    (32, 64, 3, 32),
    (32, 0, 32, 21),
    (32, 0, 21, 3),
];

/// Bytes of all results of a step: what the caller keeps.
fn step() -> usize {
    let mut kept = 0;
    let mut keep = |values: Vec<f32>| kept += size_of_val(values.as_slice());
    for (side, upsampled, channels_in, channels_out) in LAYERS {
        let images = Images {
            batch_size: BATCH_SIZE,
            height: side,
            width: side,
        };
        let pixels = BATCH_SIZE * side * side;
        let low = vec![0.5; pixels / 4 * upsampled];
        let x = vec![0.5; pixels * channels_in];
        let sources = [
            Source {
                values: &low,
                channels: upsampled,
                upsampled: true,
            },
            Source {
                values: &x,
                channels: channels_in,
                upsampled: false,
            },
        ];
        let sources = if upsampled > 0 {
            &sources[..]
        } else {
            &sources[1..]
        };
        let weight = vec![0.01; channels_out * (upsampled + channels_in) * 9];
        let slope = vec![0.25; channels_out];
        let epilogue = Epilogue {
            bias: &slope,
            slope: &slope,
        };
        let output = winograd::forward(images, sources, &weight, epilogue);
        let saved = Saved {
            output: &output,
            inverse: &slope,
            slope: &slope,
            grad: &output,
        };
        let wanted = vec![true; sources.len()];
        let gradients = winograd::backward(images, sources, &wanted, &weight, saved);
        if upsampled == 0 && channels_in == channels_out {
            keep(pool::max_pool(images, channels_out, &output));
            let pooled = vec![0.5; pixels / 4 * channels_out];
            keep(pool::max_pool_backward(
                images,
                channels_out,
                &output,
                &pooled,
            ));
            keep(pooled);
        }
        if channels_out == 3 {
            let y = elementwise::sigmoid(&output);
            // The target's order is changed for the loss; nobody keeps it.
            let target = layout::channels_last(images, 3, &output);
            assert!(elementwise::squared_error(&y, &target) >= 0.0);
            let grad = elementwise::scaled_difference(&y, &target, 1.0);
            keep(elementwise::sigmoid_backward(&y, &grad));
            keep(grad);
            keep(y);
        }
        let Gradients {
            sources,
            weight: weight_grad,
            bias,
            slope: slope_grad,
        } = gradients;
        sources.into_iter().flatten().for_each(&mut keep);
        // The operands are the caller's too.
        for values in [low, x, weight, slope, output, weight_grad, bias, slope_grad] {
            keep(values);
        }
    }
    kept
}

#[test]
fn steady_step_allocates_little_beside_its_results() {
    // Working memory grows to what it needs, then is used again.
    for _ in 0..8 {
        step();
    }
    let before = ALLOCATED.load(Ordering::Relaxed);
    let kept = step();
    let beside = ALLOCATED.load(Ordering::Relaxed) - before - kept;
    println!("{beside} bytes beside {kept} of results");
    assert!(beside <= LIMIT, "{beside} bytes, at most {LIMIT}");
}
