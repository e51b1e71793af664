//! Pairs out of single noisy images: two sub-images of one (Neighbor2Neighbor).
//!
//! A patch `y` of twice the side is divided into cells of 2 x 2 pixels. Of each cell two neighbouring pixels are drawn
//! at random; one goes into the sub-image `g1 y`, the input, and the other into `g2 y`, the target. The two show almost
//! the same scene, and their noise is independent where that of neighbouring pixels is.
//!
//! They do not show quite the same scene, and a network trained on them alone smooths it. So the loss has a second term,
//! which says how a denoised image differs between such pixels, `d = g1 f(y) - g2 f(y)`, with `f(y)` without gradient:
//!
//! ```text
//! |f(g1 y) - g2 y|^2 + gamma |f(g1 y) - g2 y - d|^2
//! ```
//!
//! With `a = f(g1 y)` and `t = g2 y` this is, term by term,
//!
//! ```text
//! (1 + gamma) |a|^2 - 2 a ((1 + gamma) t + gamma d) + ...    the rest has no a
//!     = (1 + gamma) |a - (t + gamma / (1 + gamma) d)|^2 + ...
//! ```
//!
//! so that both terms together are the squared error against a changed target, but for a factor and a summand that no
//! weight of the network changes. A step therefore needs a forward pass over the patch and is otherwise as ever. The
//! factor is left out: it would only change the learning rate. `gamma` grows linearly over the run, since `f` knows
//! little at its start. This holds for the squared error only.
//!
//! Source: Huang et al., "Neighbor2Neighbor: Self-Supervised Denoising from Single Noisy Images", CVPR 2021.

use burn::tensor::{Tensor, s};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Side in pixels of a cell.
pub(crate) const CELL: usize = 2;

/// Two pixels of a cell that share a side, in each order; pixels are counted row by row.
pub(crate) const NEIGHBOURS: [[u8; 2]; 8] = [
    [0, 1],
    [1, 0],
    [2, 3],
    [3, 2],
    [0, 2],
    [2, 0],
    [1, 3],
    [3, 1],
];

/// The pixels of each cell that go into the two sub-images.
pub(crate) struct Picks {
    cells: Vec<[u8; 2]>,
    /// Cells in a row.
    columns: usize,
}

impl Picks {
    /// Draws two neighbours of each of `height` x `width` cells.
    pub fn draw([_, height, width]: [usize; 3], rng: &mut ChaCha8Rng) -> Self {
        let draw = |_| NEIGHBOURS[rng.random_range(0..NEIGHBOURS.len())];
        Self {
            cells: (0..height * width).map(draw).collect(),
            columns: width,
        }
    }

    /// Where the pixel of a cell that goes into a sub-image stands in a plane.
    fn places(&self, sub_image: usize) -> impl Iterator<Item = usize> {
        let columns = self.columns;
        self.cells.iter().enumerate().map(move |(cell, pixels)| {
            let pixel = usize::from(pixels[sub_image]);
            let [y, x] = [cell / columns, cell % columns].map(|at| at * CELL);
            (y + pixel / CELL) * columns * CELL + x + pixel % CELL
        })
    }

    /// A sub-image, 0 or 1, of planar values.
    ///
    /// # Shapes
    /// - `values`: `[channels, 2 height, 2 width]`
    /// - result: `[channels, height, width]`
    pub fn sub_image(&self, values: &[f32], sub_image: usize) -> Vec<f32> {
        let planes = values.chunks_exact(self.cells.len() * CELL * CELL);
        let of_plane = |plane: &'_ [f32]| -> Vec<f32> {
            self.places(sub_image).map(|place| plane[place]).collect()
        };
        planes.flat_map(of_plane).collect()
    }

    /// 1 at the pixels of the first sub-image, -1 at those of the second, and 0 at others: `[2 height, 2 width]`.
    fn signs(&self) -> Vec<f32> {
        let mut signs = vec![0.0; self.cells.len() * CELL * CELL];
        for (sub_image, sign) in [(0, 1.0), (1, -1.0)] {
            self.places(sub_image).for_each(|place| signs[place] = sign);
        }
        signs
    }

    /// The patch of planar `values` for the second term of the loss.
    pub fn whole(&self, values: Vec<f32>, weight: f32) -> Whole {
        Whole {
            image: values,
            signs: self.signs(),
            weight,
        }
    }
}

/// The patch that input and target of an example are sub-images of.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// Planar, `[channels, 2 height, 2 width]`.
    pub image: Vec<f32>,
    /// 1 at the pixels of the input, -1 at those of the target, and 0 at others: `[2 height, 2 width]`.
    pub signs: Vec<f32>,
    /// Weight of the second term at the end of the run, the paper's gamma.
    pub weight: f32,
}

/// The patches that inputs and targets of a batch are sub-images of.
#[derive(Clone, Debug)]
pub struct Wholes {
    /// What the network sees: normalized as the inputs. `[batch_size, channels, 2 height, 2 width]`.
    pub images: Tensor<4>,
    /// As those of a [`Whole`]: `[batch_size, 1, 2 height, 2 width]`.
    pub signs: Tensor<4>,
    /// As that of a [`Whole`].
    pub weight: f32,
}

impl Wholes {
    /// The target with which the squared error has the gradient of both terms of the loss, divided by `1 + gamma`.
    /// `progress` is the share of the run that is over, from 0 to 1.
    ///
    /// # Shapes
    /// - `target`, result: `[batch_size, channels, height, width]`
    /// - `denoised`: the patches, denoised: `[batch_size, channels, 2 height, 2 width]`
    pub fn target(&self, target: Tensor<4>, denoised: Tensor<4>, progress: f32) -> Tensor<4> {
        let gamma = self.weight * progress;
        target + self.differences(denoised) * (gamma / (1.0 + gamma))
    }

    /// By how much images differ between the pixels of the two sub-images.
    ///
    /// # Shapes
    /// - `images`: `[batch_size, channels, 2 height, 2 width]`
    /// - result: `[batch_size, channels, height, width]`
    pub fn differences(&self, images: Tensor<4>) -> Tensor<4> {
        let [batch_size, channels, height, width] = images.dims();
        let (height, width) = (height / CELL, width / CELL);
        let signed = images * self.signs.clone();
        let cells = signed.reshape([batch_size * channels * height, CELL, width, CELL]);
        // Sums of four numbers, of which two are 0: exact in any order.
        let pixel = |y: usize, x: usize| cells.clone().slice(s![.., y..y + 1, .., x..x + 1]);
        let sum = pixel(0, 0) + pixel(0, 1) + pixel(1, 0) + pixel(1, 1);
        sum.reshape([batch_size, channels, height, width])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use burn::tensor::{Device, TensorData};
    use rand::SeedableRng;

    use super::*;

    /// Channels, height and width in cells.
    const SHAPE: [usize; 3] = [2, 5, 7];

    fn picks(seed: u64) -> Picks {
        Picks::draw(SHAPE, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    /// Values that are their own places.
    fn numbered() -> Vec<f32> {
        (0..2 * 10 * 14).map(|at| at as f32).collect()
    }

    #[test]
    fn sub_images_are_neighbours_of_each_cell() {
        let picks = picks(1);
        let [first, second] = [0, 1].map(|which| picks.sub_image(&numbered(), which));
        let mut seen = HashSet::new();
        for (at, (a, b)) in first.iter().zip(&second).enumerate() {
            let [a, b] = [a, b].map(|value| *value as usize);
            for place in [a, b] {
                let (channel, inner) = (place / 140, place % 140);
                let cell = [channel, inner / 14 / 2, inner % 14 / 2];
                assert_eq!(cell, [at / 35, at % 35 / 7, at % 7], "value {at}");
            }
            assert!([1, 14].contains(&a.abs_diff(b)), "{a} beside {b}");
            // All channels of a cell have the same pixels.
            assert_eq!([a, b].map(|place| place % 140), {
                let twin = at % 35;
                [first[twin] as usize, second[twin] as usize]
            });
            seen.insert((a as isize - b as isize, a % 2, a / 14 % 2));
        }
        // Eight ordered pairs of neighbours.
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn draws_are_those_of_the_generator() {
        let draw = |seed| picks(seed).sub_image(&numbered(), 0);
        assert_eq!(draw(4), draw(4));
        assert_ne!(draw(4), draw(5));
    }

    #[test]
    fn differences_are_those_of_the_sub_images() {
        let device = Device::flex();
        let (picks, values) = (picks(2), numbered());
        let whole = picks.whole(values.clone(), 1.0);
        let tensor = |values: Vec<f32>, channels: usize| {
            Tensor::<4>::from_data(TensorData::new(values, [1, channels, 10, 14]), &device)
        };
        let wholes = Wholes {
            images: tensor(whole.image.clone(), 2),
            signs: tensor(whole.signs, 1),
            weight: 1.0,
        };
        let found = wholes.differences(wholes.images.clone());
        assert_eq!(found.dims(), [1, 2, 5, 7]);
        let [first, second] = [0, 1].map(|which| picks.sub_image(&values, which));
        let expected: Vec<f32> = first.iter().zip(&second).map(|(a, b)| a - b).collect();
        assert_eq!(found.into_data().try_to_vec::<f32>().unwrap(), expected);
    }
}
