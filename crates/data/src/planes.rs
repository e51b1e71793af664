//! Planes of stored samples, for what is measured of images before training.

use n2n_files::{Raster, Region, Sample, with_samples};

use crate::holes::fill_holes;
use crate::{DataError, SceneSource, View};

/// Scenes that are looked at, spread over the set.
const SCENES: usize = 16;

/// Longest side in pixels of what is looked at: more says nothing more, and many threads look at once.
const SIDE: usize = 1024;

/// The middle of an image of a scene.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn look(
    source: &dyn SceneSource,
    scene: usize,
    view: View,
) -> Result<Raster, DataError> {
    Ok(middle(&*source.look(scene, view)?, SIDE))
}

/// The middle of an image, of up to `side` x `side` pixels.
pub(crate) fn middle(image: &Raster, side: usize) -> Raster {
    let [_, rows, columns] = image.shape();
    let [height, width] = [rows, columns].map(|length| length.min(side));
    image.cropped(Region {
        top: (rows - height) / 2,
        left: (columns - width) / 2,
        height,
        width,
    })
}

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
