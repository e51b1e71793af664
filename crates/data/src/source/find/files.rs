//! Sets whose images are files of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use n2n_files::is_picture;

use super::listing::{Listing, stem};
use super::roles::is_clean;
use crate::DataError;
use crate::source::pictures::SceneFiles;

/// Scenes, and what keeps others from being scenes.
pub(super) type Scenes = (Vec<SceneFiles>, Vec<DataError>);

/// The name that the pictures of a scene share: without an extension, unless one folder holds several
/// pictures of that name.
type Key = (OsString, OsString);

/// The pictures of folders, each folder by the names that partners share.
fn by_name(folders: &[&Path]) -> Result<Vec<BTreeMap<Key, PathBuf>>, DataError> {
    let part = |part: Option<&OsStr>| part.unwrap_or_default().to_owned();
    let (mut columns, mut several) = (Vec::new(), BTreeSet::new());
    for folder in folders {
        let files = Listing::of(folder)?.files.into_iter();
        let pictures: Vec<PathBuf> = files.filter(|path| is_picture(path)).collect();
        let mut seen = BTreeSet::new();
        for path in &pictures {
            let stem = n2n_files::stem(path);
            if !seen.insert(stem.clone()) {
                several.insert(stem);
            }
        }
        columns.push(pictures);
    }
    let key = |path: &PathBuf| {
        let stem = n2n_files::stem(path);
        let extension = if several.contains(&stem) {
            part(path.extension())
        } else {
            OsString::new()
        };
        (stem, extension)
    };
    let column = |files: Vec<PathBuf>| files.into_iter().map(|path| (key(&path), path)).collect();
    Ok(columns.into_iter().map(column).collect())
}

/// Scenes whose images have one name in several folders: shots in each of `shots`, clean ones in
/// `clean`.
pub(super) fn pairs(shots: &[&Path], clean: Option<&Path>) -> Result<Scenes, DataError> {
    let folders: Vec<&Path> = shots.iter().copied().chain(clean).collect();
    let columns = by_name(&folders)?;
    let mut problems = Vec::new();
    let mut scenes = Vec::new();
    let keys: BTreeSet<&Key> = columns.iter().flat_map(BTreeMap::keys).collect();
    for key in keys {
        let files: Vec<Option<&PathBuf>> = columns.iter().map(|files| files.get(key)).collect();
        if let Some(missing) = files.iter().position(Option::is_none) {
            let there = files.iter().flatten().next().copied();
            problems.push(DataError::NoPartner {
                path: there.cloned().unwrap_or_default(),
                folder: folders[missing].to_owned(),
            });
            continue;
        }
        let mut files: Vec<PathBuf> = files.into_iter().flatten().cloned().collect();
        let clean = clean.and_then(|_| files.pop());
        scenes.push(SceneFiles {
            shots: files,
            clean,
        });
    }
    Ok((scenes, problems))
}

/// Scenes that are folders of `least` shots or more; a file called `clean` is the clean image.
pub(super) fn bursts(folders: &[PathBuf], least: usize) -> Result<Scenes, DataError> {
    let mut problems = Vec::new();
    let mut scenes: Vec<SceneFiles> = Vec::new();
    for folder in folders {
        let files = match Listing::of(folder) {
            Ok(listing) => listing.files.into_iter(),
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let (clean, shots): (Vec<_>, Vec<_>) = files
            .filter(|path| is_picture(path))
            .partition(|path| is_clean(&stem(path)));
        match shots.len() {
            0 => {}
            count if count < least => problems.push(DataError::SingleShot {
                path: folder.clone(),
            }),
            _ => {
                let mut clean = clean.into_iter();
                scenes.push(SceneFiles {
                    shots,
                    clean: clean.next(),
                });
                problems.extend(clean.next().map(|second| DataError::OtherKind {
                    folder: folder.clone(),
                    count: 1 + clean.len(),
                    first: second,
                    kind: "one clean image".to_owned(),
                }));
            }
        }
    }
    // Validation needs clean images of all scenes or of none.
    if scenes.iter().any(|scene| scene.clean.is_none()) {
        scenes.iter_mut().for_each(|scene| scene.clean = None);
    }
    Ok((scenes, problems))
}

/// Scenes that are clean images.
pub(super) fn clean(files: Vec<PathBuf>) -> Scenes {
    let scene = |path| SceneFiles {
        shots: vec![],
        clean: Some(path),
    };
    (files.into_iter().map(scene).collect(), vec![])
}

/// Whether two folders hold pictures of the same names, and nothing tells pairs from bursts.
pub(super) fn look_like_pairs(first: &Path, second: &Path) -> bool {
    let names = |folder: &Path| -> Option<Vec<OsString>> {
        let files = Listing::of(folder).ok()?.files;
        let names = files
            .iter()
            .map(|path| path.file_name().map(OsStr::to_owned));
        names.collect()
    };
    let (first, second) = (names(first), names(second));
    first.is_some() && first == second
}
