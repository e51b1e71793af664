//! The files that a person means.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use n2n_files::{is_picture, is_stack};
use walkdir::WalkDir;

use crate::commands::output::identity;

/// A file to denoise.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// Where it is.
    pub path: PathBuf,
    /// Where it goes below an output folder.
    pub relative: PathBuf,
}

/// The files that paths and patterns stand for, each once, in their order; those of a folder by name.
/// What is in `output` is left out, and what is hidden.
///
/// # Errors
/// When nothing is there, or a folder cannot be read.
pub fn find(given: &[PathBuf], output: &Path) -> anyhow::Result<Vec<Input>> {
    let mut inputs = vec![];
    for path in given {
        if path.exists() {
            add(path, output, &mut inputs)?
        } else {
            for path in matches(path)? {
                add(&path, output, &mut inputs)?;
            }
        }
    }
    let mut seen = HashSet::new();
    inputs.retain(|input| seen.insert(identity(&input.path)));
    Ok(inputs)
}

/// What a pattern stands for.
fn matches(pattern: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let shown = pattern.display();
    let text = pattern
        .to_str()
        .filter(|text| text.contains(['*', '?', '[']));
    let Some(text) = text else {
        bail!("{shown} does not exist");
    };
    let options = glob::MatchOptions {
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    };
    let found = glob::glob_with(text, options).with_context(|| format!("{shown} is no pattern"))?;
    let found = found.collect::<Result<Vec<_>, _>>()?;
    ensure!(!found.is_empty(), "no file is like {shown}");
    Ok(found)
}

fn add(path: &Path, output: &Path, inputs: &mut Vec<Input>) -> anyhow::Result<()> {
    if !path.is_dir() {
        let name = path.file_name().unwrap_or(path.as_os_str());
        inputs.push(Input {
            path: path.to_owned(),
            relative: name.into(),
        });
        return Ok(());
    }
    let output = identity(output);
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let entries = WalkDir::new(path)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            entry.depth() == 0
                || !(hidden(entry.file_name())
                    || entry.file_type().is_dir() && identity(entry.path()) == output)
        });
    let before = inputs.len();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
        let file = entry.path();
        if entry.file_type().is_file() && (is_picture(file) || is_stack(file)) {
            inputs.push(Input {
                path: file.to_owned(),
                relative: file.strip_prefix(path)?.to_owned(),
            });
        }
    }
    ensure!(
        inputs.len() > before,
        "{} holds no image; expected PNG, JPEG, WebP, BMP, TIFF, OpenEXR, Radiance HDR or .npy",
        path.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(inputs: &[Input]) -> Vec<&str> {
        let names = inputs.iter().map(|input| input.relative.to_str());
        names.map(Option::unwrap).collect()
    }

    #[test]
    fn inputs_are_found_once_each() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let files = [
            "b.png",
            "a.JPG",
            "notes.txt",
            ".hidden.png",
            "deep/er/c.tif",
            "deep/d.npy",
            "out/b.png",
        ];
        for name in files {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "").unwrap();
        }
        let out = root.join("out");
        let all = find(&[root.to_owned()], &out).unwrap();
        assert_eq!(
            names(&all),
            ["a.JPG", "b.png", "deep/d.npy", "deep/er/c.tif"]
        );

        let given = [
            root.join("deep/../b.png"),
            root.join("*.png"),
            root.join("d?ep"),
        ];
        let some = find(&given, &out).unwrap();
        assert_eq!(names(&some), ["b.png", "d.npy", "er/c.tif"]);
    }

    #[test]
    fn missing_inputs_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (given, expected) in [
            (root.join("none.png"), "does not exist"),
            (root.join("*.png"), "no file is like"),
            (root.to_owned(), "holds no image"),
        ] {
            let error = find(&[given], Path::new("out")).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
