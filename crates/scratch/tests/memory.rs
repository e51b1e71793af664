//! The peak of memory is a formula, and does not grow with the unfolded batch.

use burn::tensor::{Device, Tensor};
use n2n_scratch::{ConvGeometry, MAX_TILE_ELEMENTS, conv2d};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Bytes of an f32.
const ELEMENT: usize = 4;

/// Memory that does not grow with the sizes: the tape, thread pools, packed panels of matrix products.
const CONSTANT: usize = 4 << 20;

/// Bytes at the peak of `run`, above those before it.
fn peak<T>(run: impl FnOnce() -> T) -> usize {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    drop(run());
    ALLOCATOR.peak_usage().saturating_sub(before)
}

/// Needs one process per test: other tests would allocate too.
#[test]
fn peak_memory_follows_the_readme_formula() {
    let device = Device::flex().autodiff();
    // Groups have no kernel, so that columns are what is computed with.
    let (x_shape, weight_shape) = ([4, 8, 192, 160], [6, 4, 7, 5]);
    let x = Tensor::<4>::ones(x_shape, &device).require_grad();
    let weight = Tensor::<4>::ones(weight_shape, &device).require_grad();
    let geometry = ConvGeometry::new([7, 5])
        .and_then(|geometry| geometry.with_groups(2, 8, 6))
        .unwrap()
        .with_padding([[3, 3], [2, 2]]);

    let y_elements = 4 * 6 * 192 * 160;
    let frame = 4 * 8 * (192 + 6) * (160 + 4);
    let columns = 8 * 7 * 5 * (4 * 192 * 160);
    let tile = MAX_TILE_ELEMENTS;
    let forward = ELEMENT * (frame + 3 * y_elements + 2 * tile) + CONSTANT;
    let backward = ELEMENT * (4 * frame + 3 * y_elements + 2 * tile) + CONSTANT;
    assert!(
        backward < ELEMENT * columns / 2,
        "a size that tells the two apart"
    );

    let got = peak(|| conv2d(x.clone(), weight.clone(), None, &geometry));
    assert!(got <= forward, "forward: {got} bytes, formula {forward}");
    assert!(
        got >= ELEMENT * tile,
        "forward: {got} bytes, one tile is more"
    );
    let loss = conv2d(x, weight, None, &geometry).sum();
    let got = peak(|| loss.backward());
    assert!(got <= backward, "backward: {got} bytes, formula {backward}");
}

#[test]
fn kernels_allocate_no_columns() {
    let device = Device::flex().autodiff();
    let x = Tensor::<4>::ones([4, 8, 192, 160], &device).require_grad();
    let weight = Tensor::<4>::ones([6, 8, 7, 5], &device).require_grad();
    let geometry = ConvGeometry::new([7, 5])
        .unwrap()
        .with_padding([[3, 3], [2, 2]]);
    let (x_elements, y_elements) = (4 * 8 * 192 * 160, 4 * 6 * 192 * 160);
    // The image in another order, and the output.
    let forward = ELEMENT * (x_elements + y_elements) + CONSTANT;
    let got = peak(|| conv2d(x.clone(), weight.clone(), None, &geometry));
    assert!(got <= forward, "forward: {got} bytes, formula {forward}");
    // The same, the gradient in another order, and those by output and image.
    let backward = ELEMENT * (2 * x_elements + 3 * y_elements) + CONSTANT;
    let loss = conv2d(x, weight, None, &geometry).sum();
    let got = peak(|| loss.backward());
    assert!(got <= backward, "backward: {got} bytes, formula {backward}");
}
