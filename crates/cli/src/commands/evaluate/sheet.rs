//! A contact sheet: the worst, the median and the best image, as they were and as they became.

use anyhow::{Context, anyhow};
use image::RgbImage;
use n2n_data::NoisyPair;
use n2n_data::quality::{Against, masked_mse, psnr_db, second_noisy};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::Results;
use super::method::Method;
use super::middle::middle;
use super::scenes::Scenes;
use crate::font::{self, FONT};
use n2n_train::paint::{paint, png as encode};

/// Small images are enlarged by a whole number to about this height, to be seen.
const LEAST_HEIGHT: usize = 192;

/// Of larger images the middle is shown, as it is: reduced, their noise would not be seen.
const LONGEST_SIDE: usize = 384;

/// Differences are multiplied by this.
const GAIN: f32 = 3.0;

/// Pixels around everything, and between columns.
const GAP: usize = 10;

/// Height of a line of text.
const LINE: usize = 22;

/// Height of letters.
const LETTERS: u32 = 14;

/// The sheet as a PNG.
///
/// Rows are ordered by the error of the first model. Columns: the noisy image, each model's, the clean one
/// or else a second noisy one, and for each model its error, or without a clean image what it removed.
///
/// # Errors
/// When an image can no longer be read, or the picture not be drawn.
pub fn png(scenes: &Scenes, results: &Results) -> anyhow::Result<Vec<u8>> {
    let models = || {
        let methods = results.methods.iter();
        methods.filter(|method| matches!(method, Method::Model { .. }))
    };
    let rows = chosen(results).into_iter().map(|(rank, index)| {
        let scene = results.scenes[index];
        let pair = scenes
            .read(scene)?
            .with_context(|| format!("{} is gone", scenes.name(scene)))?;
        let of = results.scenes.len();
        let title = format!("{rank} of {of}: {}", scenes.name(scene));
        let denoised = models().map(|model| {
            Ok((
                model.short_name(),
                model.denoise(&pair.noisy_input, pair.shape)?,
            ))
        });
        Ok(Row::new(
            title,
            &pair,
            denoised.collect::<anyhow::Result<_>>()?,
            scenes.against(),
        ))
    });
    draw(&rows.collect::<anyhow::Result<Vec<Row>>>()?)
}

/// The images to show: what they are, and their index among those that were evaluated.
fn chosen(results: &Results) -> Vec<(&'static str, usize)> {
    let mut methods = results.methods.iter().zip(&results.scores);
    let Some((_, scores)) = methods.find(|(method, _)| matches!(method, Method::Model { .. }))
    else {
        return vec![];
    };
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].mse.total_cmp(&scores[a].mse));
    match order[..] {
        [] => vec![],
        [only] => vec![("image", only)],
        [worst, best] => vec![("worst", worst), ("best", best)],
        [worst, .., best] => {
            let median = order[order.len() / 2];
            vec![("worst", worst), ("median", median), ("best", best)]
        }
    }
}

/// A scene, enlarged or cut, side by side.
struct Row {
    title: String,
    cells: Vec<Cell>,
    shape: [usize; 3],
    scale: usize,
}

/// One image, and what is written below it.
struct Cell {
    values: Vec<f32>,
    caption: [String; 2],
}

impl Row {
    fn new(
        title: String,
        pair: &NoisyPair,
        denoised: Vec<(String, Vec<f32>)>,
        against: Against,
    ) -> Self {
        let noisy = &pair.noisy_input;
        let (other, name) = match (against, &pair.clean_target) {
            (Against::Clean, Some(clean)) => (clean.as_slice(), "clean"),
            _ => (second_noisy(pair), "second noisy"),
        };
        let psnr = |image: &[f32]| match against {
            Against::Clean => {
                let mse = masked_mse(image, other, pair.mask.as_deref());
                format!("{:.2} dB", psnr_db(mse))
            }
            Against::SecondNoisy => String::new(),
        };
        let [_, height, width] = pair.shape;
        let shape = [
            pair.shape[0],
            height.min(LONGEST_SIDE),
            width.min(LONGEST_SIDE),
        ];
        let cell = |values: &[f32], name: String, below: String| Cell {
            values: middle(values, pair.shape, shape),
            caption: [name, below],
        };
        let mut cells = vec![cell(noisy, "noisy".to_owned(), psnr(noisy))];
        for (name, image) in &denoised {
            cells.push(cell(image, name.clone(), psnr(image)));
        }
        let cut = if shape == pair.shape {
            String::new()
        } else {
            format!("middle of {height}x{width}")
        };
        cells.push(cell(other, name.to_owned(), cut));
        for (name, image) in &denoised {
            let (from, what) = match against {
                Against::Clean => (other, "error of"),
                Against::SecondNoisy => (noisy.as_slice(), "removed by"),
            };
            let difference = image.iter().zip(from).map(|(a, b)| match against {
                Against::Clean => a - b,
                Against::SecondNoisy => b - a,
            });
            let values: Vec<f32> = difference.map(|value| 0.5 + GAIN * value).collect();
            let below = format!("times {GAIN}, grey is 0");
            cells.push(cell(&values, format!("{what} {name}"), below));
        }
        Self {
            title,
            cells,
            shape,
            scale: (LEAST_HEIGHT / shape[1]).max(1),
        }
    }

    fn cell_width(&self) -> usize {
        self.shape[2] * self.scale
    }

    fn width(&self) -> usize {
        self.cells.len() * (self.cell_width() + GAP)
    }

    /// The title, the images, and two lines below them.
    fn height(&self) -> usize {
        self.shape[1] * self.scale + 3 * LINE
    }
}

fn draw(rows: &[Row]) -> anyhow::Result<Vec<u8>> {
    font::register()?;
    let width = rows.iter().map(Row::width).max().unwrap_or(0) + GAP;
    let height = rows.iter().map(|row| row.height() + GAP).sum::<usize>() + GAP;
    let [width_px, height_px] = [u32::try_from(width)?, u32::try_from(height)?];
    let mut picture = RgbImage::from_pixel(width_px, height_px, [255; 3].into());
    let mut texts = Vec::new();
    let mut top = GAP;
    for row in rows {
        texts.push((row.title.clone(), [GAP, top], width - 2 * GAP));
        for (column, cell) in row.cells.iter().enumerate() {
            let left = GAP + column * (row.cell_width() + GAP);
            paint(
                &mut picture,
                [left, top + LINE],
                &cell.values,
                row.shape,
                row.scale,
            );
            let mut below = top + LINE + row.shape[1] * row.scale + 4;
            for caption in &cell.caption {
                texts.push((caption.clone(), [left, below], row.cell_width()));
                below += LINE - 4;
            }
        }
        top += row.height() + GAP;
    }
    let mut pixels = picture.into_raw();
    {
        let area =
            BitMapBackend::with_buffer(&mut pixels, (width_px, height_px)).into_drawing_area();
        for (text, at, width) in texts {
            write(&area, text, at, width)
                .map_err(|error| anyhow!("cannot draw the sheet: {error}"))?;
        }
        area.present()
            .map_err(|error| anyhow!("cannot draw the sheet: {error}"))?;
    }
    let picture =
        RgbImage::from_raw(width_px, height_px, pixels).context("a pixel has three bytes")?;
    Ok(encode(&picture)?)
}

/// Writes a line; the beginning of one that is too long is left out, as paths differ at their ends.
fn write<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    text: String,
    [left, top]: [usize; 2],
    width: usize,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let style = (FONT, LETTERS).into_text_style(area);
    let fits = |text: &str| -> Result<bool, DrawingAreaErrorKind<B::ErrorType>> {
        Ok(area.estimate_text_size(text, &style)?.0 as usize <= width)
    };
    let mut shown = text.clone();
    let mut rest = text.chars();
    while !fits(&shown)? && rest.next().is_some() {
        shown = format!("...{}", rest.as_str());
    }
    area.draw(&Text::new(shown, (left as i32, top as i32), style))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheet_row_shows_images_and_error() {
        let pair = NoisyPair {
            shape: [1, 2, 3],
            noisy_input: vec![0.0; 6],
            clean_target: Some(vec![1.0; 6]),
            ..NoisyPair::default()
        };
        let denoised = vec![("model".to_owned(), vec![0.9375; 6])];
        let row = Row::new("title".to_owned(), &pair, denoised, Against::Clean);
        let captions: Vec<_> = row
            .cells
            .iter()
            .map(|cell| cell.caption[0].as_str())
            .collect();
        assert_eq!(captions, ["noisy", "model", "clean", "error of model"]);
        assert_eq!(row.cells[1].caption[1], "24.08 dB");
        assert!((row.cells[3].values[5] - 0.3125).abs() < 1e-6);
        // 96 times larger, 288x192 each.
        let picture = image::load_from_memory(&draw(&[row]).unwrap())
            .unwrap()
            .to_rgb8();
        assert_eq!(picture.dimensions(), (10 + 4 * 298, 10 + 192 + 66 + 10));
        let grey = |x| picture.get_pixel(x, 100)[0];
        assert_eq!(
            [grey(5), grey(20), grey(320), grey(620), grey(920)],
            [255, 0, 239, 255, 80]
        );
        // Something is written above the images and below them.
        let dark = |rows: std::ops::Range<u32>| {
            let pixels = rows.flat_map(|y| (0..picture.width()).map(move |x| (x, y)));
            pixels
                .filter(|&(x, y)| picture.get_pixel(x, y)[0] < 100)
                .count()
        };
        assert!(dark(10..30) > 20 && dark(226..270) > 100);
    }
}
