//! The sets of images that settings are compared on.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::counts;

/// Photographs that are tested on, the last of those in the folder.
const TESTED: usize = 12;

/// A set of images.
pub struct Set {
    /// Name in the table.
    pub name: &'static str,
    /// Arguments of `n2n train`.
    pub training: Vec<OsString>,
    /// Arguments of `n2n evaluate`.
    pub evaluation: Vec<OsString>,
}

impl Set {
    fn new(name: &'static str, train: &Path, test: &Path, settings: [&[&str]; 2]) -> Self {
        let arguments = |path: &Path, more: &[&str]| {
            let path = [OsString::from("--data"), path.into()];
            path.into_iter()
                .chain(more.iter().map(OsString::from))
                .collect()
        };
        Self {
            name,
            training: arguments(train, settings[0]),
            evaluation: arguments(test, settings[1]),
        }
    }
}

/// The sets that `data` holds, and counts that are drawn into `out`.
pub fn all(data: &Path, out: &Path) -> Result<Vec<Set>> {
    fs::create_dir_all(out)?;
    let mut sets = Vec::new();
    let reference = data.join("ee559-like");
    if reference.is_dir() {
        sets.push(Set::new("ee559-like", &reference, &reference, [&[], &[]]));
    }
    let microscopy = data.join("fmd");
    if microscopy.is_dir() {
        // The clean averages are for the evaluation alone.
        let ignored = &["--set", "data.ignore_clean=true"][..];
        sets.push(Set::new("fmd", &microscopy, &microscopy, [ignored, &[]]));
    }
    let photographs = data.join("cbsd68");
    if photographs.is_dir() {
        let [train, test] = parted(&photographs, &out.join("cbsd68"))?;
        for (name, noise) in [
            ("gaussian:25", &["--noise", "gaussian:25"][..]),
            ("gaussian:5..50", &["--noise", "gaussian:5..50"]),
        ] {
            sets.push(Set::new(name, &train, &test, [noise, noise]));
        }
    }
    let drawn = out.join("counts");
    counts::draw(&drawn)?;
    let ignored = &["--set", "data.ignore_clean=true"][..];
    sets.push(Set::new("12-bit counts", &drawn, &drawn, [ignored, &[]]));
    ensure!(
        sets.len() > 1,
        "{} holds none of ee559-like, fmd and cbsd68",
        data.display()
    );
    Ok(sets)
}

/// Copies photographs into a folder to train on and one to test on.
fn parted(photographs: &Path, into: &Path) -> Result<[PathBuf; 2]> {
    let entries = fs::read_dir(photographs)?.collect::<std::io::Result<Vec<_>>>()?;
    let mut paths: Vec<PathBuf> = entries.iter().map(|entry| entry.path()).collect();
    paths.sort();
    let folders = ["photographs", "tested"].map(|name| into.join(name));
    let first_tested = paths.len().saturating_sub(TESTED);
    for (index, path) in paths.iter().enumerate() {
        let folder = &folders[usize::from(index >= first_tested)];
        fs::create_dir_all(folder)?;
        let name = path.file_name().context("a file has a name")?;
        fs::copy(path, folder.join(name))?;
    }
    Ok(folders)
}
