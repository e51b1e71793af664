//! Files that appear whole or not at all.

use std::io::Write;
use std::path::Path;

/// How names of files that are not complete begin; a process that is killed leaves them behind.
pub const UNFINISHED: &str = ".unfinished-";

/// Writes `bytes` to `path` through a temporary file beside it, synced and then renamed: a reader
/// sees the old file or the new one, also after a crash.
///
/// # Errors
/// When the folder cannot be written or the disk is full; an old file at `path` then stays.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    {
        // A temporary file is private by default; what a person makes follows their umask.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The rename itself is on disk once the folder is.
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}
