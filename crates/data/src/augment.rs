//! Augmentation: one draw for all images of an example.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::DataError;

/// Which changes to training examples keep their meaning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentConfig {
    /// Mirror half of the examples.
    pub flip: bool,
    /// Turn examples by a random number of quarters; oblong ones by halves.
    pub turn: bool,
    /// Rotate by up to so many degrees, either way. Interpolating softens the noise of both images
    /// alike.
    pub rotate_deg: f32,
    /// Multiply each channel by a factor of up to so much above or below 1.
    pub jitter: f32,
    /// Exchange input and target of half of the examples.
    pub swap: bool,
    /// Make such a share of colour examples grey, with noise that is alike in their channels, so that
    /// a network for colour learns to denoise grey images too.
    pub grey: f32,
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
        if !(0.0..1.0).contains(&self.jitter) {
            return Err(out_of_range("jitter", self.jitter, 0.0, 1.0));
        }
        if !(0.0..=1.0).contains(&self.grey) {
            return Err(out_of_range("grey", self.grey, 0.0, 1.0));
        }
        Ok(())
    }

    /// Draws the changes to one example; `square` examples can be turned by a quarter.
    pub(crate) fn draw(&self, channels: usize, square: bool, rng: &mut ChaCha8Rng) -> Augmentation {
        let mut augmentation = Augmentation {
            flip: self.flip && rng.random(),
            ..Augmentation::default()
        };
        if self.turn {
            let quarters = rng.random_range(0..4);
            augmentation.quarters = if square { quarters } else { quarters / 2 * 2 };
        }
        if self.rotate_deg > 0.0 {
            let degrees = rng.random_range(-self.rotate_deg..=self.rotate_deg);
            augmentation.radians = degrees.to_radians();
        }
        if self.jitter > 0.0 {
            let factor = |_| 1.0 + rng.random_range(-self.jitter..=self.jitter);
            augmentation.gains = (0..channels).map(factor).collect();
        }
        if self.grey > 0.0 && channels > 1 {
            augmentation.grey = rng.random::<f32>() < self.grey;
        }
        augmentation
    }
}

/// The changes to one example.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Augmentation {
    /// Mirrored left to right, before it is turned.
    pub flip: bool,
    /// Quarter turns.
    pub quarters: usize,
    /// Rotation about the middle.
    pub radians: f32,
    /// A factor for each channel; none leaves them as they are.
    pub gains: Vec<f32>,
    /// The same grey in each channel.
    pub grey: bool,
}

impl Augmentation {
    /// Where the pixel at `(y, x)` of a changed image of this size stood before flip and turns.
    pub fn origin(&self, y: usize, x: usize, height: usize, width: usize) -> (usize, usize) {
        let (y, x) = match self.quarters {
            0 => (y, x),
            1 => (x, height - 1 - y),
            2 => (height - 1 - y, width - 1 - x),
            _ => (width - 1 - x, y),
        };
        match self.flip {
            true => (y, width - 1 - x),
            false => (y, x),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn flips_and_turns_are_the_eight_symmetries_of_a_square() {
        let mut seen = HashSet::new();
        for flip in [false, true] {
            for quarters in 0..4 {
                let augmentation = Augmentation {
                    flip,
                    quarters,
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
    fn a_quarter_turn_is_counterclockwise() {
        let turn = Augmentation {
            quarters: 1,
            ..Augmentation::default()
        };
        // The top right corner comes to the top left.
        assert_eq!(turn.origin(0, 0, 3, 3), (0, 2));
        assert_eq!(turn.origin(0, 2, 3, 3), (2, 2));
    }

    #[test]
    fn oblong_images_are_turned_by_halves_only() {
        let config = AugmentConfig {
            turn: true,
            ..AugmentConfig::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut draw = |square| -> HashSet<usize> {
            (0..100)
                .map(|_| config.draw(3, square, &mut rng).quarters)
                .collect()
        };
        assert_eq!(draw(true), HashSet::from([0, 1, 2, 3]));
        assert_eq!(draw(false), HashSet::from([0, 2]));
    }

    #[test]
    fn nothing_is_changed_by_default() {
        let config = AugmentConfig::default();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        assert_eq!(config.draw(3, true, &mut rng), Augmentation::default());
    }
}
