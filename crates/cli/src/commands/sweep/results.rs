//! The table of a sweep, as files in its folder.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use n2n_runs::{Run, Table};
use n2n_train::{PlannedRun, RunDir};

use crate::commands::output;

/// Name of the table's files, and that of the file which processes of one sweep lock to write them in turn.
const RESULTS: &str = "results";
const LOCK: &str = "results.lock";

/// Makes the table of the runs in the folder of a sweep, and writes it as CSV, JSON and Markdown.
///
/// # Errors
/// When a run cannot be read, or a file cannot be written.
pub fn write(sweep: &Path, runs: &[PlannedRun]) -> anyhow::Result<Table> {
    let lock = sweep.join(LOCK);
    let lock = File::create(&lock).with_context(|| format!("cannot write {}", lock.display()))?;
    // A file system without locks: the last one to write then has the last word.
    let _ = lock.lock();
    let folders = runs.iter().map(|run| sweep.join(&run.name));
    let begun = folders.filter(|folder| RunDir::is_run(folder));
    let read = begun.map(|folder| Run::read(&folder));
    let table = Table::of(&read.collect::<Result<Vec<_>, _>>()?);
    output::write(&path(sweep, "csv"), table.csv()?.as_bytes())?;
    output::write(&path(sweep, "json"), table.json()?.as_bytes())?;
    output::write(&path(sweep, "md"), table.markdown().as_bytes())?;
    Ok(table)
}

/// The file of the table with an extension.
pub fn path(sweep: &Path, extension: &str) -> PathBuf {
    sweep.join(format!("{RESULTS}.{extension}"))
}
