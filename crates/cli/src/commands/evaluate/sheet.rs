//! A contact sheet: the worst, the median and the best image, as they were and as they became.

use anyhow::Context;
use n2n_data::NoisyPair;
use n2n_data::quality::{Against, masked_mse, psnr_db, second_noisy};

use super::Results;
use super::method::Method;
use super::scenes::Scenes;
use crate::sheet::{self, Cell, Row, cut_caption};

/// Differences are multiplied by this.
const GAIN: f32 = 3.0;

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
        let denoised = denoised.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(row(title, &pair, &denoised, scenes.against()))
    });
    sheet::png(&rows.collect::<anyhow::Result<Vec<Row>>>()?, &[])
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

/// A scene: the noisy image, each model's, another to compare with, and differences.
fn row(title: String, pair: &NoisyPair, denoised: &[(String, Vec<f32>)], against: Against) -> Row {
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
    let cell = |values: &[f32], name: String, below: String| Cell {
        values: values.to_vec(),
        caption: [name, below],
    };
    let mut cells = vec![cell(noisy, "noisy".to_owned(), psnr(noisy))];
    for (name, image) in denoised {
        cells.push(cell(image, name.clone(), psnr(image)));
    }
    cells.push(cell(other, name.to_owned(), cut_caption(pair.shape)));
    for (name, image) in denoised {
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
    Row::new(title, pair.shape, cells)
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
        let row = row("title".to_owned(), &pair, &denoised, Against::Clean);
        let captions: Vec<_> = row
            .cells()
            .iter()
            .map(|cell| cell.caption[0].as_str())
            .collect();
        assert_eq!(captions, ["noisy", "model", "clean", "error of model"]);
        assert_eq!(row.cells()[1].caption[1], "24.08 dB");
        assert!((row.cells()[3].values[5] - 0.3125).abs() < 1e-6);
        // 96 times larger, 288x192 each.
        let picture = image::load_from_memory(&sheet::png(&[row], &[]).unwrap())
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
