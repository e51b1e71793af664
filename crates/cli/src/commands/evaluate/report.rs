//! What an evaluation came to, as a table and as JSON.

use std::path::Path;

use n2n_data::Range;
use n2n_data::quality::{Against, Mean, Summary, SummaryKeys};
use n2n_files::SampleKind;
use serde::Serialize;

use super::Results;
use super::args::EvaluateArgs;
use super::scenes::Scenes;
use crate::data::peak;
use crate::table::aligned;

/// What an evaluation came to.
#[derive(Serialize)]
pub struct Report<'a> {
    data: Option<&'a Path>,
    kind: &'a str,
    images: usize,
    skipped: usize,
    /// `clean images` or `second noisy images`.
    compared_with: &'static str,
    /// Samples that become 0 and 1; their distance is the peak of PSNR. Absent: those of the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<&'a Range>,
    noise: Option<String>,
    seed: u64,
    self_ensemble: bool,
    /// What the strengths of classical methods were chosen on.
    strengths_chosen_on: Option<String>,
    methods: Vec<Row>,
    sheet: &'a Path,
    csv: Option<&'a Path>,
    #[serde(skip)]
    against: Against,
    #[serde(skip)]
    samples: SampleKind,
}

/// One method.
#[derive(Serialize)]
struct Row {
    method: String,
    kind: &'static str,
    /// Of classical methods.
    #[serde(skip_serializing_if = "Option::is_none")]
    strength: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strengths_tried: Option<usize>,
    #[serde(flatten)]
    keys: SummaryKeys,
    #[serde(skip)]
    summary: Summary,
    #[serde(skip)]
    strength_in_words: String,
}

impl<'a> Report<'a> {
    /// Of all scores; `tuned_on` is what the strengths of classical methods were chosen on.
    pub fn new(
        scenes: &'a Scenes,
        results: &Results,
        tuned_on: Option<String>,
        args: &'a EvaluateArgs,
        sheet: &'a Path,
    ) -> Self {
        let against = scenes.against();
        let methods = results.methods.iter().zip(&results.scores);
        let methods = methods.map(|(method, scores)| {
            let summary = Summary::of(scores, against);
            Row {
                method: method.name(),
                kind: method.kind(),
                strength: method.best().map(|best| best.strength),
                strengths_tried: method.best().map(|best| best.tried),
                keys: summary.into(),
                summary,
                strength_in_words: method.strength(),
            }
        });
        Self {
            data: scenes.path.as_deref(),
            kind: scenes.kind(),
            images: results.scenes.len(),
            skipped: scenes.skipped().len(),
            compared_with: match against {
                Against::Clean => "clean images",
                Against::SecondNoisy => "second noisy images",
            },
            range: scenes.range(),
            noise: scenes.noise.map(|noise| noise.to_string()),
            seed: args.seed,
            self_ensemble: args.self_ensemble,
            strengths_chosen_on: tuned_on,
            methods: methods.collect(),
            sheet,
            csv: args.csv.as_deref(),
            against,
            samples: scenes.samples(),
        }
    }

    /// As a table, with what it means below.
    pub fn text(&self) -> String {
        let images = if self.images == 1 { "image" } else { "images" };
        let noise = self.noise.as_ref().map_or_else(String::new, |noise| {
            format!(", noise {noise} of seed {}", self.seed)
        });
        let path = self
            .data
            .map_or_else(String::new, |path| format!("{}: ", path.display()));
        let ensemble = if self.self_ensemble {
            ", models averaged over flips and turns"
        } else {
            ""
        };
        let mut text = format!(
            "{path}{}, {} {images}{noise}, compared with {}{ensemble}\n\n",
            self.kind, self.images, self.compared_with
        );
        text += &match self.against {
            Against::Clean => self.measured(),
            Against::SecondNoisy => self.estimated(),
        };
        text += &format!("\n{}\n", peak(self.range, self.samples));
        if let Some(chosen_on) = &self.strengths_chosen_on {
            text += &format!(
                "\nClassical methods have the strength that is best on {chosen_on}, by PSNR; nobody \
                 knows it in practice, which favours them.\n"
            );
        }
        text
    }

    /// The title of the strengths, if there are any.
    fn strength(&self) -> &'static str {
        match self.strengths_chosen_on {
            Some(_) => "strength",
            None => "",
        }
    }

    fn measured(&self) -> String {
        let titles = [
            "",
            "PSNR [dB]",
            "PSNR, pooled [dB]",
            "SSIM",
            self.strength(),
        ];
        let mut rows = vec![titles.map(str::to_owned)];
        for row in &self.methods {
            if let Summary::Measured {
                psnr_db,
                pooled_psnr_db,
                ssim,
            } = row.summary
            {
                rows.push([
                    row.method.clone(),
                    with_error(psnr_db, 2),
                    with_error(pooled_psnr_db, 2),
                    ssim.map_or_else(|| "-".to_owned(), |ssim| with_error(ssim, 4)),
                    row.strength_in_words.clone(),
                ]);
            }
        }
        let mut text = aligned(&rows, 1);
        text += "\nMeans over images with their standard errors. PSNR is the mean of each image's; pooled, \
                 that of the mean squared error of all.\n";
        if rows.iter().any(|row| row[3] == "-") {
            text += "There is no SSIM of images smaller than 11x11 pixels.\n";
        }
        text
    }

    fn estimated(&self) -> String {
        let titles = ["", "PSNR, estimated [dB]", self.strength()];
        let mut rows = vec![titles.map(str::to_owned)];
        for row in &self.methods {
            if let Summary::Estimated(psnr) = row.summary {
                rows.push([
                    row.method.clone(),
                    psnr.map_or_else(|| "not estimable".to_owned(), |psnr| with_error(psnr, 2)),
                    row.strength_in_words.clone(),
                ]);
            }
        }
        aligned(&rows, 1)
            + "\nThere are no clean images: PSNR is that of the mean squared error of all images, pooled and \
               estimated\nwithout bias from pairs of noisy ones, with its standard error. There is no SSIM.\n"
    }
}

fn with_error(mean: Mean, digits: usize) -> String {
    let Mean {
        value,
        standard_error,
    } = mean;
    match standard_error {
        Some(error) => format!("{value:.digits$} +- {error:.digits$}"),
        None => format!("{value:.digits$}"),
    }
}
