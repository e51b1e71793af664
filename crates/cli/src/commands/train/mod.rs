//! `n2n train`: builds a run from the arguments and shows it.

mod args;
mod dashboard;
mod held_back;
mod lines;
mod metrics;
mod signals;
mod summary;
mod terminal;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, iter};

use anyhow::{bail, ensure};
use n2n_data::{AxesFrom, Opened, PartnerReport};
use n2n_devices::SelectedDevice;
use n2n_train::paint::false_colour;
use n2n_train::run_dir::{End, Notes, Program};
use n2n_train::{Event, Outcome, RunDir, TrainError, Trainer};

pub use self::args::TrainArgs;
use self::dashboard::Dashboard;
use self::lines::ProgressLines;
pub use self::lines::images_in;
use self::signals::Signals;
use self::summary::Summary;
use super::denoise::{self, DenoiseArgs};
use super::output;
use crate::data::{held_out, pair_warnings, peak, report_skipped, skipped_warnings};
use crate::progress::StatusLine;
use crate::signals::interrupted;

/// Trains as the arguments say.
///
/// # Errors
/// When an argument, the config, the data or the run directory cannot be used.
pub fn run(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let experiment = args.resolve()?;
    if let Some(output) = args.denoise.as_ref().filter(|output| output.is_file()) {
        bail!(
            "--denoise {} is there already; choose another file",
            output.display()
        );
    }
    let selected = args.device.open()?;
    let trainer = {
        let status = StatusLine::new();
        let progress = |scenes| status.show_scenes(scenes);
        Trainer::open(&experiment, &selected.device, &progress)?
    };
    if args.resume.is_none() {
        trainer.check_partners()?;
    }
    let path = run_path(args)?;
    ensure!(
        path.to_str().is_some(),
        "{}: the name of a run directory must be valid Unicode, since files in it name it",
        path.display()
    );
    let data = &experiment.data;
    let paths = [&data.path, &data.clean, &data.validation]
        .into_iter()
        .flatten();
    for path in paths.chain(data.pairs.iter().flatten()) {
        ensure!(
            path.to_str().is_some(),
            "{}: the name of the data must be valid Unicode, since the run's config names it; rename it, \
             or name a link to it (files in it may have any name)",
            path.display()
        );
    }
    let notes = report_data(&trainer, &selected, &path, args.json)?;
    let opened = trainer.data();
    let examples = [opened.train.clone(), opened.validation.clone()];
    let skipped_before = opened.skipped.len();

    let trainer = trainer
        .tensorboard(args.tensorboard)
        .notes(notes)
        .program(Program {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            git_revision: env!("N2N_GIT_REVISION").to_owned(),
            backend: selected.backend.to_owned(),
            device: selected.name.clone(),
        });
    let trainer = match &args.resume {
        Some(_) => trainer.resume(&path).accept_changes(args.accept_changes),
        None => trainer.run_dir(&path),
    };
    let signals = Signals::handle()?;
    let outcome = match show(trainer, &signals, args.json) {
        Err(TrainError::Aborted) => {
            eprintln!(
                "to go on from the last checkpoint: n2n train --resume {}",
                path.display()
            );
            return Ok(interrupted());
        }
        outcome => outcome?,
    };

    let skipped: Vec<String> = examples.iter().flat_map(|e| e.skipped()).collect();
    report_skipped(&skipped);
    let skipped = skipped_before + skipped.len();
    let summary = Summary::new(&outcome, skipped, &selected, &path);
    output::print(args.json, &summary, || summary.text(&outcome))?;
    for rollback in &outcome.rollbacks {
        eprintln!("warning: {rollback}");
    }
    for restart in &outcome.restarts {
        eprintln!("warning: {restart}");
    }
    if outcome.gains_nothing() {
        eprintln!(
            "warning: the best model is no better than its noisy input; train longer, or look at the data"
        );
    }
    if outcome.end == End::Stopped {
        eprintln!("to go on: n2n train --resume {}", path.display());
    }
    if signals.received() {
        return Ok(interrupted());
    }
    match (&args.denoise, &args.experiment.data) {
        (Some(output), Some(input)) => {
            let device = args.device.clone();
            let arguments = DenoiseArgs {
                axes: match &experiment.data.axes {
                    AxesFrom::Given(axes) => Some(axes.clone()),
                    _ => None,
                },
                json: args.json,
                ..DenoiseArgs::of(input.clone(), output.clone(), path, device)
            };
            denoise::run_until(&arguments, signals.flag())
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Returns the folder of the run; creates `runs/CONFIG-NUMBER` if none is given.
fn run_path(args: &TrainArgs) -> Result<PathBuf, TrainError> {
    match (&args.resume, &args.run_dir) {
        (Some(path), _) | (None, Some(path)) => Ok(path.clone()),
        (None, None) => RunDir::next_free(Path::new("runs"), &args.experiment.name()),
    }
}

/// Trains, and shows the run as a dashboard on a terminal, as plain lines elsewhere.
fn show(trainer: Trainer, signals: &Signals, json: bool) -> Result<Outcome, TrainError> {
    let reference = trainer.data().validation.reference();
    let name = trainer.noisy_psnr().name();
    let train = Arc::clone(&trainer.data().train);
    let dashboard = !json && std::io::stdout().is_terminal();
    let mut view: Option<View> = None;
    trainer.run(&signals.stop, |event| {
        match &event {
            Event::Measuring { minutes } => {
                eprintln!("measuring the speed, for a run of {minutes} minutes");
            }
            Event::Measured {
                images_per_s,
                max_images,
            } => eprintln!("{images_per_s:.0} images/s: the run takes {max_images} images"),
            _ => {}
        }
        if let Event::Start(start) = &event {
            let holes = train.holes();
            if holes > 0 {
                eprintln!("warning: {holes} samples are NaN or infinite; they are left out");
            }
            for problem in start.damaged {
                eprintln!("warning: {problem}; going on from the checkpoint before it");
            }
            if start.unlocked {
                eprintln!(
                    "warning: the file system has no locks: see that no other process trains in the same folder"
                );
            }
            if let Some(problem) = start.damaged_best {
                eprintln!("warning: {problem}; the best model stays as it is");
            }
            view = Some(if dashboard {
                let mut dashboard = Dashboard::open(start, signals, reference);
                Box::new(move |event| dashboard.show(event))
            } else {
                let mut lines = ProgressLines::new(start, name);
                Box::new(move |event| lines.show(event))
            });
        }
        if let Some(show) = &mut view {
            show(&event);
        }
    })
}

/// Shows the events of a run.
type View = Box<dyn FnMut(&Event)>;

/// Reports what the run is made of, and everything about its data that deserves a warning; returns it for the run's
/// folder.
fn report_data(
    trainer: &Trainer,
    selected: &SelectedDevice,
    path: &Path,
    json: bool,
) -> anyhow::Result<Notes> {
    let opened: &Opened = trainer.data();
    if !json {
        eprintln!(
            "{}: {} training and {} validation images, {}, on {} ({}), into {}",
            opened.kind,
            opened.train.len(),
            opened.validation.len(),
            trainer.noisy_psnr().of_noisy(),
            selected.backend,
            selected.name,
            path.display(),
        );
    }
    let mut remarks = what_data_are(opened);
    if !json {
        for remark in &remarks {
            eprintln!("{remark}");
        }
    }
    let mut warnings = Vec::new();
    let held_out = held_out(opened.validates_on).map(str::to_owned);
    let partners = opened.partners().and_then(PartnerReport::remark);
    for remark in held_out.into_iter().chain(partners) {
        eprintln!("{remark}");
        match remark.strip_prefix("warning: ") {
            Some(warning) => warnings.push(warning.to_owned()),
            None => remarks.push(remark),
        }
    }
    let shown = warnings.len();
    warnings.extend(pair_warnings(opened)?);
    warnings.extend(opened.single_noise().and_then(|noise| noise.warning()));
    warnings.extend(skipped_warnings(&opened.skipped));
    for warning in &warnings[shown..] {
        eprintln!("warning: {warning}");
    }
    if selected.tunes_kernels && !json {
        eprintln!("compiling kernels for this device: the first steps take longer");
    }
    let arguments = env::args_os().skip(1);
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    Ok(Notes {
        command: iter::once("n2n".to_owned()).chain(arguments).collect(),
        remarks,
        warnings,
    })
}

/// What is found in data, in lines.
fn what_data_are(opened: &Opened) -> Vec<String> {
    let mut lines = Vec::new();
    let range = opened.range.as_ref();
    if let Some(range) = range {
        lines.push(format!("samples from {range} become 0 to 1"));
    }
    if let Some(pairing) = opened.pairing {
        lines.push(pairing.to_string());
    }
    lines.push(peak(range, opened.scenes[0].kind()));
    let [channels, ..] = opened.train.shape(0);
    if let Some(colours) = false_colour(channels) {
        lines.push(format!("pictures are in {colours}"));
    }
    if opened.subsamples {
        lines.push(
            "each image by itself is a pair of two sub-images (data.pairing = \"subsample\")"
                .to_owned(),
        );
    }
    lines
}
