//! Input and noisy target exchanged: which of two images of one scene is which does not matter.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::NoiseCheck;

/// What is exchanged between the two noisy images of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// Nothing.
    None,
    /// The images of half of the examples.
    Images,
    /// Half of the pixels of each example whose noise is independent from pixel to pixel, as far as
    /// [`NoiseCheck`] can tell; else the images of half of them. A set of pairs then has more pairs than
    /// a network can learn by heart. Pixels of an example that is interpolated, or mixed from several
    /// shots, stay where they are.
    Pixels,
}

/// Notation of [`Swap::Pixels`].
const PIXELS: &str = "pixels";

impl Serialize for Swap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => false.serialize(serializer),
            Self::Images => true.serialize(serializer),
            Self::Pixels => PIXELS.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Swap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Notation {
            Switch(bool),
            Word(String),
        }
        match Notation::deserialize(deserializer) {
            Ok(Notation::Switch(false)) => Ok(Self::None),
            Ok(Notation::Switch(true)) => Ok(Self::Images),
            Ok(Notation::Word(word)) if word == PIXELS => Ok(Self::Pixels),
            _ => Err(D::Error::custom("expected true, false, or \"pixels\"")),
        }
    }
}

/// Draws half of the pixels of two planar images, which they then exchange; none if their noise follows their
/// neighbours' or the scene: what the network sees next to a pixel would then tell it the noise of its target.
pub(crate) fn exchanged_pixels(
    first: &[f32],
    second: &[f32],
    shape @ [_, height, width]: [usize; 3],
    rng: &mut ChaCha8Rng,
) -> Option<Vec<bool>> {
    let is_clear = NoiseCheck::of_pair(first, second, shape).is_clear();
    is_clear.then(|| (0..height * width).map(|_| rng.random()).collect())
}

/// Exchanges pixels of two planar images, all channels of a pixel together.
pub(crate) fn exchange(first: &mut [f32], second: &mut [f32], pixels: &[bool]) {
    let planes = first
        .chunks_exact_mut(pixels.len())
        .zip(second.chunks_exact_mut(pixels.len()));
    for (first, second) in planes {
        for ((first, second), exchanged) in first.iter_mut().zip(second).zip(pixels) {
            if *exchanged {
                std::mem::swap(first, second);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const SHAPE: [usize; 3] = [2, 40, 50];

    fn noise(seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..4000).map(|_| rng.random::<f32>()).collect()
    }

    /// Each pixel with its neighbour to the right.
    fn smeared(noise: &[f32]) -> Vec<f32> {
        let next = noise.iter().skip(1).chain([&0.0]);
        noise.iter().zip(next).map(|(a, b)| a + b).collect()
    }

    /// Where the pixels of two images come from the other one, if all channels agree.
    fn swapped(first: &[f32], second: &[f32], seed: u64) -> Vec<bool> {
        let (mut a, mut b) = (first.to_vec(), second.to_vec());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        if let Some(pixels) = exchanged_pixels(first, second, SHAPE, &mut rng) {
            exchange(&mut a, &mut b, &pixels);
        }
        let from_other = |at: usize| {
            let (own, other) = ((a[at], b[at]), (first[at], second[at]));
            assert!(own == other || own == (other.1, other.0), "pixel {at}");
            own != other
        };
        (0..2000)
            .map(|at| {
                assert_eq!(from_other(at), from_other(at + 2000), "pixel {at}");
                from_other(at)
            })
            .collect()
    }

    #[test]
    fn half_of_the_pixels_change_places_with_all_channels() {
        let (first, second) = (noise(1), noise(2));
        let draws: Vec<_> = (0..2).map(|seed| swapped(&first, &second, seed)).collect();
        for draw in &draws {
            let count = draw.iter().filter(|swapped| **swapped).count();
            // Half of 2,000, give or take four deviations.
            assert!((910..=1090).contains(&count), "{count} of 2000");
        }
        assert_ne!(draws[0], draws[1]);
    }

    #[test]
    fn pixels_with_the_noise_of_their_neighbours_stay() {
        let [first, second] = [1, 2].map(|seed| smeared(&noise(seed)));
        assert_eq!(swapped(&first, &second, 0), [false; 2000]);
    }

    #[test]
    fn swaps_are_written_as_they_are_read() {
        let notations = [
            ("false", Swap::None),
            ("true", Swap::Images),
            ("\"pixels\"", Swap::Pixels),
        ];
        for (text, swap) in notations {
            assert_eq!(serde_json::from_str::<Swap>(text).unwrap(), swap);
            assert_eq!(serde_json::to_string(&swap).unwrap(), text);
        }
        for text in ["\"images\"", "1", "[true]"] {
            let error = serde_json::from_str::<Swap>(text).unwrap_err().to_string();
            assert!(error.contains("true, false, or \"pixels\""), "{error}");
        }
    }
}
