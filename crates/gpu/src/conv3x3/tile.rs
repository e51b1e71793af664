//! The pixels that a cube computes.

use burn_cubecl::cubecl::{self, prelude::*};

use crate::tensors::Pixel;

/// Pixels of a cube, a rectangle of some images: where images are small, a cube takes several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tile {
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Tile {
    /// `pixels`, a power of two, over images of this size: at most `widest` columns, at least 2x2.
    pub fn new(pixels: usize, widest: usize, [height, width]: [usize; 2]) -> Self {
        let columns = width.next_power_of_two().clamp(2, widest);
        let rows = height.next_power_of_two().clamp(2, pixels / columns);
        let rows = rows.min(widest);
        Self {
            images: pixels / (rows * columns),
            rows,
            columns,
        }
    }

    /// Tiles that cover these images.
    pub fn count(&self, images: usize, [height, width]: [usize; 2]) -> usize {
        images.div_ceil(self.images) * height.div_ceil(self.rows) * width.div_ceil(self.columns)
    }

    /// The tile as arguments of a kernel.
    pub fn launch(&self) -> TileArgsLaunch {
        TileArgsLaunch::new(self.images as u32, self.rows as u32, self.columns as u32)
    }
}

/// Most cubes along one axis that every graphics API takes.
const MOST: usize = 65_535;

/// The number of cubes for `tiles` tiles of `groups` groups of channels. It may be a few more than needed: these have
/// an image index past the last image, and write nothing.
pub(super) fn cubes(tiles: usize, groups: usize) -> CubeCount {
    let layers = tiles.div_ceil(MOST);
    CubeCount::Static(tiles.div_ceil(layers) as u32, groups as u32, layers as u32)
}

/// The tile of a cube of [`cubes`].
#[cube]
pub(super) fn tile_index() -> usize {
    (CUBE_POS_Z * CUBE_COUNT_X + CUBE_POS_X) as usize
}

/// [`Tile`] in a kernel.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
pub(super) struct TileArgs {
    images: u32,
    rows: u32,
    columns: u32,
}

/// One tile of the images, and the frame of one pixel around it.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Area {
    pub image: usize,
    pub top: usize,
    pub left: usize,
    pub rows: usize,
    pub columns: usize,
    /// Positions of the frame.
    pub positions: usize,
}

#[cube]
impl Area {
    /// The tile of this index.
    pub fn new(tile: &TileArgs, index: usize, height: usize, width: usize) -> Area {
        let (images, rows, columns) = (
            tile.images as usize,
            tile.rows as usize,
            tile.columns as usize,
        );
        let across = width.div_ceil(columns);
        let down = height.div_ceil(rows);
        Area {
            image: index / (across * down) * images,
            top: (index / across) % down * rows,
            left: index % across * columns,
            rows,
            columns,
            positions: images * (rows + 2) * (columns + 2),
        }
    }

    /// The pixel at a position of the frame, of images of this shape.
    pub fn framed(&self, position: usize, images: usize, height: usize, width: usize) -> Pixel {
        let line = position / (self.columns + 2);
        let image = self.image + line / (self.rows + 2);
        // One more than the row and the column, which may be -1.
        let row = self.top + line % (self.rows + 2);
        let column = self.left + position % (self.columns + 2);
        let inside = image < images && row >= 1 && row <= height && column >= 1 && column <= width;
        Pixel {
            image,
            row: row - 1,
            column: column - 1,
            inside,
        }
    }

    /// The pixel of this index in the tile.
    pub fn pixel(&self, index: usize, images: usize, height: usize, width: usize) -> Pixel {
        let line = index / self.columns;
        let image = self.image + line / self.rows;
        let row = self.top + line % self.rows;
        let column = self.left + index % self.columns;
        Pixel {
            image,
            row,
            column,
            inside: image < images && row < height && column < width,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_their_pixels_and_frames_of_bounded_size() {
        for (pixels, widest) in [(32, 8), (64, 16), (128, 16), (256, 16)] {
            for size in (1..40).flat_map(|height| (1..40).map(move |width| [height, width])) {
                let tile = Tile::new(pixels, widest, size);
                let Tile {
                    images,
                    rows,
                    columns,
                } = tile;
                assert_eq!(images * rows * columns, pixels, "{size:?}: {tile:?}");
                assert!(rows % 2 == 0 && columns % 2 == 0, "{size:?}: {tile:?}");
                let frame = images * (rows + 2) * (columns + 2);
                assert!(frame <= 4 * pixels, "{size:?}: {tile:?}");
            }
        }
    }

    #[test]
    fn cubes_stay_within_what_every_api_takes() {
        for tiles in [1, 65_535, 65_536, 1_000_000] {
            let CubeCount::Static(x, y, z) = cubes(tiles, 3) else {
                panic!("not static");
            };
            assert!(x <= 65_535 && z <= 65_535 && y == 3);
            assert!(x as usize * z as usize >= tiles);
        }
    }
}
