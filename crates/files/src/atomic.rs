//! Writing files so that nothing is lost: a reader sees the old file or the new one, also after a crash.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use crate::zarr::is_zarr;

/// How names of files that are not complete begin; a process that is killed leaves them behind.
const UNFINISHED: &str = ".unfinished-";

/// The file in a folder that is not complete, which its writer locks.
const LOCK: &str = ".lock";

/// Links that are followed, as many as Linux follows.
const LINKS: usize = 40;

/// Folders of open files, such as that behind `/dev/stdout`.
const OPEN_FILES: [&str; 2] = ["/proc", "/dev/fd"];

/// Writes `bytes` to `path` through a temporary file beside it, synced and then renamed.
///
/// A link stays, and what it leads to is replaced. Devices, pipes and open files are written to. A file
/// that is replaced hands on its permissions.
///
/// # Errors
/// When the folder cannot be written or the disk is full; an old file at `path` then stays.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically_with(path, None, |file| file.write_all(bytes))?
}

/// The same for what is written bit by bit. A new file gets the permissions of the file `like`. Where
/// `write` fails its error is the inner one, and an old file at `path` stays.
///
/// # Errors
/// When the folder cannot be written or the disk is full; an old file at `path` then stays.
pub fn write_atomically_with<E>(
    path: &Path,
    like: Option<&Path>,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> io::Result<Result<(), E>> {
    let (path, old) = match Destination::of(path)? {
        Destination::File(path, old) => (path, old),
        Destination::Stream(path) => {
            // Where standard output is a file, what was printed to it stays. Writers may go back, which a
            // stream cannot.
            let mut stream = OpenOptions::new().append(true).open(path)?;
            let mut file = tempfile::tempfile()?;
            if let Err(error) = write(&mut file) {
                return Ok(Err(error));
            }
            file.rewind()?;
            io::copy(&mut file, &mut stream)?;
            return Ok(Ok(()));
        }
    };
    let folder = folder_of(&path);
    let like = like.and_then(|like| fs::metadata(like).ok());
    let mut file = locked_beside(folder, &new_permissions(like))?;
    if let Err(error) = write(file.as_file_mut()) {
        return Ok(Err(error));
    }
    if let Some(old) = old {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    // The rename itself is on disk once the folder is. The file is there, whatever this says.
    #[cfg(unix)]
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(Ok(()))
}

/// A folder that is filled under another name, and then renamed. It is removed where it is dropped.
pub(crate) struct UnfinishedFolder {
    folder: TempDir,
    /// Locked as long as the folder is filled.
    lock: File,
    path: PathBuf,
}

impl UnfinishedFolder {
    /// Begins a folder that will be at `path`.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let folder = builder.tempdir_in(folder_of(path))?;
        let lock = File::create(folder.path().join(LOCK))?;
        // Some file systems have no locks; folders that are left there stay.
        let _ = lock.lock();
        Ok(Self {
            folder,
            lock,
            path: path.to_owned(),
        })
    }

    /// Where it is filled.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Renames the folder; one of Zarr that is there already is removed.
    ///
    /// # Errors
    /// When something else is there, or it cannot be renamed; what is there then stays.
    pub fn finish(self) -> io::Result<()> {
        let old = match fs::symlink_metadata(&self.path) {
            Ok(_) if is_zarr(&self.path) => Some(
                self.path
                    .with_file_name(format!("{UNFINISHED}old-{}", std::process::id())),
            ),
            Ok(_) => return Err(ErrorKind::AlreadyExists.into()),
            Err(_) => None,
        };
        fs::remove_file(self.folder.path().join(LOCK))?;
        drop(self.lock);
        if let Some(old) = &old {
            fs::rename(&self.path, old)?;
        }
        if let Err(error) = fs::rename(self.folder.path(), &self.path) {
            if let Some(old) = &old {
                fs::rename(old, &self.path)?;
            }
            return Err(error);
        }
        // It is not where it would be removed from.
        let _ = self.folder.keep();
        if let Some(old) = old {
            fs::remove_dir_all(old)?;
        }
        #[cfg(unix)]
        let _ = File::open(folder_of(&self.path)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Checks that files can be made in a folder; none is left there.
///
/// # Errors
/// When they cannot.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

/// Whether a path leads to a device, a pipe or an open file: writing there replaces nothing.
pub fn is_stream(path: &Path) -> bool {
    matches!(Destination::of(path), Ok(Destination::Stream(_)))
}

/// Removes what killed processes left unfinished in a folder. Files that another process is writing stay,
/// and so do those on a file system without locks and those that cannot be removed: they are in nobody's
/// way.
pub fn remove_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with(UNFINISHED) {
            continue;
        }
        // Locked until it is removed: its writer would notice.
        let is_left = |path: &Path| {
            let file = File::open(path);
            file.and_then(|file| Ok(file.try_lock()?)).is_ok()
        };
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_file() && is_left(&path) => drop(fs::remove_file(path)),
            Ok(kind) if kind.is_dir() && is_left(&path.join(LOCK)) => {
                drop(fs::remove_dir_all(path));
            }
            _ => {}
        }
    }
}

/// What a path leads to.
enum Destination {
    /// A file, or none yet.
    File(PathBuf, Option<Metadata>),
    /// A device, a pipe or an open file.
    Stream(PathBuf),
}

impl Destination {
    /// Follows the links of a path.
    fn of(path: &Path) -> io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            if OPEN_FILES.iter().any(|folder| path.starts_with(folder)) {
                return Ok(Self::Stream(path));
            }
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => {
                    path = folder_of(&path).join(fs::read_link(&path)?);
                }
                Ok(found) if found.is_file() => return Ok(Self::File(path, Some(found))),
                Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
                Ok(_) => return Ok(Self::Stream(path)),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Ok(Self::File(path, None));
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many links lead to it"))
    }
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Permissions of a new file, from which the umask takes away: a temporary file is private by default.
#[cfg(unix)]
fn new_permissions(like: Option<Metadata>) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    let mode = like.map_or(0o666, |like| like.permissions().mode() & 0o777);
    Some(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn new_permissions(_like: Option<Metadata>) -> Option<Permissions> {
    None
}

/// Creates an unfinished file, locked until it is finished; the system releases the lock of a process
/// that is killed.
fn locked_beside(folder: &Path, permissions: &Option<Permissions>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    if let Some(permissions) = permissions {
        builder.permissions(permissions.clone());
    }
    loop {
        let file = builder.tempfile_in(folder)?;
        // Some file systems have no locks; files that are left there stay.
        let _ = file.as_file().lock();
        // Between the two lines another process may have taken it for one that was left.
        if file.path().exists() {
            return Ok(file);
        }
    }
}
