//! `n2n data inspect`: what a path holds, and what would be trained and validated on.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use clap::Args;
use n2n_data::quality::{Psnr, PsnrKeys};
use n2n_data::{
    Chosen, DataError, Examples, NoiseCheck, Opened, PartnerReport, Range, SceneSource,
    ValidatesOn, View,
};
use n2n_files::{Sample, SampleKind, with_samples};
use n2n_train::data::noisy_input;
use rayon::prelude::*;
use serde::Serialize;

use super::output::print;
use crate::args::DataArgs;
use crate::data::{self, held_out, pair_warnings, peak};

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

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// Scenes whose values are looked at, spread over the set.
const SAMPLED: usize = 64;

/// Looks at data as the arguments say.
///
/// # Errors
/// When the data cannot be trained and validated on.
pub fn run(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let [data, validation] = [&args.data, &args.validation].map(Option::as_deref);
    let experiment = args.source.resolve(None, data, validation, None)?;
    let (experiment, opened) = data::open(&experiment)?;
    let noisy = noisy_input(&opened.validation)?.psnr;
    let training = set(&*opened.scenes[0], &opened.train)?;
    let validation = set(&*opened.scenes[1], &opened.validation)?;
    let report = Report {
        kind: &opened.kind,
        validates_against: if opened.validation.has_clean() {
            "clean images"
        } else {
            "second noisy images"
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
        noisy_psnr: noisy.into(),
        noise_check: opened.noise_check()?,
        partners: opened.partners(),
        warnings: pair_warnings(&opened)?,
        holes: opened.train.holes(),
        skipped: skipped(&opened, [&training, &validation]),
        training,
        validation,
    };
    let normalize = serde_json::to_value(experiment.data.normalize)?;
    print(args.json, &report, || {
        report.text(noisy, normalize.as_str().unwrap_or_default())
    })?;
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
    #[serde(flatten, rename = "noisy")]
    noisy_psnr: PsnrKeys,
    noise_check: Option<NoiseCheck>,
    /// What the two images of pairs have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    partners: Option<&'a PartnerReport>,
    /// What a person should know of the pairs.
    warnings: Vec<String>,
    /// Samples of the training images looked at that are NaN or infinite.
    holes: usize,
    skipped: Vec<String>,
}

/// A set of scenes, and the examples made of it.
#[derive(Serialize)]
struct Set {
    scenes: usize,
    /// Fewest and most shots of a scene.
    shots: [usize; 2],
    clean: bool,
    channels: usize,
    dtype: String,
    #[serde(skip)]
    kind: SampleKind,
    /// Smallest and largest height in pixels.
    height: [usize; 2],
    /// Smallest and largest width in pixels.
    width: [usize; 2],
    /// Smallest and largest sample as stored, and the mean, of `sampled` scenes; absent where none can be
    /// read.
    values: Option<[f64; 3]>,
    sampled: usize,
    /// Why others of the scenes looked at cannot be read.
    #[serde(skip)]
    unreadable: Vec<String>,
    /// Images in an epoch.
    examples: usize,
    /// `[channels, height, width]` of the first example.
    example_shape: [usize; 3],
}

fn set(source: &dyn SceneSource, examples: &Examples) -> anyhow::Result<Set> {
    ensure!(!source.is_empty(), "a set without scenes");
    let first = source.info(0);
    let (mut shots, mut height, mut width) =
        ([first.shots; 2], [first.height; 2], [first.width; 2]);
    let mut clean = true;
    for info in (0..source.len()).map(|scene| source.info(scene)) {
        widen(&mut shots, info.shots);
        widen(&mut height, info.height);
        widen(&mut width, info.width);
        clean &= info.clean;
    }
    let stride = source.len().div_ceil(SAMPLED);
    let looked_at = (0..source.len()).into_par_iter().step_by(stride);
    let found: Vec<_> = looked_at.map(|scene| values(source, scene)).collect();
    let (mut values, mut unreadable) = (Vec::new(), Vec::new());
    for found in found {
        match found {
            Ok(found) => values.extend(found),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    let total = values.iter().copied().reduce(|total, [low, high, mean]| {
        [total[0].min(low), total[1].max(high), total[2] + mean]
    });
    Ok(Set {
        scenes: source.len(),
        shots,
        clean,
        channels: source.channels(),
        dtype: source.kind().to_string(),
        kind: source.kind(),
        height,
        width,
        values: total.map(|[low, high, sum]| [low, high, sum / values.len() as f64]),
        sampled: values.len(),
        unreadable,
        examples: examples.len(),
        example_shape: examples.shape(0),
    })
}

fn widen(bounds: &mut [usize; 2], value: usize) {
    *bounds = [bounds[0].min(value), bounds[1].max(value)];
}

/// Smallest, largest and mean sample of an image of a scene; `None` where there is no number in it.
fn values(source: &dyn SceneSource, scene: usize) -> Result<Option<[f64; 3]>, DataError> {
    let view = match source.info(scene).shots {
        0 => View::Clean,
        _ => View::Shot(0),
    };
    let image = source.look(scene, view)?;
    Ok(with_samples!(&image.samples, samples => summary(samples)))
}

/// The same of samples, less those that are NaN or infinite.
fn summary<T: Sample>(samples: &[T]) -> Option<[f64; 3]> {
    let numbers = samples.iter().map(|sample| sample.to_f64());
    let numbers = numbers.filter(|number| number.is_finite());
    let start = ([f64::INFINITY, f64::NEG_INFINITY, 0.0], 0_usize);
    let ([low, high, sum], count) = numbers.fold(start, |([low, high, sum], count), number| {
        ([low.min(number), high.max(number), sum + number], count + 1)
    });
    (count > 0).then(|| [low, high, sum / count as f64])
}

impl Report<'_> {
    fn text(&self, noisy: Psnr, normalize: &str) -> String {
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
                    format!("  values {low} to {high}, mean {mean:.4} ({sampled} scenes looked at)")
                }
                None => "  no value can be read".to_owned(),
            });
            lines.push(format!(
                "  {examples} images of {height}x{width} in an epoch"
            ));
        }
        if let Some(noise) = &self.noise {
            lines.push(format!("noise put on clean images: {noise}"));
        }
        if let Some(range) = self.range {
            lines.push(format!("samples from {range} become 0 to 1"));
        }
        lines.extend(self.pairing.map(|pairing| pairing.to_string()));
        lines.push(format!("normalization: {normalize}"));
        lines.push(format!(
            "validated against {}; noisy input {noisy}. {}",
            self.validates_against,
            peak(self.range, self.training.kind)
        ));
        if let Some(check) = &self.noise_check {
            lines.push(format!(
                "noise: correlation {:.3} with the scene, {:.3} from pixel to pixel",
                check.difference_and_sum, check.difference_and_neighbour
            ));
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
        lines.extend(held_out(self.validates_on).map(str::to_owned));
        lines.extend(self.blank.iter().map(|why| format!("warning: {why}")));
        if self.holes > 0 {
            lines.push(format!(
                "{} samples are NaN or infinite; they are left out",
                self.holes
            ));
        }
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
