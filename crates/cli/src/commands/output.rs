//! What commands print, and the files that they write.

use std::path::{Path, PathBuf};
use std::{fs, iter};

use anyhow::{Context, ensure};
use n2n_files::{check_writable, is_stream, remove_unfinished, write_atomically};
use serde::Serialize;

/// Prints a result to standard output: one line of JSON, or text.
///
/// # Errors
/// When the result cannot be written as JSON.
pub fn print(
    json: bool,
    result: &impl Serialize,
    text: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(result)?);
    } else {
        println!("{}", text().trim_end());
    }
    Ok(())
}

/// Makes ready for writing to `output`, before anything is computed: creates its folder, and removes what
/// killed commands left there. `reads` are the files that the command reads.
///
/// # Errors
/// When the path does not name a file, the folder cannot be used, or the file is one that is read, or is
/// there already and may not be overwritten.
pub fn prepare(output: &Path, reads: &[PathBuf], overwrite: bool) -> anyhow::Result<()> {
    let shown = output.display();
    ensure!(
        output.file_name().is_some() && !output.is_dir(),
        "{shown} is not the name of a file"
    );
    if is_stream(output) {
        return Ok(());
    }
    if output.exists() {
        let file = identity(output);
        ensure!(
            !reads.iter().any(|read| file == identity(read)),
            "{shown} is what the command reads; choose another file for the result"
        );
        ensure!(
            overwrite,
            "{shown} is there already; choose another file, or overwrite it with --overwrite"
        );
    }
    let folder = match output.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let elsewhere =
        |verb: &str| format!("cannot {verb} {}; choose another folder", folder.display());
    fs::create_dir_all(folder).with_context(|| elsewhere("create"))?;
    check_writable(folder).with_context(|| elsewhere("write into"))?;
    remove_unfinished(folder);
    Ok(())
}

/// The first of `STEM`, `STEM-2`, `STEM-3` and so on in `folder` that is free with each extension.
pub fn next_free(folder: &Path, stem: &str, extensions: &[&str]) -> PathBuf {
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    let mut names = iter::once(stem.to_owned()).chain(numbered);
    let is_free = |name: &String| {
        let mut files = extensions
            .iter()
            .map(|extension| format!("{name}.{extension}"));
        files.all(|file| !folder.join(file).exists())
    };
    let name = names.find(is_free);
    folder.join(name.unwrap_or_else(|| unreachable!("some number is free")))
}

/// A path that is one for each file, however it is reached.
pub fn identity(path: &Path) -> PathBuf {
    if let Ok(path) = fs::canonicalize(path) {
        return path;
    }
    // What is not there yet is called by its folder.
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Writes a file, atomically.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_atomically(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
