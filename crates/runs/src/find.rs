//! The run directories that a path stands for.

use std::fs;
use std::path::{Path, PathBuf};

use n2n_train::RunDir;

use crate::RunsError;
use crate::natural::compare;

/// Returns the run directories that a path stands for: a run directory for itself, any other folder for those
/// directly in it, such as a sweep for its runs, `features=4` before `features=16`.
///
/// # Errors
/// When the path leads nowhere, or the folder holds no run.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, RunsError> {
    let owned = || path.to_owned();
    if !path.exists() {
        return Err(RunsError::Missing { path: owned() });
    }
    if !path.is_dir() {
        return Err(RunsError::NoFolder { path: owned() });
    }
    if RunDir::is_run(path) {
        return Ok(vec![owned()]);
    }
    let failed = |source| RunsError::Io {
        path: owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let folder = entry.map_err(failed)?.path();
        if RunDir::is_run(&folder) {
            found.push(folder);
        }
    }
    if found.is_empty() {
        return Err(RunsError::NoRuns { path: owned() });
    }
    found.sort_by(|a, b| compare(&a.to_string_lossy(), &b.to_string_lossy()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn a_run_stands_for_itself_a_folder_for_its_runs() {
        let sweep = Folder::new();
        for name in [
            "features=16,seed=0",
            "features=4,seed=1",
            "features=4,seed=0",
        ] {
            sweep.run(name, |_| {}, &[20.0]);
        }
        // Killed before it had a config, and a folder of something else.
        let killed = sweep.path().join("features=64,seed=0");
        fs::create_dir(&killed).unwrap();
        fs::write(killed.join("metrics.jsonl"), "").unwrap();
        fs::write(sweep.path().join("sweep.toml"), "").unwrap();
        let found = find(sweep.path()).unwrap();
        let names: Vec<_> = found.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(
            names,
            [
                "features=4,seed=0",
                "features=4,seed=1",
                "features=16,seed=0"
            ]
        );
        assert_eq!(find(&found[0]).unwrap(), [found[0].clone()]);
        for (path, words) in [
            (killed.clone(), "not a run directory"),
            (killed.join("metrics.jsonl"), "no folder"),
            (killed.join("nothing"), "does not exist"),
        ] {
            let error = find(&path).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
    }
}
