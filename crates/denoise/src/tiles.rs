//! Which tiles an image is computed in.

use std::ops::Range;

/// What tiles must keep to, so that together they are the whole image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rules {
    /// Pixels on each side that are computed and thrown away, where the image goes on; a multiple of
    /// `multiple`.
    pub halo: usize,
    /// What sides and origins are multiples of.
    pub multiple: usize,
}

/// The tiles of an image: each of one height and one width, so that a device meets one shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    rows: Axis,
    columns: Axis,
}

/// A tile along one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Its first pixel.
    pub start: usize,
    /// Its pixels, the halo among them.
    pub length: usize,
    /// Pixels of the image that are taken from it.
    pub keep: Range<usize>,
}

impl Rules {
    /// The fewest pixels that a tile can have.
    pub fn least_area(self, [height, width]: [usize; 2]) -> usize {
        let side = self.multiple + 2 * self.halo;
        height.min(side) * width.min(side)
    }

    /// The tiles of an image, its sides multiples of `multiple`, with the least to compute, of at most
    /// `most_area` pixels each and `most_side` on a side; nothing where no tile is as small.
    pub fn plan(
        self,
        [height, width]: [usize; 2],
        most_area: usize,
        most_side: usize,
    ) -> Option<Plan> {
        let mut best: Option<Plan> = None;
        for columns in self.axes(width, most_side) {
            let most_rows = (most_area / columns.tile).min(most_side);
            let Some(rows) = self.longest(height, most_rows) else {
                continue;
            };
            let plan = Plan { rows, columns };
            if best.is_none_or(|best| plan.area() < best.area()) {
                best = Some(plan);
            }
        }
        best
    }

    /// Every way to cut an axis into equal tiles of at most `most`, the longest tiles first.
    fn axes(self, length: usize, most: usize) -> impl Iterator<Item = Axis> {
        let first = self.longest(length, most);
        std::iter::successors(first, move |axis| {
            let shorter = axis.tile.checked_sub(self.multiple)?;
            self.longest(length, shorter)
        })
    }

    /// The fewest tiles of at most `most`, of equal length.
    fn longest(self, length: usize, most: usize) -> Option<Axis> {
        if length <= most {
            return Some(Axis {
                length,
                tile: length,
                halo: self.halo,
            });
        }
        // Each tile adds what is between its halos; the first and the last need one less.
        let step = (most / self.multiple * self.multiple).checked_sub(2 * self.halo)?;
        let inner = length.checked_sub(2 * self.halo)?;
        if step == 0 || inner == 0 {
            return None;
        }
        let count = inner.div_ceil(step);
        let step = inner.div_ceil(count).next_multiple_of(self.multiple);
        Some(Axis {
            length,
            tile: step + 2 * self.halo,
            halo: self.halo,
        })
    }
}

impl Plan {
    /// Pixels of one tile.
    pub fn tile_area(&self) -> usize {
        self.rows.tile * self.columns.tile
    }

    /// The tiles, row by row: along the height, and along the width.
    pub fn tiles(&self) -> impl Iterator<Item = (Tile, Tile)> {
        let columns = self.columns;
        self.rows
            .tiles()
            .flat_map(move |row| columns.tiles().map(move |column| (row.clone(), column)))
    }

    /// Pixels of all tiles.
    fn area(&self) -> usize {
        self.tile_area() * self.rows.count() * self.columns.count()
    }
}

/// One axis of an image, and the length of its tiles.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    length: usize,
    tile: usize,
    halo: usize,
}

impl Axis {
    fn step(&self) -> usize {
        self.tile - 2 * self.halo
    }

    fn count(&self) -> usize {
        if self.tile == self.length {
            1
        } else {
            (self.length - 2 * self.halo).div_ceil(self.step())
        }
    }

    fn tiles(self) -> impl Iterator<Item = Tile> {
        let count = self.count();
        (0..count).map(move |index| {
            // The last one ends where the image does.
            let start = (index * self.step()).min(self.length - self.tile);
            let first = match index {
                0 => 0,
                _ => index * self.step() + self.halo,
            };
            let end = if index + 1 == count {
                self.length
            } else {
                (index + 1) * self.step() + self.halo
            };
            Tile {
                start,
                length: self.tile,
                keep: first..end,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules {
        halo: 24,
        multiple: 8,
    };

    proptest! {
        #[test]
        fn tiles_keep_each_pixel_once_and_its_surroundings(
            height in 1_usize..40,
            width in 1_usize..40,
            area in 1_usize..60_000,
            most_side in 56_usize..400,
        ) {
            let size = [height * RULES.multiple, width * RULES.multiple];
            let area = area.max(RULES.least_area(size));
            let plan = RULES.plan(size, area, most_side).expect("some tile fits");
            prop_assert!(plan.tile_area() <= area);
            let mut kept = vec![0; size[0] * size[1]];
            for (rows, columns) in plan.tiles() {
                for (tile, side) in [(&rows, size[0]), (&columns, size[1])] {
                    let end = tile.start + tile.length;
                    prop_assert!(end <= side && tile.length <= most_side);
                    prop_assert!(tile.start % RULES.multiple == 0 && tile.length % RULES.multiple == 0);
                    prop_assert!(tile.start == 0 || tile.keep.start - tile.start >= RULES.halo);
                    prop_assert!(end == side || end - tile.keep.end >= RULES.halo);
                }
                for y in rows.keep {
                    columns.keep.clone().for_each(|x| kept[y * size[1] + x] += 1);
                }
            }
            prop_assert!(kept.iter().all(|kept| *kept == 1));
        }
    }

    #[test]
    fn large_tiles_of_equal_size_are_chosen() {
        let rules = Rules {
            halo: 80,
            multiple: 16,
        };
        let plan = rules.plan([4000, 6000], 1_300_000, usize::MAX).unwrap();
        assert_eq!(plan.tiles().count(), 24);
        // A quarter more than the image.
        assert!((1.2..1.3).contains(&(plan.area() as f64 / 24e6)));
        assert_eq!(rules.plan([512, 512], 30_975, usize::MAX), None);
    }
}
