//! Arguments of `n2n sweep`.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use n2n_train::experiment::Source;
use n2n_train::{PlannedRun, Sweep};

use crate::args::{DataArgs, DeviceArgs, at_least_one};

/// Arguments of `n2n sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// Sweep in TOML: a base config, axes, lists of settings, seeds (see configs/README.md)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Data of all runs [default: what the base config says]
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,

    /// Data to validate on [default: what the base config says]
    #[arg(long, value_name = "PATH")]
    pub validation: Option<PathBuf>,

    /// Data and settings, on top of the file's.
    #[command(flatten)]
    pub source: DataArgs,

    /// What to compute on.
    #[command(flatten)]
    pub device: DeviceArgs,

    /// Folder of the runs and their table; runs that are there go on, or are done [default: runs/FILE]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Only these runs, counted from 0 as --dry-run lists them; for job arrays, --only $SLURM_ARRAY_TASK_ID
    #[arg(long, value_name = "K", value_delimiter = ',', verbatim_doc_comment)]
    pub only: Vec<usize>,

    /// Runs at the same time; they share the processor's threads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub jobs: usize,

    /// List the runs and how far they are, and run nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print the table, or the list, as one line of JSON
    #[arg(long)]
    pub json: bool,
}

impl SweepArgs {
    /// Plans the runs.
    ///
    /// # Errors
    /// When the file, its base or a value cannot be used.
    pub fn plan(&self) -> anyhow::Result<Sweep> {
        let has_data = self.data.is_some() || self.source.pairs.is_some();
        let default = if has_data {
            Source::OwnData
        } else {
            Source::Scenes
        };
        let mut sweep = Sweep::read(&self.file, default, &self.source.settings)?;
        let [data, validation] = [&self.data, &self.validation].map(Option::as_deref);
        for run in &mut sweep.runs {
            self.source
                .complete(&mut run.experiment, data, validation)
                .with_context(|| format!("the run {} is not possible", run.name))?;
        }
        Ok(sweep)
    }

    /// The runs that are asked for, with their numbers.
    ///
    /// # Errors
    /// When there is no run of such a number.
    pub fn selected<'a>(
        &self,
        runs: &'a [PlannedRun],
    ) -> anyhow::Result<Vec<(usize, &'a PlannedRun)>> {
        for &number in &self.only {
            ensure!(
                number < runs.len(),
                "--only {number}: the sweep has {} runs, from 0 to {}",
                runs.len(),
                runs.len() - 1
            );
        }
        let is_selected = |number: &usize| self.only.is_empty() || self.only.contains(number);
        let runs = runs.iter().enumerate();
        Ok(runs.filter(|(number, _)| is_selected(number)).collect())
    }

    /// Folder of the runs.
    pub fn folder(&self, sweep: &Sweep) -> PathBuf {
        let default = || Path::new("runs").join(&sweep.name);
        self.output.clone().unwrap_or_else(default)
    }
}
