//! `n2n sweep`: many runs that differ in a few settings, and their table.

mod args;
mod child;
mod queue;
mod results;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use n2n_runs::Table;
use n2n_train::run_dir::Standing;
use n2n_train::{PlannedRun, RunDir, Sweep, TrainError};
use serde::Serialize;

pub use self::args::SweepArgs;
use self::queue::{Change, Queue, State};
use crate::commands::output;
use crate::progress::{Pace, StatusLine};
use crate::signals::{self, interrupted};
use crate::table::aligned;

/// Copy of the sweep in its folder.
const SWEEP: &str = "sweep.toml";

/// Time between two looks at the runs.
const LOOKS: Duration = Duration::from_millis(100);

/// Time between two lines of progress, where there is no terminal.
const LINES: Duration = Duration::from_secs(30);

/// Parts of a run that progress is counted in.
const PARTS: f64 = 1000.0;

/// Warnings of a run that are shown; its log has all.
const SHOWN: usize = 3;

/// Runs the sweep as the arguments say.
///
/// # Errors
/// When an argument or a file cannot be used, a run that is there has other settings, or a run failed.
pub fn run(args: &SweepArgs) -> anyhow::Result<ExitCode> {
    let sweep = args.plan()?;
    let selected = args.selected(&sweep.runs)?;
    let folder = args.folder(&sweep);
    ensure!(
        folder.to_str().is_some(),
        "{}: the name of the folder must be valid Unicode",
        folder.display()
    );
    check_place(&args.file, &folder)?;
    check(&selected, &folder)?;
    if args.dry_run {
        list(&selected, &folder, args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Opened here, so that a device that is not there is one error, and not one of each run.
    args.device.open()?;
    let configs = folder.join(child::CONFIGS);
    fs::create_dir_all(&configs).with_context(|| format!("cannot create {}", configs.display()))?;
    let text = fs::read(&args.file).context("cannot read the sweep")?;
    output::write(&folder.join(SWEEP), &text)?;

    let selected = selected.into_iter().map(|(_, run)| run).collect();
    let queue = Queue::new(selected, folder.clone(), &args.device, args.jobs);
    let (queue, is_stopped) = work(queue, &sweep, &folder)?;
    let table = results::write(&folder, &sweep.runs)?;
    output::print(args.json, &table, || text_of(&table, &folder))?;
    if is_stopped {
        eprintln!(
            "to go on: n2n sweep {}, with the same arguments",
            args.file.display()
        );
        return Ok(interrupted());
    }
    let unfinished = queue.unfinished();
    if !unfinished.is_empty() {
        bail!(
            "{} of {} runs did not come to their end: {}; the same command tries them again, and their messages \
             are in {}",
            unfinished.len(),
            queue.runs.len(),
            unfinished.join(" "),
            folder.join(child::LOGS).display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks that files which the sweep writes are those of an earlier call, or not there yet.
fn check_place(file: &Path, folder: &Path) -> anyhow::Result<()> {
    let results = ["csv", "json", "md"].map(|extension| results::path(folder, extension));
    for path in results.into_iter().chain([folder.join(SWEEP)]) {
        let is_other = path.exists() && output::identity(&path) != output::identity(file);
        // Looked for last: another process, which begins now, makes it before its files.
        ensure!(
            !is_other || folder.join(child::CONFIGS).is_dir(),
            "{} is there already, and not of a sweep; choose another folder with -o",
            path.display()
        );
    }
    Ok(())
}

/// Checks that runs that are there are those of the sweep.
fn check(runs: &[(usize, &PlannedRun)], folder: &Path) -> anyhow::Result<()> {
    for (_, run) in runs {
        let (plan, place) = (child::plan(folder, run), folder.join(&run.name));
        ensure!(
            plan.exists() || !RunDir::is_run(&place),
            "{} is a run of something else; choose another folder with -o",
            place.display()
        );
        match run.check(&plan) {
            Err(TrainError::Changed { changes, .. }) if RunDir::is_run(&place) => bail!(
                "the sweep has changed since its run in {}: {}; choose another folder with -o, put the sweep back, \
                 or remove the run",
                place.display(),
                changes.join("; ")
            ),
            // Nothing was done by the plan before.
            Err(TrainError::Changed { .. }) => {}
            checked => checked?,
        }
    }
    Ok(())
}

/// Works until every run has ended, or a signal comes; returns the queue, and whether one came.
fn work<'a>(
    mut queue: Queue<'a>,
    sweep: &Sweep,
    folder: &Path,
) -> anyhow::Result<(Queue<'a>, bool)> {
    let signal = signals::handle(
        || eprintln!("stopping: the runs save; once more to quit at once"),
        || {},
    )?;
    let status = StatusLine::with_lines_every(LINES);
    let mut pace: Option<Pace> = None;
    let mut is_stopping = false;
    loop {
        if signal.load(std::sync::atomic::Ordering::Relaxed) && !is_stopping {
            is_stopping = true;
            queue.stop();
        }
        for (run, change) in queue.step(is_stopping)? {
            status.clear();
            tell(run, &change);
            if matches!(change, Change::Done(_)) {
                results::write(folder, &sweep.runs)?;
            }
        }
        if queue.is_over(is_stopping) {
            return Ok((queue, is_stopping));
        }
        let parts = |runs: f64| (PARTS * runs) as usize;
        let total = parts(queue.runs.len() as f64);
        status.show(|| {
            let done = parts(queue.progress());
            let pace = pace.get_or_insert_with(|| Pace::new(total, done));
            line(&queue, pace, done)
        });
        std::thread::sleep(LOOKS);
    }
}

/// Tells what happened to a run.
fn tell(run: &PlannedRun, change: &Change) {
    let name = &run.name;
    match change {
        Change::Started { goes_on: false } => eprintln!("{name}: started"),
        Change::Started { goes_on: true } => eprintln!("{name}: goes on"),
        Change::Elsewhere => eprintln!("{name}: another process trains it"),
        Change::Stopped => eprintln!("{name}: stopped"),
        Change::Failed(why) => eprintln!("{name}: failed: {why}"),
        Change::Done(warnings) => {
            eprintln!("{name}: done");
            for warning in warnings.iter().take(SHOWN) {
                eprintln!("{name}: {warning}");
            }
            if let Some(more) = warnings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                eprintln!("{name}: {more} more warnings in its log");
            }
        }
    }
}

/// The line of progress: runs that have ended, those under way, and the time that is left.
fn line(queue: &Queue<'_>, pace: &Pace, done: usize) -> String {
    let count = |is: fn(&State) -> bool| queue.runs.iter().filter(|entry| is(&entry.state)).count();
    let mut parts = vec![format!(
        "{} of {} runs",
        count(|state| matches!(state, State::Done)),
        queue.runs.len()
    )];
    let failed = count(|state| matches!(state, State::Failed));
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    for entry in &queue.runs {
        match &entry.state {
            State::Here(process) => parts.push(format!(
                "{} {:.0}%",
                entry.run.name,
                100.0 * process.share()
            )),
            State::Elsewhere => parts.push(format!("{} elsewhere", entry.run.name)),
            _ => {}
        }
    }
    if pace.speed(done) > 0.0 {
        parts.push(pace.eta(done));
    }
    parts.join("  ")
}

/// The table as text, and where it is.
fn text_of(table: &Table, folder: &Path) -> String {
    let header = [
        "variant",
        "runs",
        "final PSNR [dB]",
        "95 % interval",
        "best [dB]",
        "",
    ]
    .map(str::to_owned);
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |db| format!("{db:.3}"));
    let rows = table.rows.iter().map(|row| {
        [
            row.variant.clone(),
            row.count(),
            row.final_text(),
            row.interval_text(),
            number(row.best_db.map(|best| best.mean)),
            row.gain_db
                .map_or_else(String::new, |gain| format!("gains {:.2} dB", gain.mean)),
        ]
    });
    let rows: Vec<[String; 6]> = std::iter::once(header).chain(rows).collect();
    format!(
        "{}table: {}, .csv and .json",
        aligned(&rows, 1),
        results::path(folder, "md").display()
    )
}

/// A run as `--dry-run` lists it.
#[derive(Serialize)]
struct Listed<'a> {
    number: usize,
    name: &'a str,
    standing: String,
    seed: u64,
}

/// Lists the runs and how far they are.
fn list(runs: &[(usize, &PlannedRun)], folder: &Path, json: bool) -> anyhow::Result<()> {
    let listed = runs.iter().map(|(number, run)| {
        let standing = match Standing::of(&folder.join(&run.name))? {
            Standing::Absent => "to do".to_owned(),
            Standing::Begun { images, max_images } => format!("{images} of {max_images} images"),
            Standing::Over { images } => format!("done, {images} images"),
            Standing::UnderWay => "under way".to_owned(),
        };
        Ok(Listed {
            number: *number,
            name: &run.name,
            standing,
            seed: run.seed,
        })
    });
    let listed = listed.collect::<anyhow::Result<Vec<_>>>()?;
    output::print(json, &listed, || {
        let rows: Vec<[String; 3]> = listed
            .iter()
            .map(|run| {
                [
                    run.number.to_string(),
                    run.name.to_owned(),
                    run.standing.clone(),
                ]
            })
            .collect();
        format!("runs in {}:\n{}", folder.display(), aligned(&rows, 2))
    })
}
