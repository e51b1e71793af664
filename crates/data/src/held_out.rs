//! Regions of large images that are held out for validation.
//!
//! Of a few large images, one that is held out whole would be missed in training, and would stand for
//! all others in validation.

use n2n_files::Region;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::SceneInfo;

/// Scenes from which on whole ones are held out, and show what noise there is.
pub(crate) const MANY: usize = 20;

/// Smallest side of a region worth validating on, in pixels.
const LEAST_SIDE: usize = 32;

/// A corner of each scene, another one from scene to scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HeldOut {
    /// Share of the pixels.
    pub share: f64,
    /// Longest side in pixels.
    pub largest: usize,
    /// What sides are multiples of.
    pub divisor: usize,
    /// Pixels around it that training does not see either: the network's receptive radius.
    pub margin: usize,
    /// Seed of the corners.
    pub seed: u64,
}

impl HeldOut {
    /// Whether regions of these scenes can be held out, such that patches of `patch` pixels a side are
    /// left for training.
    pub fn fits(&self, infos: &[SceneInfo], patch: usize) -> bool {
        let fits = |side: usize, held_out: usize| {
            held_out >= LEAST_SIDE && held_out + self.margin + patch <= side
        };
        infos.len() < MANY
            && infos.iter().all(|info| {
                let [height, width] = self.sides(*info);
                fits(info.height, height) && fits(info.width, width)
            })
    }

    fn sides(&self, info: SceneInfo) -> [usize; 2] {
        [info.height, info.width].map(|side| {
            let part = (side as f64 * self.share.sqrt()) as usize;
            part.min(self.largest) / self.divisor * self.divisor
        })
    }

    /// The region that validation sees.
    pub fn region(&self, scene: usize, info: SceneInfo) -> Region {
        let [height, width] = self.sides(info);
        let [bottom, right] = self.corner(scene);
        Region {
            top: if bottom { info.height - height } else { 0 },
            left: if right { info.width - width } else { 0 },
            height,
            width,
        }
    }

    /// The place of a patch of `height` x `width` pixels that training may see, drawn evenly.
    ///
    /// # Panics
    /// If the scene does not [fit](Self::fits).
    pub fn place(
        &self,
        scene: usize,
        info: SceneInfo,
        [height, width]: [usize; 2],
        rng: &mut ChaCha8Rng,
    ) -> [usize; 2] {
        let [held_height, held_width] = self.sides(info);
        let (rows, columns) = (info.height - height + 1, info.width - width + 1);
        // Measured from the corner opposite the region: all columns of the rows that stay clear of it,
        // and of the other rows the columns that do.
        let free_rows = info.height - held_height - self.margin + 1 - height;
        let free_columns = info.width - held_width - self.margin + 1 - width;
        let beside = (rows - free_rows) * free_columns;
        let drawn = rng.random_range(0..free_rows * columns + beside);
        let [y, x] = match drawn.checked_sub(free_rows * columns) {
            None => [drawn / columns, drawn % columns],
            Some(drawn) => [free_rows + drawn / free_columns, drawn % free_columns],
        };
        let [bottom, right] = self.corner(scene);
        [
            if bottom { y } else { rows - 1 - y },
            if right { x } else { columns - 1 - x },
        ]
    }

    /// Pixels of a scene that training sees.
    pub fn training_area(&self, info: SceneInfo) -> usize {
        let [height, width] = self.sides(info).map(|side| side + self.margin);
        info.height * info.width - height * width
    }

    /// Whether the corner of a scene is at the bottom, and at the right.
    fn corner(&self, scene: usize) -> [bool; 2] {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(scene as u64);
        [rng.random(), rng.random()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD_OUT: HeldOut = HeldOut {
        share: 0.1,
        largest: 64,
        divisor: 8,
        margin: 13,
        seed: 5,
    };

    fn info(height: usize, width: usize) -> SceneInfo {
        SceneInfo {
            shots: 2,
            clean: false,
            height,
            width,
        }
    }

    #[test]
    fn patches_stay_clear_of_the_region_and_its_margin() {
        let (info, patch) = (info(150, 260), [40, 24]);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut corners = vec![];
        for scene in 0..16 {
            let region = HELD_OUT.region(scene, info);
            assert_eq!([region.height, region.width], [40, 64]);
            corners.push([region.top > 0, region.left > 0]);
            let mut seen = vec![false; info.height * info.width];
            for _ in 0..20_000 {
                let [top, left] = HELD_OUT.place(scene, info, patch, &mut rng);
                assert!(top + patch[0] <= info.height && left + patch[1] <= info.width);
                let clear_y = top >= region.top + region.height + HELD_OUT.margin
                    || top + patch[0] + HELD_OUT.margin <= region.top;
                let clear_x = left >= region.left + region.width + HELD_OUT.margin
                    || left + patch[1] + HELD_OUT.margin <= region.left;
                assert!(clear_y || clear_x, "{top} {left} {region:?}");
                seen[top * info.width + left] = true;
            }
            // Of the 22,226 places, most.
            let places = seen.iter().filter(|seen| **seen).count();
            assert!(places > 8_000, "{places}");
        }
        corners.sort_unstable();
        corners.dedup();
        assert_eq!(corners.len(), 4, "every corner of some scene");
    }

    #[test]
    fn small_or_many_scenes_are_held_out_whole() {
        let fits =
            |count: usize, height, width| HELD_OUT.fits(&vec![info(height, width); count], 64);
        assert!(fits(1, 150, 260));
        assert!(!fits(20, 150, 260));
        // 32 held out, 13 around them and 64 for a patch are 109.
        assert!(fits(3, 109, 109));
        assert!(!fits(3, 108, 300));
        assert!(!fits(3, 300, 80));
    }
}
