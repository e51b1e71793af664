//! Tiles of 2x2 output pixels, in blocks.

use std::ops::Range;

use crate::Images;

/// Tiles that are transformed before their products are taken: the largest number that stays in the
/// second-level cache, for products at full speed.
pub(super) const BLOCK: usize = 64;

impl Images {
    /// Rows and columns of tiles in an image.
    pub(super) fn tiles(&self) -> [usize; 2] {
        [self.height.div_ceil(2), self.width.div_ceil(2)]
    }

    /// Rows of tiles in the batch.
    pub(super) fn tile_rows(&self) -> usize {
        self.batch_size * self.tiles()[0]
    }

    /// The batch above a range of tile rows, in pixels.
    pub(super) fn pixels(&self, tile_rows: &Range<usize>) -> Range<usize> {
        let start = |tile_row| {
            let [rows, _] = self.tiles();
            let (image, row) = (tile_row / rows, tile_row % rows);
            (image * self.height + 2 * row) * self.width
        };
        start(tile_rows.start)..start(tile_rows.end)
    }

    /// Cuts tile rows into blocks of about [`BLOCK`] tiles.
    pub(super) fn blocks(&self, tile_rows: Range<usize>) -> impl Iterator<Item = Block> {
        let [_, columns] = self.tiles();
        let rows = (BLOCK / columns).max(1);
        tile_rows.clone().step_by(rows).flat_map(move |start| {
            let rows = start..tile_rows.end.min(start + rows);
            (0..columns).step_by(BLOCK).map(move |start| Block {
                rows: rows.clone(),
                columns: start..columns.min(start + BLOCK),
            })
        })
    }
}

/// A rectangle of tiles; rows run through the batch.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
}

impl Block {
    pub(super) fn tiles(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}
