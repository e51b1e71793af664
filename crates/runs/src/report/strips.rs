//! Sample images: noisy and denoised with a slider between them, and what they are compared with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::imageops::crop_imm;
use n2n_data::quality::Psnr;
use n2n_train::paint::png;
use n2n_train::{Record, RunDir, Sample, samples};

use super::html::Html;
use crate::{Run, RunsError};

/// Most bytes of all images of a page: in text they are a third more.
const MOST_BYTES: usize = 1 << 20;

/// Sides of the squares that larger images are cut to, until all fit.
const SIDES: [u32; 8] = [256, 192, 128, 96, 64, 48, 32, 16];

/// Images up to this side are shown pixel by pixel.
const SMALL: u32 = 128;

/// A sample with its caption.
pub struct Strip {
    pub caption: String,
    pub sample: Sample,
    /// What the third image is.
    pub other: &'static str,
}

/// The samples of a run at its best validation, at most so many; none if it kept no picture.
///
/// # Errors
/// When a picture cannot be read.
pub fn of_run(run: &Run, most: usize) -> Result<Vec<Strip>, RunsError> {
    let Some(record) = run.best() else {
        return Ok(Vec::new());
    };
    let Some(picture) = RunDir::read_picture(&run.path, record.batches)? else {
        return Ok(Vec::new());
    };
    let shapes = run.provenance.as_ref().map(|one| one.pictures.as_slice());
    let samples = samples(&picture, shapes.unwrap_or_default()).unwrap_or_default();
    let strips = samples.into_iter().take(most).map(|sample| Strip {
        caption: String::new(),
        sample,
        other: other(record),
    });
    Ok(strips.collect())
}

/// What the third image of a sample is.
fn other(record: &Record) -> &'static str {
    match Psnr::from(record.psnr) {
        Psnr::Measured(_) => "clean",
        Psnr::Estimated { .. } => "another noisy one",
        Psnr::SubImages(_) => "the other sub-image",
    }
}

/// Shows samples; large ones by a square from their middle, as small as the page needs it.
///
/// # Errors
/// When an image cannot be encoded.
pub fn html(strips: &[Strip]) -> Result<Html, RunsError> {
    let (mut encoded, mut cut) = (Vec::new(), false);
    for side in SIDES {
        encoded = strips
            .iter()
            .map(|strip| images(&strip.sample, side))
            .collect::<Result<_, _>>()?;
        cut = strips.iter().any(|strip| {
            let (width, height) = strip.sample.noisy.dimensions();
            width.max(height) > side
        });
        let bytes: usize = encoded.iter().flatten().map(|image| image.png.len()).sum();
        if bytes <= MOST_BYTES {
            break;
        }
    }
    let figures = strips
        .iter()
        .zip(&encoded)
        .zip(1..)
        .map(|((strip, images), number)| figure(strip, images, number));
    let mut html = Html::of_class("div", "samples", figures);
    if cut {
        html.push(Html::of_class(
            "p",
            "soft",
            [Html::text("Of large images the middle is shown.")],
        ));
    }
    Ok(html)
}

/// An image as it is embedded.
struct Encoded {
    png: Vec<u8>,
    is_small: bool,
}

/// The three images of a sample, cut to a square of `side` pixels at most.
fn images(sample: &Sample, side: u32) -> Result<[Encoded; 3], RunsError> {
    let encode = |image: &RgbImage| -> Result<Encoded, RunsError> {
        let (width, height) = image.dimensions();
        let [kept_width, kept_height] = [width, height].map(|length| length.min(side));
        let left = (width - kept_width) / 2;
        let top = (height - kept_height) / 2;
        let kept = crop_imm(image, left, top, kept_width, kept_height).to_image();
        let png = png(&kept).map_err(RunsError::Picture)?;
        let is_small = kept_width.max(kept_height) <= SMALL;
        Ok(Encoded { png, is_small })
    };
    Ok([
        encode(&sample.noisy)?,
        encode(&sample.denoised)?,
        encode(&sample.other)?,
    ])
}

fn figure(strip: &Strip, [noisy, denoised, other]: &[Encoded; 3], number: usize) -> Html {
    let label = format!("how much of sample {number} is shown noisy, in percent");
    let slider = [
        ("type", "range"),
        ("min", "0"),
        ("max", "100"),
        ("value", "50"),
        ("aria-label", &label),
    ];
    let compared = [
        view(noisy, "noisy", "noisy"),
        view(denoised, "denoised", "denoised"),
        Html::element("input", &slider, []),
    ];
    let mut contents = vec![
        Html::of_class("div", "compare", compared),
        view(other, "other", strip.other),
    ];
    if !strip.caption.is_empty() {
        contents.push(Html::line("figcaption", &strip.caption));
    }
    Html::of_class("figure", "sample", contents)
}

fn view(image: &Encoded, class: &str, name: &str) -> Html {
    let source = format!("data:image/png;base64,{}", STANDARD.encode(&image.png));
    let picture = Html::element("img", &[("src", &source), ("alt", name)], []);
    let small = if image.is_small { " small" } else { "" };
    let class = format!("view {class}{small}");
    Html::of_class("div", &class, [picture, Html::line("span", name)])
}
