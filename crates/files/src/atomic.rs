//! Atomic writing of files.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// How names of files that are not complete begin; a process that is killed leaves them behind.
pub const UNFINISHED: &str = ".unfinished-";

/// Writes `bytes` to `path` through a temporary file beside it, synced and then renamed: a reader
/// sees the old file or the new one, also after a crash.
///
/// # Errors
/// When the folder cannot be written or the disk is full; an old file at `path` then stays.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically_with(path, |file| file.write_all(bytes))?
}

/// The same for what is written bit by bit. Where `write` fails its error is the inner one, and an old
/// file at `path` stays.
///
/// # Errors
/// When the folder cannot be written or the disk is full; an old file at `path` then stays.
pub fn write_atomically_with<E>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> io::Result<Result<(), E>> {
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
    if let Err(error) = write(file.as_file_mut()) {
        return Ok(Err(error));
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The rename itself is on disk once the folder is.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(Ok(()))
}
