//! Bounded tiles: how a batch is cut so that its unfolded patches never exist all at once.

use std::ops::Range;

/// Largest number of elements of one tile's columns, 16 MiB in f32: large enough for a matrix
/// product to run at full speed, small beside the images themselves.
///
/// The peak of a convolution's columns is `max(MAX_TILE_ELEMENTS, channels_in * kernel_height *
/// kernel_width * width_out)` elements, for any batch and height.
pub const MAX_TILE_ELEMENTS: usize = 4 << 20;

/// Some rows of some images of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Images of the batch.
    pub images: Range<usize>,
    /// Rows of their outputs; all of them where there is more than one image.
    pub rows: Range<usize>,
}

/// Cuts the outputs of a batch into tiles: for each chunk of images, the tiles of its rows.
/// `elements` is the number of elements in one column.
pub(crate) fn tiles(
    batch_size: usize,
    [height_out, width_out]: [usize; 2],
    elements: usize,
) -> impl Iterator<Item = impl Iterator<Item = Tile>> {
    let row = elements * width_out;
    let rows = (MAX_TILE_ELEMENTS / row).clamp(1, height_out);
    let images = (MAX_TILE_ELEMENTS / (row * height_out)).clamp(1, batch_size);
    chunks(batch_size, images).map(move |images| {
        chunks(height_out, rows).map(move |rows| Tile {
            images: images.clone(),
            rows,
        })
    })
}

fn chunks(length: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length)
        .step_by(size)
        .map(move |start| start..length.min(start + size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_each_row_once_and_stay_bounded() {
        for (batch_size, height, width, elements) in [
            (16, 32, 30, 288),
            (3, 2000, 1500, 864),
            (5, 7, 4_000_000, 9),
            (1, 1, 1, 1),
        ] {
            let mut seen = vec![0; batch_size * height];
            for tile in tiles(batch_size, [height, width], elements).flatten() {
                let rows = tile.images.len() * tile.rows.len();
                let bound = MAX_TILE_ELEMENTS.max(elements * width);
                assert!(rows * width * elements <= bound, "{tile:?}");
                assert!(tile.images.len() == 1 || tile.rows == (0..height));
                for image in tile.images {
                    for row in tile.rows.clone() {
                        seen[image * height + row] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|&count| count == 1));
        }
    }
}
