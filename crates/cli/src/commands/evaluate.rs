//! `n2n evaluate`: how well models denoise, beside classical methods.

mod args;
mod csv;
mod method;
mod report;
mod scenes;
mod sheet;
mod tune;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use n2n_data::NoisyPair;
use n2n_data::quality::Score;
use n2n_denoise::model_file;
use rayon::prelude::*;

pub use self::args::EvaluateArgs;
use self::method::Method;
use self::report::Report;
use self::scenes::Scenes;
use self::tune::Sample;
use super::output::{next_free, prepare, print, write};
use crate::data::report_skipped;
use crate::progress::StatusLine;

/// Pixels of scenes that are in memory at once; one scene may have more.
const PIXELS_AT_ONCE: usize = 1 << 20;

/// Evaluates as the arguments say.
///
/// # Errors
/// When an argument, a model, the data or the device cannot be used.
pub fn run(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let selected = args.device.open()?;
    let models = method::load(&args.models, &selected.device, args.self_ensemble)?;
    let scenes = Scenes::open(args, method::range(&models)?)?;
    let sheet = prepare_files(args, &scenes)?;

    let mut methods = vec![Method::Input];
    let mut tuned_on = None;
    let classical = args.classical();
    if !classical.is_empty() {
        let sample = Sample::of(&scenes)?;
        methods.extend(classical.into_iter().map(|method| sample.tune(method)));
        tuned_on = Some(sample.describe());
    }
    methods.extend(models);
    let results = evaluate(&scenes, methods)?;

    report_skipped(&scenes.skipped());
    // Before files are written: a full disk shall not cost the results.
    let report = Report::new(&scenes, &results, tuned_on, args, &sheet);
    print(args.json, &report, || report.text())?;
    if let Some(path) = &args.csv {
        write(path, &csv::bytes(&scenes, &results)?)?;
    }
    write(&sheet, &sheet::png(&scenes, &results)?)?;
    eprintln!("picture{}: {}", scenes.false_colour(), sheet.display());
    Ok(ExitCode::SUCCESS)
}

/// Makes ready for the files that are written; returns the path of the picture.
fn prepare_files(args: &EvaluateArgs, scenes: &Scenes) -> anyhow::Result<PathBuf> {
    let default = || {
        let stem = format!("evaluate-{}", scenes.stem());
        let mut sheet = next_free(Path::new("runs"), &stem, &["png"]).into_os_string();
        sheet.push(".png");
        sheet.into()
    };
    let sheet = args.sheet.clone().unwrap_or_else(default);
    let models = args.models.iter().map(|model| model_file(model));
    let mut reads = models.collect::<Result<Vec<_>, _>>()?;
    reads.extend(scenes.files());
    prepare(&sheet, &reads, args.overwrite).context("--sheet")?;
    if let Some(csv) = &args.csv {
        prepare(csv, &reads, args.overwrite).context("--csv")?;
    }
    Ok(sheet)
}

/// What came of an evaluation.
pub struct Results {
    /// Numbers of the scenes that could be read.
    pub scenes: Vec<usize>,
    /// What was evaluated.
    pub methods: Vec<Method>,
    /// For each method the score of each of those scenes.
    pub scores: Vec<Vec<Score>>,
}

/// Denoises every scene by every method.
fn evaluate(scenes: &Scenes, methods: Vec<Method>) -> anyhow::Result<Results> {
    let status = StatusLine::new();
    let mut read = Vec::new();
    let mut scores = vec![Vec::new(); methods.len()];
    let mut next = 0;
    while next < scenes.len() {
        let chunk = chunk(scenes, next);
        let pairs = chunk.clone().into_par_iter().map(|scene| {
            let pair = scenes.read(scene)?;
            Ok(pair.map(|pair| (scene, pair)))
        });
        let pairs = pairs.collect::<anyhow::Result<Vec<_>>>()?;
        let pairs: Vec<(usize, NoisyPair)> = pairs.into_iter().flatten().collect();
        for (method, scores) in methods.iter().zip(&mut scores) {
            let begun = AtomicUsize::new(chunk.start);
            let score = |(_, pair): &(usize, NoisyPair)| {
                let (count, number) = (scenes.len(), 1 + begun.fetch_add(1, Ordering::Relaxed));
                status.show(|| format!("{}: image {number} of {count}", method.name()));
                Score::of(pair, |image| method.denoise(image, pair.shape))
            };
            // A network takes all cores, or a device, by itself.
            let chunk: anyhow::Result<Vec<Score>> = match method {
                Method::Model { .. } => pairs.iter().map(score).collect(),
                _ => pairs.par_iter().map(score).collect(),
            };
            scores.extend(chunk?);
        }
        read.extend(pairs.iter().map(|(scene, _)| *scene));
        next = chunk.end;
    }
    if read.is_empty() {
        return Err(scenes.none_readable());
    }
    Ok(Results {
        scenes: read,
        methods,
        scores,
    })
}

/// The scenes from `first` on that are in memory at once.
fn chunk(scenes: &Scenes, first: usize) -> std::ops::Range<usize> {
    let mut pixels = scenes.pixels(first);
    let rest = (first + 1..scenes.len()).take_while(|&scene| {
        pixels += scenes.pixels(scene);
        pixels <= PIXELS_AT_ONCE
    });
    first..first + 1 + rest.count()
}
