//! The files that a person means.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use n2n_files::{FileError, is_picture, is_stack, is_zarr, refusal};
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

/// What paths and patterns stand for.
#[derive(Debug, Default)]
pub struct Found {
    /// The files, each once, in their order; those of a folder by name.
    pub inputs: Vec<Input>,
    /// Files and folders that cannot be read, each with the reason.
    pub unreadable: Vec<(PathBuf, anyhow::Error)>,
    /// Links that lead back to a folder above them.
    pub circles: Vec<PathBuf>,
    /// Why files of folders are left out that hold images in other formats.
    pub refused: Vec<FileError>,
}

/// The files that paths and patterns stand for. What is in `output` is left out, unless it is all that was
/// named, and what is hidden.
///
/// # Errors
/// When nothing is there.
pub fn find(given: &[PathBuf], output: &Path) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let output = identity(output);
    for path in given {
        if path.exists() {
            // A shell's pattern may name the folder of the results of an earlier command.
            if given.len() == 1 || !path.is_dir() || identity(path) != output {
                found.add(path, &output)?;
            }
        } else {
            for path in found.matches(path, &output)? {
                found.add(&path, &output)?;
            }
        }
    }
    let mut seen = HashSet::new();
    found
        .inputs
        .retain(|input| seen.insert(identity(&input.path)));
    Ok(found)
}

impl Found {
    /// What a pattern stands for, less the results of an earlier command.
    fn matches(&mut self, pattern: &Path, output: &Path) -> anyhow::Result<Vec<PathBuf>> {
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
        let paths =
            glob::glob_with(text, options).with_context(|| format!("{shown} is no pattern"))?;
        let below_output = identity(&start_of(pattern)).starts_with(output);
        let mut matches = vec![];
        let before = self.unreadable.len();
        for path in paths {
            match path {
                Ok(path) if !below_output && identity(&path).starts_with(output) => {}
                Ok(path) => matches.push(path),
                Err(error) => {
                    let path = error.path().to_owned();
                    self.unreadable.push(cannot_read(path, error.into()));
                }
            }
        }
        ensure!(
            !matches.is_empty() || self.unreadable.len() > before,
            "no file is like {shown}"
        );
        Ok(matches)
    }

    fn add(&mut self, path: &Path, output: &Path) -> anyhow::Result<()> {
        if !path.is_dir() || is_zarr(path) {
            let name = path.file_name().unwrap_or(path.as_os_str());
            self.inputs.push(Input {
                path: path.to_owned(),
                relative: name.into(),
            });
            return Ok(());
        }
        let hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
        let mut entries = WalkDir::new(path)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| {
                entry.depth() == 0
                    || !(hidden(entry.file_name())
                        || entry.file_type().is_dir() && identity(entry.path()) == output)
            });
        let before = self.inputs.len() + self.unreadable.len();
        let is_image = |path: &Path| is_picture(path) || is_stack(path);
        while let Some(entry) = entries.next() {
            match entry {
                Ok(entry) => {
                    let file = entry.path();
                    let is_folder = entry.file_type().is_dir() && is_zarr(file);
                    if is_folder {
                        // What is in it are chunks and smaller copies.
                        entries.skip_current_dir();
                    }
                    if is_folder || entry.file_type().is_file() && is_image(file) {
                        self.inputs.push(Input {
                            path: file.to_owned(),
                            relative: file.strip_prefix(path)?.to_owned(),
                        });
                    } else if entry.file_type().is_file() {
                        self.refused.extend(refusal(file));
                    }
                }
                Err(error) => {
                    let place = error.path().unwrap_or(path).to_owned();
                    if error.loop_ancestor().is_some() {
                        self.circles.push(place);
                    } else if !place.is_symlink() || is_image(&place) {
                        let error = error.into_io_error();
                        let error = error.unwrap_or_else(|| std::io::ErrorKind::Other.into());
                        self.unreadable.push(cannot_read(place, error));
                    }
                }
            }
        }
        if self.inputs.len() + self.unreadable.len() > before {
            return Ok(());
        }
        if !self.refused.is_empty() {
            return Err(self.refused.swap_remove(0).into());
        }
        bail!(
            "{} holds no image; expected PNG, JPEG, WebP, BMP, TIFF, OpenEXR, Radiance HDR, MRC, FITS, \
             OME-Zarr or .npy",
            path.display()
        )
    }
}

fn cannot_read(path: PathBuf, error: std::io::Error) -> (PathBuf, anyhow::Error) {
    let message = format!("cannot read {}", path.display());
    (path, anyhow::Error::from(error).context(message))
}

/// The folders of a pattern before the first part with a wildcard.
fn start_of(pattern: &Path) -> PathBuf {
    let is_plain = |part: &OsStr| !part.to_string_lossy().contains(['*', '?', '[']);
    let start: PathBuf = pattern.iter().take_while(|part| is_plain(part)).collect();
    if start.as_os_str().is_empty() {
        return PathBuf::from(".");
    }
    start
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
        let all = find(&[root.to_owned()], &out).unwrap().inputs;
        assert_eq!(
            names(&all),
            ["a.JPG", "b.png", "deep/d.npy", "deep/er/c.tif"]
        );

        let given = [
            root.join("deep/../b.png"),
            root.join("*.png"),
            root.join("d?ep"),
        ];
        let some = find(&given, &out).unwrap().inputs;
        assert_eq!(names(&some), ["b.png", "d.npy", "er/c.tif"]);
    }

    #[test]
    fn folders_of_zarr_are_one_input_each() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "a.zarr/.zgroup",
            "a.zarr/0/.zarray",
            "s/b/zarr.json",
            "s/b/c.png",
        ] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "").unwrap();
        }
        let out = root.join("out");
        let all = find(&[root.to_owned()], &out).unwrap().inputs;
        assert_eq!(names(&all), ["a.zarr", "s/b"]);
        let one = find(&[root.join("*.zarr")], &out).unwrap().inputs;
        assert_eq!(names(&one), ["a.zarr"]);
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

    #[test]
    fn results_of_an_earlier_command_are_no_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["a.png", "s/b.png", "out/a.png", "out/s/b.png", "c-out.png"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "").unwrap();
        }
        let found = |given: &[&str], output: &str| {
            let given: Vec<_> = given.iter().map(|name| root.join(name)).collect();
            find(&given, &root.join(output)).unwrap().inputs
        };
        // A pattern, what a shell makes of one, and files of folders.
        let all = ["a.png", "c-out.png", "b.png"];
        assert_eq!(names(&found(&["*"], "out")), all);
        let by_shell = ["a.png", "c-out.png", "out", "s"];
        assert_eq!(names(&found(&by_shell, "out")), all);
        assert_eq!(names(&found(&["*/*.png"], "out")), ["b.png"]);
        assert_eq!(names(&found(&["[ac]*.png"], "c-out.png")), ["a.png"]);
        // Named by itself, it is an input: the plan refuses it.
        assert_eq!(found(&["out"], "out").len(), 2);
        assert_eq!(names(&found(&["out/*.png"], "out")), ["a.png"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_hold_up_nothing() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("s")).unwrap();
        fs::write(root.join("s/b.png"), "").unwrap();
        for (to, link) in [
            ("none.png", "gone.png"),
            ("none.txt", "gone.txt"),
            ("self.png", "self.png"),
            ("..", "s/up"),
        ] {
            symlink(to, root.join(link)).unwrap();
        }
        for given in [root.to_owned(), root.join("*")] {
            let found = find(&[given], Path::new("out")).unwrap();
            let is_sound = |input: &Input| input.path.ends_with("s/b.png");
            assert!(found.inputs.iter().any(is_sound), "{found:?}");
        }
        let found = find(&[root.to_owned()], Path::new("out")).unwrap();
        assert_eq!(names(&found.inputs), ["s/b.png"]);
        assert_eq!(found.circles, [root.join("s/up")]);
        let unreadable: Vec<_> = found.unreadable.iter().map(|(path, _)| path).collect();
        assert_eq!(unreadable, [&root.join("gone.png"), &root.join("self.png")]);
    }
}
