//! Pictures of a validation: a few images side by side; and the mean SSIM of all.

use std::sync::Arc;

use image::RgbImage;
use n2n_data::quality::ssim;
use n2n_data::{ExampleIndex, Examples, NoisyPair};
use rayon::prelude::*;

use crate::TrainError;
use crate::paint::{paint, png};
use crate::read::ReadBatch;

/// Number of images in a picture.
const SHOWN: usize = 4;

/// Small images are enlarged by a whole number to about this height.
const LEAST_HEIGHT: usize = 128;

/// Pixels between images.
const GAP: usize = 4;

/// The validation images of the picture.
pub struct Gallery {
    pairs: Vec<NoisyPair>,
}

impl Gallery {
    /// Reads the first few validation images.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn new(validation: &Arc<Examples>) -> Result<Self, TrainError> {
        let pairs = (0..validation.len().min(SHOWN))
            .map(|index| Ok(validation.pair(ExampleIndex { epoch: 0, index })?))
            .collect::<Result<_, TrainError>>()?;
        Ok(Self { pairs })
    }

    /// Returns the noisy images.
    pub fn inputs(&self) -> impl Iterator<Item = &[f32]> {
        self.pairs.iter().map(|pair| pair.noisy_input.as_slice())
    }

    /// Draws a PNG with a row for each image: noisy, denoised, and clean or else the second noisy one.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    pub fn png<'a>(
        &self,
        denoised: impl Iterator<Item = &'a [f32]>,
    ) -> Result<Vec<u8>, TrainError> {
        let rows: Vec<Row> = self
            .pairs
            .iter()
            .zip(denoised)
            .map(|(pair, denoised)| Row::new(pair, denoised))
            .collect();
        let width = rows.iter().map(Row::width).max().unwrap_or(1);
        let height = rows.iter().map(|row| row.height() + GAP).sum::<usize>() - GAP;
        let mut picture = RgbImage::from_pixel(width as u32, height as u32, [255; 3].into());
        let mut top = 0;
        for row in &rows {
            row.draw(&mut picture, top);
            top += row.height() + GAP;
        }
        Ok(png(&picture)?)
    }
}

/// Images of one scene, side by side.
struct Row<'a> {
    images: [&'a [f32]; 3],
    shape: [usize; 3],
    scale: usize,
}

impl<'a> Row<'a> {
    fn new(pair: &'a NoisyPair, denoised: &'a [f32]) -> Self {
        let other = pair.clean_target.as_ref().or(pair.noisy_target.as_ref());
        let other = other.unwrap_or(&pair.noisy_input);
        Self {
            images: [&pair.noisy_input, denoised, other],
            shape: pair.shape,
            scale: (LEAST_HEIGHT / pair.shape[1]).max(1),
        }
    }

    fn height(&self) -> usize {
        self.shape[1] * self.scale
    }

    fn width(&self) -> usize {
        3 * self.shape[2] * self.scale + 2 * GAP
    }

    fn draw(&self, picture: &mut RgbImage, top: usize) {
        let step = self.shape[2] * self.scale + GAP;
        for (column, image) in self.images.iter().enumerate() {
            paint(picture, [column * step, top], image, self.shape, self.scale);
        }
    }
}

/// Denoised images of a validation: the first few, and the SSIM of all.
#[derive(Default)]
pub struct Denoised {
    shown: Vec<Vec<f32>>,
    ssims: Vec<f64>,
}

impl Denoised {
    /// Adds a batch.
    pub fn add(&mut self, batch: ReadBatch) {
        let ReadBatch {
            shape,
            denoised,
            clean,
            ..
        } = batch;
        let size = shape.iter().product();
        if let Some(clean) = clean {
            let pairs = denoised.par_chunks(size).zip(clean.par_chunks(size));
            let ssims = pairs.filter_map(|(a, b)| ssim(a, b, shape));
            self.ssims.par_extend(ssims);
        }
        let wanted = SHOWN - self.shown.len();
        let images = denoised.chunks(size).take(wanted);
        self.shown.extend(images.map(<[f32]>::to_vec));
    }

    /// Returns the first few images.
    pub fn shown(&self) -> impl Iterator<Item = &[f32]> {
        self.shown.iter().map(Vec::as_slice)
    }

    /// Returns the mean structural similarity to the clean images that are large enough for it.
    pub fn ssim(&self) -> Option<f64> {
        let count = self.ssims.len();
        (count > 0).then(|| self.ssims.iter().sum::<f64>() / count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_has_noisy_denoised_and_clean_columns() {
        let pair = NoisyPair {
            shape: [1, 2, 3],
            noisy_input: vec![0.0; 6],
            noisy_target: Some(vec![0.25; 6]),
            clean_target: Some(vec![1.5; 6]),
            ..NoisyPair::default()
        };
        let gallery = Gallery { pairs: vec![pair] };
        let png = gallery.png([&[0.5; 6][..]].into_iter()).unwrap();
        let picture = image::load_from_memory(&png).unwrap().to_rgb8();
        // Enlarged 64 times.
        assert_eq!(picture.dimensions(), (3 * 192 + 8, 128));
        let grey = |x| picture.get_pixel(x, 100)[0];
        assert_eq!(
            [grey(10), grey(194), grey(200), grey(400)],
            [0, 255, 128, 255]
        );
    }
}
