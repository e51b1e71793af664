//! Images as numbers.

use n2n_files::{Raster, SampleKind};

use crate::Error;
use crate::samples::{read, write};

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
    /// When there are not as many values as `shape` says, no pixel, or other than 1 or 3 channels.
    pub fn new(shape: [usize; 3], values: Vec<f32>) -> Result<Self, Error> {
        let [channels, height, width] = shape;
        let fits = shape
            .iter()
            .try_fold(1_usize, |count, &side| count.checked_mul(side))
            .is_some_and(|count| count == values.len());
        if !fits || ![1, 3].contains(&channels) || height == 0 || width == 0 {
            return Err(Error::Shape {
                shape,
                values: values.len(),
            });
        }
        Ok(Self { shape, values })
    }

    /// What a file holds, `range` being the samples that become 0 and 1: without it, integers are
    /// divided by their type's largest value, and floats stay as they are. Alpha is left aside.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn from_raster(raster: &Raster, range: Option<[f32; 2]>) -> Result<Self, Error> {
        let value = read(&raster.samples, range);
        let values = (0..raster.samples.len()).map(value).collect();
        Self::new(raster.shape(), values)
    }

    /// The image as samples of a file, without alpha; `range` as for
    /// [`from_raster`](Self::from_raster). Integers are rounded, and cut off at their type's ends.
    pub fn to_raster(&self, kind: SampleKind, range: Option<[f32; 2]>) -> Raster {
        let [channels, height, width] = self.shape;
        let mut samples = crate::samples::zeros(kind, self.values.len());
        let mut put = write(&mut samples, range);
        for (at, value) in self.values.iter().enumerate() {
            put(at, *value);
        }
        drop(put);
        Raster {
            channels,
            height,
            width,
            samples,
            alpha: None,
        }
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
    use n2n_files::Samples;

    use super::*;

    fn raster(samples: Samples) -> Raster {
        Raster {
            channels: 1,
            height: 1,
            width: samples.len(),
            samples,
            alpha: None,
        }
    }

    #[test]
    fn samples_of_each_kind_become_numbers_and_samples_again() {
        for samples in [
            Samples::U8(vec![0, 1, 100, 255]),
            Samples::U16(vec![0, 1, 30_000, 65_535]),
            Samples::F32(vec![0.0, 0.25, 1.0]),
        ] {
            let raster = raster(samples);
            for range in [None, Some([-3.0, 200.0])] {
                let image = Image::from_raster(&raster, range).unwrap();
                let back = image.to_raster(raster.samples.kind(), range);
                match (&back.samples, &raster.samples) {
                    (Samples::F32(back), Samples::F32(samples)) => {
                        let pairs = back.iter().zip(samples);
                        // A float times 203 and back.
                        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-4));
                    }
                    (back, samples) => assert_eq!(back, samples),
                }
            }
        }
    }

    #[test]
    fn numbers_beyond_a_type_are_cut_off() {
        let image = Image::new([1, 1, 4], vec![-0.2, 0.5, 1.0, 1.7]).unwrap();
        let Samples::U8(samples) = image.to_raster(SampleKind::U8, None).samples else {
            panic!("8-bit samples")
        };
        assert_eq!(samples, [0, 128, 255, 255]);
        let twelve_bits = image.to_raster(SampleKind::U16, Some([0.0, 4095.0]));
        assert_eq!(twelve_bits.samples, Samples::U16(vec![0, 2048, 4095, 6962]));
    }

    #[test]
    fn a_shape_that_is_not_the_values_is_refused() {
        for (shape, values) in [([3, 2, 2], 11), ([2, 2, 3], 12), ([1, 0, 4], 0)] {
            let error = Image::new(shape, vec![0.0; values]).unwrap_err();
            assert!(matches!(error, Error::Shape { values: found, .. } if found == values));
        }
    }
}
