//! `n2n denoise`: files in, denoised files out.

mod args;
mod inputs;
mod jobs;
mod work;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use burn::tensor::Device;
use n2n_denoise::Denoiser;
use n2n_devices::SelectedDevice;
use n2n_files::{AxesFrom, remove_unfinished};
use serde::Serialize;

pub use self::args::DenoiseArgs;
use self::jobs::{CheckedJob, Job, Target};
pub use self::work::CannotWrite;
use self::work::{Remarks, Worker};
use super::output::print;
use crate::hints;
use crate::progress::{Pace, StatusLine};
use crate::signals;

/// Some of the files could not be denoised; the same code as for arguments that cannot be used.
const SOME_FAILED: u8 = 2;

/// Memory of the program itself, in bytes: its code, threads and buffers.
const PROGRAM: u64 = 64 << 20;

/// Denoises as the arguments say.
///
/// # Errors
/// When an argument or the model cannot be used, a file of `--strict` or the only one cannot be denoised,
/// or an output cannot be written.
pub fn run(args: &DenoiseArgs) -> anyhow::Result<ExitCode> {
    let stop = signals::handle(|| eprintln!("stopping; once more to quit at once"), || {})?;
    run_until(args, &stop)
}

/// As [`run`], until `stop` is set.
///
/// # Errors
/// As for [`run`].
pub fn run_until(args: &DenoiseArgs, stop: &AtomicBool) -> anyhow::Result<ExitCode> {
    let inputs::Found {
        inputs,
        unreadable,
        circles,
        refused,
    } = inputs::find(&args.inputs, &args.output)?;
    let jobs = jobs::plan(&args.inputs, inputs, &args.output)?;
    let selected = args.device.open()?;
    let denoiser = load(args, &selected.device)?;
    let mut tally = Tally {
        alone: jobs.len() + unreadable.len() == 1,
        strict: args.strict,
        ..Tally::default()
    };
    for link in circles {
        let link = link.display();
        eprintln!("warning: {link} is left out: it leads back to a folder above it");
    }
    if let [first, others @ ..] = &refused[..] {
        let others = match others.len() {
            0 => String::new(),
            count => format!(", and so are {count} others that are not read"),
        };
        eprintln!("warning: {first}; it is left out{others}");
    }
    for (path, error) in unreadable {
        tally.fail(&path, error)?;
    }

    let axes = args.axes.clone().map_or(AxesFrom::File, AxesFrom::Given);
    let mut work: Vec<CheckedJob> = vec![];
    for job in jobs {
        if !args.overwrite && is_done(&job.output) {
            tally.skipped += 1;
            continue;
        }
        match check(&job, &denoiser, &axes, args.level) {
            Ok(checked) => work.push(checked),
            Err(error) => tally.fail(&job.input, error)?,
        }
    }
    clean(&work);
    let pixels = work.iter().map(CheckedJob::pixels).sum();
    let (status, pace) = (StatusLine::new(), Pace::new(pixels, 0));
    if !args.json {
        announce(args, &work, pixels, &selected);
    }

    let line = |file: usize, done: usize, input: &Path| {
        format!(
            "{file}/{} files  {:.1}/{:.1} MP  {:.2} MP/s  {}  {}",
            work.len(),
            megapixels(done),
            megapixels(pixels),
            pace.speed(done) / 1e6,
            pace.eta(done),
            input.display(),
        )
    };
    let mut finished = 0;
    for (index, job) in work.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut worker = Worker {
            denoiser: &denoiser,
            range: args.range.as_ref(),
            progress: &mut |done| {
                status.show(|| line(index, finished + done, &job.input));
                if stop.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        };
        let done = worker.denoise(job);
        status.clear();
        match done {
            Ok(Remarks {
                left_out,
                choice,
                holes,
                foreign,
                stray,
            }) => {
                tally.files += 1;
                tally.pixels += job.pixels();
                tally.holes += holes;
                if foreign && let Some(range) = &denoiser.metadata().range {
                    eprintln!(
                        "warning: {}: the model was trained on samples from {range}, and this is a picture; \
                         --range says which samples are black and white",
                        job.input.display()
                    );
                }
                if stray && !foreign {
                    eprintln!(
                        "warning: {}: much of the result lies far outside the range of its samples; the model \
                         hardly fits them, or --range is another than theirs",
                        job.input.display()
                    );
                }
                if holes > 0 {
                    let input = job.input.display();
                    eprintln!("warning: {input}: {holes} samples are NaN or infinite, and stay so");
                }
                if job.carries_fourth {
                    let input = job.input.display();
                    eprintln!(
                        "warning: {input}: its fourth channel, of which it does not say what it is, stays as it is"
                    );
                }
                if let Some(choice) = choice {
                    eprintln!("warning: {}: {choice}", job.input.display());
                }
                if let Some(doubt) = &job.doubt {
                    eprintln!("warning: {}: {doubt}", job.input.display());
                }
                if !left_out.is_empty() {
                    let left_out = left_out.join(", ");
                    eprintln!("warning: {} does not keep {left_out}", job.output.display());
                }
            }
            Err(error) if is_stop(&error) => break,
            Err(error) => tally.fail(&job.input, error)?,
        }
        finished += job.pixels();
    }

    let seconds = pace.seconds();
    let summary = Summary {
        files: tally.files,
        skipped: tally.skipped,
        failed: &tally.failed,
        holes: tally.holes,
        megapixels: megapixels(tally.pixels),
        seconds,
        megapixels_per_s: megapixels(tally.pixels) / seconds,
        backend: selected.backend,
        device: &selected.name,
        model: args.model.as_ref().map(|model| model.display().to_string()),
        output: args.output.display().to_string(),
    };
    print(args.json, &summary, || summary.text())?;
    Ok(if stop.load(Ordering::Relaxed) {
        signals::interrupted()
    } else if tally.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(SOME_FAILED)
    })
}

fn load(args: &DenoiseArgs, device: &Device) -> anyhow::Result<Denoiser> {
    let denoiser = match &args.model {
        Some(path) => Denoiser::load_on(path, device)?,
        None => Denoiser::bundled_on(device),
    };
    let max_memory = args.max_memory.saturating_mul(1 << 20);
    Ok(denoiser
        .with_self_ensemble(args.self_ensemble)
        .with_max_memory(max_memory.saturating_sub(PROGRAM)))
}

/// Whether the result exists. An empty file, a device or a pipe does not count.
fn is_done(output: &Path) -> bool {
    let metadata = output.metadata();
    metadata.is_ok_and(|found| found.is_dir() || found.is_file() && found.len() > 0)
}

/// Removes what killed commands left where results go.
fn clean(work: &[CheckedJob]) {
    let folders: BTreeSet<_> = work.iter().filter_map(|job| job.output.parent()).collect();
    folders.into_iter().for_each(remove_unfinished);
}

/// Checks the formats of a job, and the memory that it takes.
fn check(
    job: &Job,
    denoiser: &Denoiser,
    axes: &AxesFrom,
    level: usize,
) -> anyhow::Result<CheckedJob> {
    let checked = job.check(denoiser.metadata().channels(), axes, level)?;
    let memory = match checked.target {
        Target::Zarr => denoiser.check_parts(checked.header.shape(), checked.in_files),
        _ => denoiser.check_header(&checked.header, checked.in_files),
    };
    memory.with_context(|| job.input.display().to_string())?;
    Ok(checked)
}

fn is_stop(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(n2n_denoise::Error::Stopped))
}

fn announce(args: &DenoiseArgs, work: &[CheckedJob], pixels: usize, selected: &SelectedDevice) {
    if work.is_empty() {
        return;
    }
    let model = match &args.model {
        Some(path) => path.display().to_string(),
        None => "the bundled model".to_owned(),
    };
    eprintln!(
        "{} ({:.1} MP) with {model}, on {} ({})",
        files(work.len()),
        megapixels(pixels),
        selected.backend,
        selected.name,
    );
    if selected.tunes_kernels {
        eprintln!("compiling kernels for this device: the first tiles take longer");
    }
}

/// Pixels in millions.
fn megapixels(pixels: usize) -> f64 {
    pixels as f64 / 1e6
}

/// The results of the files.
#[derive(Default)]
struct Tally {
    /// There is one file: its error is that of the command.
    alone: bool,
    /// The first error is that of the command.
    strict: bool,
    files: usize,
    pixels: usize,
    skipped: usize,
    failed: Vec<Failure>,
    /// Samples that are NaN or infinite, and stay so.
    holes: usize,
}

impl Tally {
    /// Reports a file that could not be denoised; returns the error if it ends the command.
    fn fail(&mut self, input: &Path, error: anyhow::Error) -> anyhow::Result<()> {
        if self.alone || self.strict || error.is::<CannotWrite>() {
            return Err(error);
        }
        eprintln!("error: {}", hints::message(&error));
        self.failed.push(Failure {
            path: input.display().to_string(),
            error: hints::causes(&error),
        });
        Ok(())
    }
}

/// A file that could not be denoised.
#[derive(Serialize)]
struct Failure {
    path: String,
    error: String,
}

/// The result of the command.
#[derive(Serialize)]
struct Summary<'a> {
    files: usize,
    skipped: usize,
    failed: &'a [Failure],
    holes: usize,
    megapixels: f64,
    seconds: f64,
    megapixels_per_s: f64,
    backend: &'a str,
    device: &'a str,
    model: Option<String>,
    output: String,
}

impl Summary<'_> {
    fn text(&self) -> String {
        let mut text = format!(
            "{} ({:.1} MP) denoised in {:.1} s ({:.2} MP/s), into {}",
            files(self.files),
            self.megapixels,
            self.seconds,
            self.megapixels_per_s,
            self.output,
        );
        if self.skipped > 0 {
            let skipped = files(self.skipped);
            text += &format!("\n{skipped} exist already; --overwrite denoises them again");
        }
        if !self.failed.is_empty() {
            text += &format!("\n{} not denoised, see above", files(self.failed.len()));
        }
        text
    }
}

/// A number of files in words.
fn files(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        _ => format!("{count} files"),
    }
}
