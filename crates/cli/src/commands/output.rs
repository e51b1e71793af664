//! What commands print, and the files that they write.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use n2n_files::write_atomically;
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

/// Checks that writing to `output` destroys nothing.
///
/// # Errors
/// When it is the input, or exists and may not be overwritten.
pub fn check_free(output: &Path, input: &Path, overwrite: bool) -> anyhow::Result<()> {
    let canonical = |path: &Path| path.canonicalize().ok();
    ensure!(
        canonical(output).is_none() || canonical(output) != canonical(input),
        "{} is the input; choose another file with -o",
        output.display()
    );
    ensure!(
        overwrite || !output.exists(),
        "{} is there already; choose another file with -o, or overwrite it with --overwrite",
        output.display()
    );
    Ok(())
}

/// Creates the folder of a file. Commands do so before they compute.
///
/// # Errors
/// When the path does not name a file, or the folder cannot be created.
pub fn create_folder_of(path: &Path) -> anyhow::Result<()> {
    ensure!(
        path.file_name().is_some() && !path.is_dir(),
        "{} is not the name of a file",
        path.display()
    );
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    Ok(())
}

/// Writes a file, atomically.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_atomically(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
