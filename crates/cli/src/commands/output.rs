//! Files that commands write: what is there already stays, unless it was said otherwise.

use std::path::Path;

use anyhow::ensure;

/// Refuses to write to `output` where that would take something away.
///
/// # Errors
/// When it is the input, or is there already and may not be written over.
pub fn check_free(output: &Path, input: &Path, overwrite: bool) -> anyhow::Result<()> {
    let canonical = |path: &Path| path.canonicalize().ok();
    ensure!(
        canonical(output).is_none() || canonical(output) != canonical(input),
        "{} is what is read; choose another file with -o",
        output.display()
    );
    ensure!(
        overwrite || !output.exists(),
        "{} is there already; choose another file with -o, or write over it with --overwrite",
        output.display()
    );
    Ok(())
}
