//! Sweeps: many runs that differ in a few settings, planned by one TOML file.
//!
//! ```toml
//! base = "own.toml"                 # an experiment, beside this file
//! seeds = [0, 1, 2]                 # each variant is run with each of them
//!
//! [set]                             # settings of all runs
//! train.max_images = 50_000
//!
//! [axes]                            # each combination is a variant
//! model.features = [16, 32]
//! train.lr = [1e-3, 2e-3]
//!
//! [[runs]]                          # lists of settings; combined with the axes
//! name = "cosine"
//! train.scheduler.kind = "cosine"
//! ```

mod file;
mod name;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::file::{SweepFile, Variant};
use crate::experiment::{Setting, Source};
use crate::run_dir::differing_settings;
use crate::{Experiment, ExperimentError, TrainError};

/// Most runs of a sweep: more are a mistake in its axes.
const MOST_RUNS: usize = 10_000;

/// Key that only `seeds` sets.
const SEED: &str = "train.seed";

/// The runs that a file plans.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Name of the file, without its extension.
    pub name: String,
    /// The runs: all variants with the first seed, then all with the second, and so on.
    pub runs: Vec<PlannedRun>,
}

/// One run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRun {
    /// Its name, which is that of its folder: `features=16,seed=0`.
    pub name: String,
    /// What its name says beside the seed: `features=16`.
    pub variant: String,
    /// Its seed.
    pub seed: u64,
    /// What it computes.
    pub experiment: Experiment,
}

impl Sweep {
    /// Plans the runs of a file. `default` is the experiment of a file that names no `base`; `settings` are put on
    /// top of those of the file.
    ///
    /// # Errors
    /// When the file or its base cannot be read, a key or a value is not possible, or two runs have one name.
    pub fn read(
        path: &Path,
        default: Source<'_>,
        settings: &[String],
    ) -> Result<Self, ExperimentError> {
        let text = std::fs::read_to_string(path).map_err(|source| ExperimentError::Read {
            path: path.to_owned(),
            source,
        })?;
        let file = SweepFile::parse(path, &text)?;
        let failed = |message| ExperimentError::Sweep {
            path: path.to_owned(),
            message,
        };
        let base = file.base.as_ref().map(|base| beside(path, base));
        let source = base.as_deref().map_or(default, Source::File);
        let on_top = settings.iter().map(|text| Setting::parse(text));
        let on_top = on_top.collect::<Result<Vec<_>, _>>()?;
        let variants = file.variants(MOST_RUNS).map_err(failed)?;
        let resolve = |variant: &Variant, seed: Option<u64>| {
            let settings = [&file.set, &variant.settings, &on_top].map(|part| part.iter().cloned());
            let settings: Vec<Setting> = settings.into_iter().flatten().collect();
            let mut experiment = Experiment::with_settings(source, &settings)?;
            if let Some(seed) = seed {
                experiment.train.seed = seed;
            }
            Ok::<_, ExperimentError>(experiment)
        };
        let seeds: Vec<Option<u64>> = match &file.seeds[..] {
            [] => vec![None],
            seeds => seeds.iter().copied().map(Some).collect(),
        };
        let mut runs = Vec::new();
        for seed in seeds {
            for variant in &variants {
                let experiment = resolve(variant, seed)?;
                runs.push(PlannedRun::new(variant, experiment));
            }
        }
        if runs.len() > MOST_RUNS {
            return Err(failed(format!(
                "it has {} runs, and {MOST_RUNS} are the most",
                runs.len()
            )));
        }
        check_names(&runs).map_err(failed)?;
        Ok(Self {
            name: name::of_file(path),
            runs,
        })
    }
}

impl PlannedRun {
    fn new(variant: &Variant, experiment: Experiment) -> Self {
        let seed = experiment.train.seed;
        let name = match variant.name.as_str() {
            "" => format!("seed={seed}"),
            variant => format!("{variant},seed={seed}"),
        };
        Self {
            name,
            variant: variant.name.clone(),
            seed,
            experiment,
        }
    }

    /// Checks that the run was planned like this before, in the file at `path`, if that is there.
    ///
    /// # Errors
    /// When the file cannot be read, or its settings are others.
    pub fn check(&self, path: &Path) -> Result<(), TrainError> {
        if !path.exists() {
            return Ok(());
        }
        let before = Experiment::from_toml(path)?;
        let changes = differing_settings(&before, &self.experiment, &[]);
        if changes.is_empty() {
            return Ok(());
        }
        Err(TrainError::Changed {
            path: path.to_owned(),
            changes,
        })
    }
}

/// A path that is relative to the folder of a file.
fn beside(file: &Path, path: &Path) -> PathBuf {
    file.parent()
        .map_or(path.to_owned(), |folder| folder.join(path))
}

/// Checks that no two runs share a folder, also where upper and lower case are one.
fn check_names(runs: &[PlannedRun]) -> Result<(), String> {
    let mut seen: BTreeMap<String, &PlannedRun> = BTreeMap::new();
    for run in runs {
        if let Some(other) = seen.insert(run.name.to_lowercase(), run) {
            return Err(format!(
                "two runs are called {} and {}; set each value and seed once, or give entries of [[runs]] a \
                 name",
                other.name, run.name
            ));
        }
        name::check(&run.name)?;
    }
    Ok(())
}
