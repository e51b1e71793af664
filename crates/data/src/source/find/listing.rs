//! What a folder holds, sorted by name.

use std::path::{Path, PathBuf};

use n2n_files::is_zarr;

use crate::DataError;

/// The visible files and folders in a folder, those of Zarr among the files, but for links to a folder that it is in.
pub(super) struct Listing {
    pub folder: PathBuf,
    pub files: Vec<PathBuf>,
    pub folders: Vec<PathBuf>,
}

impl Listing {
    /// Lists a folder; hidden entries are left out.
    pub fn of(folder: &Path) -> Result<Self, DataError> {
        let io = |source| DataError::Io {
            path: folder.to_owned(),
            source,
        };
        let mut listing = Self {
            folder: folder.to_owned(),
            files: vec![],
            folders: vec![],
        };
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if name(&path).starts_with('.') {
                continue;
            }
            if path.is_dir() && !is_zarr(&path) {
                if !leads_back(&path, folder) {
                    listing.folders.push(path)
                }
            } else {
                listing.files.push(path)
            }
        }
        listing.files.sort();
        listing.folders.sort();
        Ok(listing)
    }

    /// The file of this name.
    pub fn file(&self, wanted: &str) -> Option<&PathBuf> {
        self.files.iter().find(|path| name(path) == wanted)
    }

    /// The first of the folders called one of these names, whatever the case.
    pub fn folder(&self, wanted: &[&str]) -> Option<&PathBuf> {
        let called = |path: &&PathBuf, wanted: &str| name(path).eq_ignore_ascii_case(wanted);
        wanted
            .iter()
            .find_map(|wanted| self.folders.iter().find(|path| called(path, wanted)))
    }

    /// The files with this extension, whatever the case.
    pub fn with_extension(&self, extensions: &[&str]) -> Vec<PathBuf> {
        let files = self.files.iter();
        files
            .filter(|path| has_extension(path, extensions))
            .cloned()
            .collect()
    }
}

/// Whether a folder is a link to one that `folder` is in.
fn leads_back(path: &Path, folder: &Path) -> bool {
    let place = path.is_symlink().then(|| path.canonicalize().ok());
    let place = place.flatten().zip(folder.canonicalize().ok());
    place.is_some_and(|(place, folder)| folder.starts_with(place))
}

/// The last part of a path.
pub(super) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The last part of a path without its extension, nor that of gzip; `.ome.zarr` is one.
pub(super) fn stem(path: &Path) -> String {
    let stem = n2n_files::stem(path);
    let stem = stem.to_string_lossy();
    let of_ome = has_extension(path, &["zarr"]).then(|| stem.strip_suffix(".ome"));
    of_ome.flatten().unwrap_or(&stem).to_owned()
}

/// Whether a path has one of these extensions, whatever the case.
pub(super) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let found = path.extension().unwrap_or_default().to_string_lossy();
    extensions
        .iter()
        .any(|extension| found.eq_ignore_ascii_case(extension))
}
