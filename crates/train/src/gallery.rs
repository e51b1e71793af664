//! Pictures of a validation: a few images side by side, drawn and taken apart again; and the mean SSIM of all.

use std::sync::Arc;

use image::{ImageFormat, Rgb, RgbImage};
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

    /// Returns `[channels, height, width]` of each row.
    pub fn shapes(&self) -> Vec<[usize; 3]> {
        self.pairs.iter().map(|pair| pair.shape).collect()
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

/// By how much images are enlarged.
fn scale([_, height, _]: [usize; 3]) -> usize {
    (LEAST_HEIGHT / height.max(1)).max(1)
}

/// The images of one row of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The noisy image.
    pub noisy: RgbImage,
    /// The network's output.
    pub denoised: RgbImage,
    /// The clean image, or else a second noisy one.
    pub other: RgbImage,
}

/// Takes the picture of a validation apart: images of `shapes`, one row for each, and not enlarged.
///
/// Earlier versions did not keep the shapes. Without any, the rows are taken to be of one size, and the images stay as
/// they are drawn.
///
/// Returns nothing if the picture is no PNG, or another one.
pub fn samples(png: &[u8], shapes: &[[usize; 3]]) -> Option<Vec<Sample>> {
    let picture = image::load_from_memory_with_format(png, ImageFormat::Png);
    let picture = picture.ok()?.to_rgb8();
    let (width, height) = picture.dimensions();
    let [width, height] = [width, height].map(|side| side as usize);
    let equal = (1..=SHOWN)
        .rev()
        .find_map(|rows| equal_rows(&picture, rows));
    let rows: Vec<([usize; 2], usize)> = if shapes.is_empty() {
        equal?
    } else {
        let row = |shape: &[usize; 3]| ([shape[1], shape[2]], scale(*shape));
        shapes.iter().map(row).collect()
    };
    let widest = rows.iter().map(|([_, width], scale)| width * scale).max()?;
    let heights: usize = rows
        .iter()
        .map(|([height, _], scale)| height * scale + GAP)
        .sum();
    if [3 * widest + 2 * GAP, heights - GAP] != [width, height] {
        return None;
    }
    let mut top = 0;
    let samples = rows.into_iter().map(|([height, width], scale)| {
        let image = |column: usize| {
            let left = column * (width * scale + GAP);
            RgbImage::from_fn(width as u32, height as u32, |x, y| {
                let [x, y] = [x, y].map(|at| at as usize * scale);
                *picture.get_pixel((left + x) as u32, (top + y) as u32)
            })
        };
        let sample = Sample {
            noisy: image(0),
            denoised: image(1),
            other: image(2),
        };
        top += height * scale + GAP;
        sample
    });
    Some(samples.collect())
}

/// Height and width of each of so many equal rows, and the scale 1, if a picture can be of them.
fn equal_rows(picture: &RgbImage, rows: usize) -> Option<Vec<([usize; 2], usize)>> {
    let (width, height) = picture.dimensions();
    let [width, height] = [width, height].map(|side| side as usize);
    let images = width.checked_sub(2 * GAP)?;
    if !images.is_multiple_of(3) || !(height + GAP).is_multiple_of(rows) {
        return None;
    }
    let (row, column) = ((height + GAP) / rows, images / 3 + GAP);
    let (height, width) = (row.checked_sub(GAP)?, images / 3);
    let is_white = |pixel: &Rgb<u8>| pixel.0 == [255; 3];
    // Lines that are white as a whole are the gaps, all of them: else the rows would not be equal.
    let is_made_of_them = picture.rows().enumerate().all(|(y, line)| {
        let is_gap = y % row >= height;
        let mut between = line
            .clone()
            .enumerate()
            .filter(|(x, _)| x % column >= width);
        let mut line = line;
        line.all(is_white) == is_gap && between.all(|(_, pixel)| is_white(pixel))
    });
    is_made_of_them.then(|| vec![([height, width], 1); rows])
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
            scale: scale(pair.shape),
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

    /// A pair of random pixels, `[3, height, width]`, and a denoised image.
    fn sample(height: usize, width: usize) -> (NoisyPair, Vec<f32>) {
        let image = |seed: usize| -> Vec<f32> {
            let value = |at: usize| ((at * 7919 + seed * 31) % 251) as f32 / 255.0;
            (0..3 * height * width).map(value).collect()
        };
        let pair = NoisyPair {
            shape: [3, height, width],
            noisy_input: image(1),
            clean_target: Some(image(2)),
            ..NoisyPair::default()
        };
        (pair, image(3))
    }

    #[test]
    fn pictures_are_taken_apart_pixel_by_pixel() {
        // Enlarged four times and twice, and not at all.
        let (pairs, denoised): (Vec<_>, Vec<_>) = [(30, 40), (64, 8), (200, 21)]
            .map(|(height, width)| sample(height, width))
            .into_iter()
            .unzip();
        let gallery = Gallery { pairs };
        let png = gallery.png(denoised.iter().map(Vec::as_slice)).unwrap();
        let found = samples(&png, &gallery.shapes()).unwrap();
        assert_eq!(found.len(), 3);
        for ((found, pair), denoised) in found.iter().zip(&gallery.pairs).zip(&denoised) {
            let [_, height, width] = pair.shape;
            let images = [&found.noisy, &found.denoised, &found.other];
            let clean = pair.clean_target.as_ref().unwrap();
            for (image, expected) in images.into_iter().zip([&pair.noisy_input, denoised, clean]) {
                let mut drawn = RgbImage::new(width as u32, height as u32);
                paint(&mut drawn, [0, 0], expected, pair.shape, 1);
                assert_eq!(*image, drawn);
            }
        }
        assert!(samples(&png, &gallery.shapes()[..2]).is_none());
        assert!(samples(b"nothing", &gallery.shapes()).is_none());
        // Rows of different sizes are not found without their shapes.
        assert!(samples(&png, &[]).is_none());
    }

    #[test]
    fn pictures_of_earlier_runs_are_taken_apart_too() {
        let (pairs, denoised): (Vec<_>, Vec<_>) = (0..3).map(|_| sample(32, 24)).unzip();
        let gallery = Gallery { pairs };
        let png = gallery.png(denoised.iter().map(Vec::as_slice)).unwrap();
        let found = samples(&png, &[]).unwrap();
        assert_eq!(found.len(), 3);
        let exact = samples(&png, &gallery.shapes()).unwrap();
        // As they are drawn, four times as large.
        assert_eq!(found[2].denoised.dimensions(), (96, 128));
        for (x, y) in [(0, 0), (23, 31), (11, 7)] {
            let drawn = found[2].denoised.get_pixel(4 * x + 3, 4 * y);
            assert_eq!(drawn, exact[2].denoised.get_pixel(x, y));
        }
    }
}
