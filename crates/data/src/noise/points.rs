use std::borrow::Cow;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Corrupted, NoiseError, NoiseModel, assert_shape};

/// The largest `factor`: more than any photograph has to give.
const MAX_FACTOR: usize = 1024;

/// An image reduced by dropping pixels: each noisy pixel is one random point, all channels of it, of
/// an area of `factor` by `factor` pixels, independent in every area.
///
/// The clean pixel is the mean of its area. Mean: the clean pixel; variance: that of the values in
/// the area, so there is no noise where the image is flat and much in texture. Loss: L2.
///
/// # Shapes
/// - in: `[channels, height, width]`
/// - out: `[channels, height / factor, width / factor]`, rounded down; what is left over at the
///   right and below is not used. An image smaller than `factor` leaves nothing.
#[derive(Clone, Debug)]
pub struct Points {
    factor: usize,
}

impl Points {
    /// Reduces images by `factor` along each axis.
    ///
    /// # Errors
    /// When `factor` is 0 or above 1024.
    pub fn new(factor: usize) -> Result<Self, NoiseError> {
        if (1..=MAX_FACTOR).contains(&factor) {
            Ok(Self { factor })
        } else {
            Err(NoiseError::OutOfRange {
                key: "factor",
                value: factor as f64,
                expected: "from 1 to 1024",
            })
        }
    }

    /// The index in the image of the top left corner of every area.
    fn corners(&self, shape: [usize; 3], channel: usize) -> impl Iterator<Item = usize> {
        let [_, height, width] = shape;
        let [_, rows, columns] = self.output_shape(shape);
        let factor = self.factor;
        (0..rows).flat_map(move |row| {
            let line = (channel * height + row * factor) * width;
            (0..columns).map(move |column| line + column * factor)
        })
    }
}

impl NoiseModel for Points {
    fn reduction(&self) -> usize {
        self.factor
    }

    fn clean<'a>(&self, image: &'a [f32], shape: [usize; 3]) -> Cow<'a, [f32]> {
        assert_shape(image, shape);
        let (width, factor) = (shape[2], self.factor);
        let mean = |corner: usize| {
            let lines = (0..factor).map(|row| &image[corner + row * width..][..factor]);
            let sum: f64 = lines.flatten().map(|&value| f64::from(value)).sum();
            (sum / (factor * factor) as f64) as f32
        };
        (0..shape[0])
            .flat_map(|channel| self.corners(shape, channel).map(mean))
            .collect()
    }

    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        assert_shape(image, shape);
        let [channels, height, width] = shape;
        let factor = self.factor as u32;
        let point = |corner: usize| {
            let point = rng.random_range(0..factor * factor);
            let (row, column) = ((point / factor) as usize, (point % factor) as usize);
            corner + row * width + column
        };
        let points: Vec<usize> = self.corners(shape, 0).map(point).collect();
        let planes = (0..channels).map(|channel| &image[channel * height * width..]);
        let values = planes.flat_map(|plane| points.iter().map(|&point| plane[point]));
        Corrupted::without_mask(values.collect())
    }
}
