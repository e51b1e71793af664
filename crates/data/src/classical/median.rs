use rayon::prelude::*;

use super::{assert_shape, symmetric};

/// Median of the `size x size` pixels around each, each channel by itself.
///
/// Images are continued by reflection, their outermost pixels repeated. This is
/// `scipy.ndimage.median_filter(x, (1, size, size), mode="reflect")`.
///
/// # Shapes
/// - `image`: `shape`, `[channels, height, width]`
/// - returns the same
///
/// # Panics
/// If `image` is not of `shape` or has no pixel, or `size` is even.
pub fn median(image: &[f32], shape: [usize; 3], size: usize) -> Vec<f32> {
    assert_shape(image, shape);
    assert!(
        !size.is_multiple_of(2),
        "a window of {size} pixels a side has no middle"
    );
    let [_, height, width] = shape;
    let radius = (size / 2) as isize;
    let columns = -radius..width as isize + radius;
    let columns: Vec<usize> = columns.map(|x| symmetric(x, width)).collect();
    let mut medians = vec![0.0; image.len()];
    let rows = medians.par_chunks_exact_mut(width).enumerate();
    rows.for_each(|(row, medians)| {
        let (plane, y) = (row / height, (row % height) as isize);
        let continued = (-radius..=radius).flat_map(|offset| {
            let from = plane * height + symmetric(y + offset, height);
            columns.iter().map(move |x| image[from * width + x])
        });
        let continued: Vec<f32> = continued.collect();
        let mut window = Vec::with_capacity(size * size);
        for (x, median) in medians.iter_mut().enumerate() {
            window.clear();
            for row in continued.chunks_exact(columns.len()) {
                window.extend_from_slice(&row[x..][..size]);
            }
            let middle = window.len() / 2;
            *median = *window.select_nth_unstable_by(middle, f32::total_cmp).1;
        }
    });
    medians
}
