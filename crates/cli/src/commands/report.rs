//! `n2n report`: runs as a page.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use n2n_runs::{Run, find, report};
use serde::Serialize;

use super::output;

/// Arguments of `n2n report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Run directories, or folders of them such as those of a sweep. Several runs are compared: those that differ
    /// in their seed only are a variant
    #[arg(required = true, value_name = "RUN_OR_SWEEP", verbatim_doc_comment)]
    pub runs: Vec<PathBuf>,

    /// The page, in HTML
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub output: PathBuf,

    /// Title of the page of several runs [default: the folder's name]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// Write over a page that is there already
    #[arg(long)]
    pub overwrite: bool,

    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    report: PathBuf,
    runs: usize,
    bytes: usize,
}

/// Writes a page of runs.
///
/// # Errors
/// When a path holds no run, a file of one cannot be read, or the page cannot be written.
pub fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    output::prepare(&args.output, &[], args.overwrite)?;
    let mut runs: Vec<Run> = Vec::new();
    for path in &args.runs {
        for run in find(path)? {
            let is_known = runs
                .iter()
                .any(|known| output::identity(&known.path) == output::identity(&run));
            if !is_known {
                runs.push(Run::read(&run)?);
            }
        }
    }
    let title = args.title.clone().unwrap_or_else(|| title(&args.runs));
    let page = report(&title, &runs)?;
    output::write(&args.output, page.as_bytes())?;
    let written = Written {
        report: args.output.clone(),
        runs: runs.len(),
        bytes: page.len(),
    };
    output::print(args.json, &written, || {
        let of = match runs.len() {
            1 => "a run".to_owned(),
            count => format!("{count} runs"),
        };
        let shown = args.output.display();
        format!("{shown}: a page of {of}, {} kB", page.len().div_ceil(1000))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The name of the only folder, or of the first of several.
fn title(paths: &[PathBuf]) -> String {
    let name = |path: &Path| {
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let name = whole
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| path.display().to_string())
    };
    match paths {
        [] => String::new(),
        [only] => name(only),
        [first, others @ ..] => format!("{} and {} more", name(first), others.len()),
    }
}
