//! Scores of each image by each method, as a table for other programs.

use csv::Writer;
use n2n_data::quality::{Against, psnr_db};
use serde::Serialize;

use super::Results;
use super::scenes::Scenes;

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    image: usize,
    file: &'a str,
    height: usize,
    width: usize,
    method: &'a str,
    /// Against the clean image.
    mse: Option<f64>,
    psnr_db: Option<f64>,
    ssim: Option<f64>,
    /// Without one; below zero as often as above for a perfect image.
    mse_est: Option<f64>,
}

/// The table: a line for each image and method, under titles.
///
/// # Errors
/// When it cannot be written to memory.
pub fn bytes(scenes: &Scenes, results: &Results) -> anyhow::Result<Vec<u8>> {
    let mut writer = Writer::from_writer(Vec::new());
    let methods: Vec<String> = results.methods.iter().map(|method| method.name()).collect();
    for (index, &scene) in results.scenes.iter().enumerate() {
        let [_, height, width] = scenes.shape(scene);
        let file = scenes.name(scene);
        for (method, scores) in methods.iter().zip(&results.scores) {
            let score = scores[index];
            let measured = (scenes.against() == Against::Clean).then_some(score.mse);
            writer.serialize(Line {
                image: scene,
                file: &file,
                height,
                width,
                method,
                mse: measured,
                psnr_db: measured.map(psnr_db),
                ssim: score.ssim,
                mse_est: measured.is_none().then_some(score.mse),
            })?;
        }
    }
    Ok(writer.into_inner()?)
}
