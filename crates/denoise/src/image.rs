//! Images as numbers.

use n2n_files::MAX_CHANNELS;

use crate::Error;

/// An image, planar `[channels, height, width]`, nominally in `[0, 1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    shape: [usize; 3],
    values: Vec<f32>,
}

impl Image {
    /// An image of these values, `[channels, height, width]` in C order.
    ///
    /// # Errors
    /// When there are not as many values as `shape` says, no pixel, or more than 64 channels.
    pub fn new(shape: [usize; 3], values: Vec<f32>) -> Result<Self, Error> {
        let [channels, ..] = shape;
        let fits = shape
            .iter()
            .try_fold(1_usize, |count, &side| count.checked_mul(side))
            .is_some_and(|count| count == values.len());
        if !fits || shape.contains(&0) || channels > MAX_CHANNELS {
            return Err(Error::Shape {
                shape,
                values: values.len(),
            });
        }
        Ok(Self { shape, values })
    }

    /// `[channels, height, width]`.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// `[channels, height, width]` in C order.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The same, without the image.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mismatched_shape_is_refused() {
        for (shape, values) in [([3, 2, 2], 11), ([65, 2, 3], 390), ([1, 0, 4], 0)] {
            let error = Image::new(shape, vec![0.0; values]).unwrap_err();
            assert!(matches!(error, Error::Shape { values: found, .. } if found == values));
        }
    }
}
