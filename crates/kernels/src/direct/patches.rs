//! Unfolding patches of an image into rows, and its adjoint.

use std::ops::Range;

use super::geometry::Geometry;

/// `columns[position, (tap, channel)]`, a row of `stride` values for each position of an image.
#[inline(always)]
pub(super) fn unfold(
    geometry: &Geometry,
    channels: usize,
    image: &[f32],
    positions: Range<usize>,
    columns: &mut [f32],
    stride: usize,
) {
    for (position, columns) in positions.zip(columns.chunks_exact_mut(stride)) {
        for run in geometry.runs(position, channels) {
            let length = run.columns.len();
            match run.frame {
                Some(at) => columns[run.columns].copy_from_slice(&image[at..at + length]),
                None => columns[run.columns].fill(0.0),
            }
        }
    }
}

/// Adds `columns[position, (tap, channel)]` to the pixels that [`unfold`] reads.
#[inline(always)]
pub(super) fn fold(
    geometry: &Geometry,
    channels: usize,
    columns: &[f32],
    stride: usize,
    positions: Range<usize>,
    image: &mut [f32],
) {
    for (position, columns) in positions.zip(columns.chunks_exact(stride)) {
        for run in geometry.runs(position, channels) {
            if let Some(at) = run.frame {
                let pixels = &mut image[at..at + run.columns.len()];
                for (pixel, value) in pixels.iter_mut().zip(&columns[run.columns]) {
                    *pixel += value;
                }
            }
        }
    }
}
