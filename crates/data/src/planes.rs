//! Planes of stored samples, for what is measured of images before training.

use n2n_files::{Raster, Sample, with_samples};

use crate::SceneSource;
use crate::holes::fill_holes;

/// Scenes that are looked at, spread over the set.
const SCENES: usize = 16;

/// The scenes that are looked at.
pub(crate) fn looked_at(source: &dyn SceneSource) -> Vec<usize> {
    let stride = source.len().div_ceil(SCENES).max(1);
    (0..source.len()).step_by(stride).collect()
}

/// The samples of each channel as they are stored, but for holes, which are filled.
pub(crate) fn planes(image: &Raster) -> Vec<Vec<f64>> {
    let area = image.height * image.width;
    with_samples!(&image.samples, samples => samples
        .chunks_exact(area)
        .map(|plane| {
            let mut plane: Vec<f64> = plane.iter().map(|sample| sample.to_f64()).collect();
            fill_holes(&mut plane, image.width);
            plane
        })
        .collect())
}
