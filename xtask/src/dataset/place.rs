//! Where a set lies, and in which state it is.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::checksum::{self, Sums};

/// The paths that belong to one set.
pub struct Place {
    /// The set itself; there is nothing of this name before the set is complete.
    pub folder: PathBuf,
    /// The checksums of its files.
    pub sums: PathBuf,
    /// What a download in progress needs.
    pub part: PathBuf,
    /// The set before it is complete.
    pub unfinished: PathBuf,
}

impl Place {
    /// The place of the set `name` in `folder`.
    pub fn new(folder: &Path, name: &str) -> Self {
        let part = folder.join(format!("{name}.part"));
        Self {
            folder: folder.join(name),
            sums: folder.join(format!("{name}.sha256")),
            unfinished: part.join("set"),
            part,
        }
    }

    /// Whether the set is there.
    ///
    /// # Errors
    /// When something else is there in its place.
    pub fn is_finished(&self) -> Result<bool> {
        let exists = self.folder.exists();
        ensure!(
            !exists || self.sums.exists(),
            "{folder} is not the work of this command, since there is no {sums}; move it away, or \
             choose another folder with --dir",
            folder = self.folder.display(),
            sums = self.sums.display()
        );
        Ok(exists)
    }

    /// One word for the list of sets.
    pub fn state(&self) -> &'static str {
        match (self.is_finished(), self.part.exists()) {
            (Err(_), _) => "other",
            (Ok(true), _) => "yes",
            (Ok(false), true) => "partly",
            (Ok(false), false) => "no",
        }
    }

    /// Compares each file of the finished set with its checksum.
    pub fn check(&self) -> Result<()> {
        let sums = Sums::read(&self.sums)?.unwrap_or_default();
        for (name, expected) in &sums.files {
            let path = self.folder.with_file_name("").join(name);
            let way_out = format!("delete {} and run the command again", self.folder.display());
            ensure!(path.exists(), "{} is missing; {way_out}", path.display());
            let got = checksum::sha256(&path)?;
            ensure!(
                got == *expected,
                "{} has changed since its download; {way_out}\n  expected SHA-256 {expected}\n  \
                 got      SHA-256 {got}",
                path.display()
            );
        }
        Ok(())
    }

    /// The checksum that an earlier download of the file `name` had.
    pub fn recorded(&self, name: &str) -> Result<Option<String>> {
        let sums = Sums::read(&self.sums)?.unwrap_or_default();
        Ok(sums.downloads.get(name).cloned())
    }

    /// Makes the folder for a download, and keeps a second run out of it until the lock is dropped.
    pub fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.part)
            .with_context(|| format!("making the folder {}", self.part.display()))?;
        let path = self.part.join("lock");
        let lock = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                bail!("another run is downloading into {}", self.part.display())
            }
            // Some file systems have no locks; a second run at once is unlikely.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(lock),
        }
    }

    /// Records the checksums, gives the set its name and drops what only the download needed.
    ///
    /// The checksums come first: a set without them would not be recognised, while those without a
    /// set only describe what the next run must bring.
    pub fn finish(&self, downloads: BTreeMap<String, String>, lock: File) -> Result<()> {
        let files = self.sums_of_files()?;
        Sums { downloads, files }.write(&self.sums)?;
        fs::rename(&self.unfinished, &self.folder)
            .with_context(|| format!("naming {}", self.folder.display()))?;
        drop(lock);
        fs::remove_dir_all(&self.part).with_context(|| format!("deleting {}", self.part.display()))
    }

    /// Drops what a failed download leaves, if that is nothing to go on from.
    pub fn abandon(&self, lock: File) {
        drop(lock);
        // The folder is only removed if it is empty then, so there is nothing to do about errors.
        let _ = fs::remove_file(self.part.join("lock"));
        let _ = fs::remove_dir(&self.part);
    }

    fn sums_of_files(&self) -> Result<BTreeMap<String, String>> {
        let name = self.folder.file_name().unwrap_or_default();
        let mut sums = BTreeMap::new();
        let mut folders = vec![(self.unfinished.clone(), name.to_string_lossy().into_owned())];
        while let Some((folder, name)) = folders.pop() {
            for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
                let path = entry?.path();
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let name = format!("{name}/{file}");
                if path.is_dir() {
                    folders.push((path, name));
                } else {
                    sums.insert(name, checksum::sha256(&path)?);
                }
            }
        }
        Ok(sums)
    }
}
