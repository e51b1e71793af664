//! Augmentation: one draw changes all images of an example alike.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::{ByScenes, DataError, Swap};

/// The largest enlargement, and the largest jitter, where there are few scenes and where there are many.
const ZOOMS: [f32; 2] = [2.0, 1.0];
const JITTERS: [f32; 2] = [0.5, 0.0];

/// Random changes to training examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentConfig {
    /// Mirror half of the examples.
    pub flip: bool,
    /// Rotate examples by a random multiple of 90 degrees; of 180 degrees if they are not square.
    #[serde(rename = "turn")]
    pub rot90: bool,
    /// Largest angle in degrees of a random rotation, either way. Interpolation softens the noise of
    /// both images alike.
    pub rotate_deg: f32,
    /// Largest factor, from 1 for none to 4, of a random enlargement of half of the examples; by itself 2 where
    /// there are few scenes, else 1. Interpolation spreads the noise over neighbours, as cameras and file formats
    /// do, so that a network also knows noise that is not independent from pixel to pixel. Clean images that noise
    /// is put on stay as they are: they would only be blurred.
    pub zoom: ByScenes,
    /// Largest share `c`, either way, of the mean of the other shots in half of the inputs from bursts of
    /// three shots or more, `a + c (others - a)`: a sum has less noise than a shot, a difference more, and
    /// neither has any of the target's. So a network also knows noise of other strength.
    pub mix: f32,
    /// Largest distance from 1 of a random factor for each channel; by itself 0.5 where there are few scenes,
    /// else 0.
    pub jitter: ByScenes,
    /// Exchange input and noisy target.
    pub swap: Swap,
    /// Share of colour examples that become grey, with the same noise in all channels, so that a
    /// network for colour learns to denoise grey images too.
    pub grey: f32,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self {
            flip: false,
            rot90: false,
            rotate_deg: 0.0,
            zoom: ByScenes::Fixed(1.0),
            mix: 0.0,
            jitter: ByScenes::Fixed(0.0),
            swap: Swap::None,
            grey: 0.0,
        }
    }
}

impl AugmentConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// When a number is out of range.
    pub fn validate(&self) -> Result<(), DataError> {
        let out_of_range = |field, value, low, high| DataError::AugmentRange {
            field,
            value,
            low,
            high,
        };
        if !(0.0..=45.0).contains(&self.rotate_deg) {
            return Err(out_of_range("rotate_deg", self.rotate_deg, 0.0, 45.0));
        }
        if let Some(factor) = self.zoom.fixed()
            && !(1.0..=4.0).contains(&factor)
        {
            return Err(out_of_range("zoom", factor, 1.0, 4.0));
        }
        if !(0.0..=1.0).contains(&self.mix) {
            return Err(out_of_range("mix", self.mix, 0.0, 1.0));
        }
        if let Some(distance) = self.jitter.fixed()
            && !(0.0..1.0).contains(&distance)
        {
            return Err(out_of_range("jitter", distance, 0.0, 1.0));
        }
        if !(0.0..=1.0).contains(&self.grey) {
            return Err(out_of_range("grey", self.grey, 0.0, 1.0));
        }
        Ok(())
    }

    /// The same, with what is chosen by the number of scenes.
    pub(crate) fn for_scenes(&self, scenes: usize) -> Self {
        Self {
            zoom: self.zoom.of(scenes, ZOOMS),
            jitter: self.jitter.of(scenes, JITTERS),
            ..self.clone()
        }
    }

    /// Draws the changes to one example; only `square` examples are rotated by 90 degrees.
    pub(crate) fn draw(&self, channels: usize, square: bool, rng: &mut ChaCha8Rng) -> Augmentation {
        let mut augmentation = Augmentation {
            flip: self.flip && rng.random(),
            ..Augmentation::default()
        };
        if self.rot90 {
            let rot90 = rng.random_range(0..4);
            augmentation.rot90 = if square { rot90 } else { rot90 / 2 * 2 };
        }
        if self.rotate_deg > 0.0 {
            let degrees = rng.random_range(-self.rotate_deg..=self.rotate_deg);
            augmentation.radians = degrees.to_radians();
        }
        let zoom = self.zoom.fixed().unwrap_or(1.0);
        if zoom > 1.0 && rng.random() {
            // Even in the logarithm.
            augmentation.zoom = rng.random_range(0.0..zoom.ln()).exp();
        }
        let jitter = self.jitter.fixed().unwrap_or(0.0);
        if jitter > 0.0 {
            let factor = |_| 1.0 + rng.random_range(-jitter..=jitter);
            augmentation.gains = (0..channels).map(factor).collect();
        }
        if self.grey > 0.0 && channels > 1 {
            augmentation.grey = rng.random::<f32>() < self.grey;
        }
        augmentation
    }
}

/// The changes to one example.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Augmentation {
    /// Mirrored left to right, before the rotation.
    pub flip: bool,
    /// Counterclockwise rotations by 90 degrees.
    pub rot90: usize,
    /// Rotation about the center.
    pub radians: f32,
    /// Enlargement about the center.
    pub zoom: f32,
    /// A factor for each channel; empty for no change.
    pub gains: Vec<f32>,
    /// The same grey in each channel.
    pub grey: bool,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            flip: false,
            rot90: 0,
            radians: 0.0,
            zoom: 1.0,
            gains: Vec::new(),
            grey: false,
        }
    }
}

impl Augmentation {
    /// Whether pixels lie between those of the image.
    pub fn interpolates(&self) -> bool {
        self.radians != 0.0 || self.zoom != 1.0
    }

    /// Where the pixel at `(y, x)` of a changed image of this size stood before flip and rotation by 90 degrees.
    pub fn origin(&self, y: usize, x: usize, height: usize, width: usize) -> (usize, usize) {
        let (y, x) = match self.rot90 {
            0 => (y, x),
            1 => (x, height - 1 - y),
            2 => (height - 1 - y, width - 1 - x),
            _ => (width - 1 - x, y),
        };
        if self.flip {
            (y, width - 1 - x)
        } else {
            (y, x)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn flip_and_rot90_are_the_symmetries_of_a_square() {
        let mut seen = HashSet::new();
        for flip in [false, true] {
            for rot90 in 0..4 {
                let augmentation = Augmentation {
                    flip,
                    rot90,
                    ..Augmentation::default()
                };
                let pixels: Vec<_> = (0..9)
                    .map(|at| augmentation.origin(at / 3, at % 3, 3, 3))
                    .collect();
                assert_eq!(pixels.iter().collect::<HashSet<_>>().len(), 9);
                seen.insert(pixels);
            }
        }
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn rot90_is_counterclockwise() {
        let turn = Augmentation {
            rot90: 1,
            ..Augmentation::default()
        };
        // The top right corner comes to the top left.
        assert_eq!(turn.origin(0, 0, 3, 3), (0, 2));
        assert_eq!(turn.origin(0, 2, 3, 3), (2, 2));
    }

    #[test]
    fn oblong_images_rotate_by_180_degrees_only() {
        let config = AugmentConfig {
            rot90: true,
            ..AugmentConfig::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut draw = |square| -> HashSet<usize> {
            (0..100)
                .map(|_| config.draw(3, square, &mut rng).rot90)
                .collect()
        };
        assert_eq!(draw(true), HashSet::from([0, 1, 2, 3]));
        assert_eq!(draw(false), HashSet::from([0, 2]));
    }

    #[test]
    fn default_changes_nothing() {
        let config = AugmentConfig::default();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        assert_eq!(config.draw(3, true, &mut rng), Augmentation::default());
    }
}
