//! What a validation looks like: a few images side by side, and how alike all of them are.

use std::sync::Arc;

use anyhow::Context;
use burn::tensor::Tensor;
use image::RgbImage;
use n2n_data::quality::ssim;
use n2n_data::{Examples, NoisyPair, Visit};
use rayon::prelude::*;

use crate::paint::{paint, png};

/// Images that are shown.
const SHOWN: usize = 4;

/// Small images are enlarged by a whole number to about this height, to be seen.
const LEAST_HEIGHT: usize = 128;

/// Pixels between images.
const GAP: usize = 4;

/// The validation images that are shown.
pub struct Gallery {
    pairs: Vec<NoisyPair>,
}

impl Gallery {
    /// The first few validation images.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn new(validation: &Arc<Examples>) -> anyhow::Result<Self> {
        let pairs = (0..validation.len().min(SHOWN))
            .map(|index| Ok(validation.pair(Visit { epoch: 0, index })?))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { pairs })
    }

    /// A PNG with a row for each image: noisy, denoised, and clean or else the second noisy one.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    pub fn png(&self, denoised: &[Vec<f32>]) -> anyhow::Result<Vec<u8>> {
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
        png(&picture)
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

/// What is kept of the denoised images of a validation.
#[derive(Default)]
pub struct Denoised {
    shown: Vec<Vec<f32>>,
    ssims: Vec<f64>,
}

impl Denoised {
    /// Adds a batch, `[batch_size, channels, height, width]`, with the clean images if there are any.
    ///
    /// # Errors
    /// When it cannot be read from the device.
    pub fn add(&mut self, denoised: Tensor<4>, clean: Option<Tensor<4>>) -> anyhow::Result<()> {
        if clean.is_none() && self.shown.len() >= SHOWN {
            return Ok(());
        }
        let [_, channels, height, width] = denoised.dims();
        let size = channels * height * width;
        let denoised = values(denoised)?;
        if let Some(clean) = clean {
            let clean = values(clean)?;
            let pairs = denoised.par_chunks(size).zip(clean.par_chunks(size));
            let ssims = pairs.filter_map(|(a, b)| ssim(a, b, [channels, height, width]));
            self.ssims.par_extend(ssims);
        }
        let wanted = SHOWN - self.shown.len();
        let images = denoised.chunks(size).take(wanted);
        self.shown.extend(images.map(<[f32]>::to_vec));
        Ok(())
    }

    /// The first few images.
    pub fn shown(&self) -> &[Vec<f32>] {
        &self.shown
    }

    /// Mean structural similarity to the clean images, where there are any that are large enough.
    pub fn ssim(&self) -> Option<f64> {
        let count = self.ssims.len();
        (count > 0).then(|| self.ssims.iter().sum::<f64>() / count as f64)
    }
}

fn values(images: Tensor<4>) -> anyhow::Result<Vec<f32>> {
    let data = images.try_into_data()?;
    data.try_to_vec().ok().context("images are of f32")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_has_noisy_denoised_and_clean_side_by_side() {
        let pair = NoisyPair {
            shape: [1, 2, 3],
            noisy_input: vec![0.0; 6],
            noisy_target: Some(vec![0.25; 6]),
            target_mask: None,
            clean_target: Some(vec![1.5; 6]),
        };
        let gallery = Gallery { pairs: vec![pair] };
        let png = gallery.png(&[vec![0.5; 6]]).unwrap();
        let picture = image::load_from_memory(&png).unwrap().to_rgb8();
        // 64 times larger.
        assert_eq!(picture.dimensions(), (3 * 192 + 8, 128));
        let grey = |x| picture.get_pixel(x, 100)[0];
        assert_eq!(
            [grey(10), grey(194), grey(200), grey(400)],
            [0, 255, 128, 255]
        );
    }
}
