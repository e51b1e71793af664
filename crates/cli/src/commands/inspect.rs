//! `n2n data inspect`: what a path holds, what would be trained and validated on, and what was chosen.

mod choices;
mod noise;
mod set;
mod sheet;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use n2n_data::quality::{Psnr, PsnrKeys, Reference};
use n2n_data::{
    Chosen, NoiseCheck, NoiseLevel, Opened, PartnerReport, Range, SingleNoise, ValidatesOn,
};
use n2n_train::data::noisy_input;
use serde::Serialize;

use self::choices::{Choice, choices};
use self::set::{Set, set};
use super::output::{prepare, print, write};
use crate::args::DataArgs;
use crate::data::{self, held_out, pair_warnings, peak};
use crate::digits::sample;

/// Share of the samples that may be cut off without a word.
const CUT_OFF: f64 = 0.001;

/// Arguments of `n2n data inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// File or folder
    #[arg(value_name = "PATH", required_unless_present = "pairs")]
    pub data: Option<PathBuf>,

    /// Data to validate on [default: what PATH says, or a tenth of the scenes]
    #[arg(long, value_name = "PATH")]
    pub validation: Option<PathBuf>,

    /// Data and settings.
    #[command(flatten)]
    pub source: DataArgs,

    /// Draw some scenes, their noise, and diagrams of samples and noise
    #[arg(long, value_name = "FILE.png")]
    pub picture: Option<PathBuf>,

    /// Write over the picture
    #[arg(long, requires = "picture")]
    pub overwrite: bool,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// Looks at data as the arguments say.
///
/// # Errors
/// When the data cannot be trained and validated on.
pub fn run(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let [data, validation] = [&args.data, &args.validation].map(Option::as_deref);
    let asked = args.source.resolve(None, data, validation, None)?;
    if let Some(picture) = &args.picture {
        let reads: Vec<PathBuf> = args.data.iter().cloned().collect();
        prepare(picture, &reads, args.overwrite).context("--picture")?;
    }
    let (experiment, opened) = data::open(&asked)?;
    let noisy = noisy_input(&opened.validation)?.psnr;
    let training = set(&*opened.scenes[0], &opened.train)?;
    let validation = set(&*opened.scenes[1], &opened.validation)?;
    let noise_levels = opened.noise_levels();
    let mut report = Report {
        kind: &opened.kind,
        validates_against: match opened.validation.reference() {
            Reference::Clean => "clean images",
            Reference::SecondNoisy => "second noisy images",
            Reference::SubImage => "other sub-images",
        },
        validates_on: opened.validates_on,
        one_scene: matches!(
            opened.validates_on,
            ValidatesOn::Regions | ValidatesOn::TrainingScene
        ),
        blank: opened
            .train
            .check_variation()
            .err()
            .map(|error| error.to_string()),
        range: opened.range.as_ref(),
        pairing: opened.pairing,
        noise: opened.noise.as_ref().map(ToString::to_string),
        subsamples: opened.subsamples,
        choices: choices(&asked, &experiment, &opened),
        noisy_psnr: noisy.into(),
        noise_check: opened.noise_check()?,
        single_noise: opened.single_noise(),
        noise_levels,
        partners: opened.partners(),
        warnings: pair_warnings(&opened)?,
        holes: opened.train.holes(),
        denoised_wrongly: vec![],
        skipped: skipped(&opened, [&training, &validation]),
        training,
        validation,
    };
    report.denoised_wrongly = report.limits();
    if let Some(picture) = &args.picture {
        write(picture, &sheet::png(&opened, &report.noise_levels)?)?;
    }
    print(args.json, &report, || report.text(noisy))?;
    Ok(ExitCode::SUCCESS)
}

/// What is left out, each reason once: a file that cannot be read is met in several passes.
fn skipped(opened: &Opened, sets: [&Set; 2]) -> Vec<String> {
    let mut skipped = opened.skipped.clone();
    let met = opened.train.skipped().into_iter();
    let met = met.chain(opened.validation.skipped());
    for reason in met.chain(sets.into_iter().flat_map(|set| set.unreadable.clone())) {
        if !skipped.iter().any(|known| known.contains(&reason)) {
            skipped.push(reason);
        }
    }
    skipped
}

/// What was found.
#[derive(Serialize)]
struct Report<'a> {
    kind: &'a str,
    training: Set,
    validation: Set,
    validates_against: &'static str,
    validates_on: ValidatesOn,
    /// Whether both sets are of the same scenes.
    one_scene: bool,
    /// Why there is nothing to learn, where every training image is blank.
    #[serde(skip_serializing_if = "Option::is_none")]
    blank: Option<String>,
    /// Samples that become 0 and 1; absent: those of the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<&'a Range>,
    /// How shots become pairs, where they stand for each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairing: Option<Chosen>,
    noise: Option<String>,
    /// Whether pairs are sub-images of single images.
    subsamples: bool,
    choices: Vec<Choice>,
    #[serde(flatten, rename = "noisy")]
    noisy_psnr: PsnrKeys,
    noise_check: Option<NoiseCheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    single_noise: Option<SingleNoise>,
    /// In the units of the samples.
    noise_levels: Vec<NoiseLevel>,
    /// What the two images of pairs have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    partners: Option<&'a PartnerReport>,
    /// What a person should know of the pairs.
    warnings: Vec<String>,
    /// Samples of the training images looked at that are NaN or infinite.
    holes: usize,
    /// What a model of these data would not restore, in words.
    denoised_wrongly: Vec<String>,
    skipped: Vec<String>,
}

impl Report<'_> {
    /// What a model of these data would not restore.
    fn limits(&self) -> Vec<String> {
        let mut limits = Vec::new();
        let [black, white] = self.training.cut_off;
        let bounds = self.training.kind.bounds().unwrap_or_default();
        for (share, end, becomes) in [
            (black, bounds[0], "too bright"),
            (white, bounds[1], "too dark"),
        ] {
            if share > CUT_OFF {
                limits.push(format!(
                    "{:.1} % of the samples are {end}, where noise is cut off: such places become slightly {becomes}",
                    100.0 * share
                ));
            }
        }
        if self.holes > 0 {
            limits.push(format!(
                "{} samples are NaN or infinite; they are left out, and stay as they are",
                self.holes
            ));
        }
        let correlated = self.single_noise.as_ref().and_then(SingleNoise::warning);
        if correlated.is_some() {
            limits.push("noise that neighbouring pixels share stays".to_owned());
        }
        limits.push(match self.training.channels {
            1 | 3 => "images with noise of another strength than these, and other than grey and colour ones"
                .to_owned(),
            channels => format!(
                "images with noise of another strength than these; those with other than {channels} channels are refused"
            ),
        });
        limits
    }

    fn text(&self, noisy: Psnr) -> String {
        let mut lines = vec![self.kind.to_owned()];
        for (name, set) in [
            ("training", &self.training),
            ("validation", &self.validation),
        ] {
            let Set {
                scenes,
                channels,
                dtype,
                values,
                sampled,
                examples,
                example_shape: [_, height, width],
                ..
            } = set;
            let images = match (set.shots, set.clean) {
                ([0, 0], _) => "a clean image".to_owned(),
                ([1, 1], false) => "a shot".to_owned(),
                ([1, 1], true) => "a shot and a clean image".to_owned(),
                (shots, false) => format!("{} shots", bounds(shots)),
                (shots, true) => format!("{} shots and a clean image", bounds(shots)),
            };
            let channels = match channels {
                1 => "grey".to_owned(),
                3 => "colour".to_owned(),
                _ => format!("{channels} channels"),
            };
            lines.push(format!(
                "{name}: {scenes} scenes of {images}, {}x{} pixels, {channels}, {dtype}",
                bounds(set.height),
                bounds(set.width),
            ));
            lines.push(match values {
                Some([low, high, mean]) => {
                    let [low, high] = [low, high].map(|value| sample(*value));
                    format!("  values {low} to {high}, mean {mean:.4} ({sampled} scenes looked at)")
                }
                None => "  no value can be read".to_owned(),
            });
            lines.push(format!(
                "  {examples} images of {height}x{width} in an epoch"
            ));
        }
        lines.extend(self.choices.iter().map(Choice::text));
        let peak = peak(self.range, self.training.kind);
        lines.push(format!(
            "validated against {}; {}. {peak}",
            self.validates_against,
            noisy.of_noisy(),
        ));
        lines.extend(noise::lines(
            &self.noise_levels,
            self.noise_check.as_ref(),
            self.single_noise.as_ref(),
        ));
        if self.validates_on == ValidatesOn::TrainingScene {
            lines.extend(held_out(self.validates_on).map(str::to_owned));
        }
        if let Some(partners) = self.partners {
            lines.push(partners.text());
            lines.extend(partners.remark());
        }
        lines.extend(
            self.warnings
                .iter()
                .map(|warning| format!("warning: {warning}")),
        );
        lines.extend(self.blank.iter().map(|why| format!("warning: {why}")));
        lines.push("denoised wrongly:".to_owned());
        let limits = self.denoised_wrongly.iter();
        lines.extend(limits.map(|limit| format!("  {limit}")));
        if !self.skipped.is_empty() {
            lines.push(format!("left out: {}", self.skipped.len()));
            lines.extend(
                self.skipped
                    .iter()
                    .take(10)
                    .map(|reason| format!("  {reason}")),
            );
        }
        lines.join("\n")
    }
}

fn bounds([low, high]: [usize; 2]) -> String {
    if low == high {
        low.to_string()
    } else {
        format!("{low} to {high}")
    }
}
