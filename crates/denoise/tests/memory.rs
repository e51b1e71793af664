//! The memory of a tile against its estimate: a separate program, because other tests would allocate too.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used)]

#[path = "model.rs"]
#[allow(dead_code)]
mod model;

use n2n_data::Normalization;
use peak_alloc::PeakAlloc;

use crate::model::{ModelFile, image, simple, unet};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What does not grow with the tile: weights, buffers of threads.
const FIXED: usize = 8 << 20;

#[test]
fn tile_memory_is_within_estimate() {
    for (network, shape) in [
        (unet(3, 32, 4), [3, 480, 640]),
        (unet(1, 16, 3), [1, 480, 640]),
        (unet(1, 16, 3), [3, 320, 480]),
        (simple(3), [3, 480, 640]),
    ] {
        let bytes = network.bytes_per_pixel();
        let [channels, height, width] = shape;
        let batch_size = channels / network.channels().unwrap();
        let model = ModelFile::new(network.clone(), Normalization::None);
        let (denoiser, image) = (model.load(), image(shape));
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let denoised = denoiser.denoise(&image).unwrap();
        let taken = ALLOCATOR.peak_usage() - before - size_of_val(denoised.values());
        let estimate = batch_size * bytes * height * width;
        assert!(
            taken <= estimate + FIXED,
            "{network:?}: {taken} of {estimate}"
        );
        // Nor is memory left unused for nothing.
        assert!(taken >= estimate / 4, "{network:?}: {taken} of {estimate}");
    }
}
