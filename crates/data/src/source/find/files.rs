//! Sets whose images are files of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use n2n_files::is_picture;

use super::listing::{Listing, name, stem};
use super::roles::is_clean;
use crate::DataError;
use crate::source::pictures::SceneFiles;

/// Scenes, and what keeps others from being scenes.
pub(super) type Scenes = (Vec<SceneFiles>, Vec<DataError>);

/// The pictures of a folder by the name that partners share.
fn by_stem(folder: &Path) -> Result<BTreeMap<String, PathBuf>, DataError> {
    let files = Listing::of(folder)?.files.into_iter();
    let pictures = files.filter(|path| is_picture(path));
    Ok(pictures.map(|path| (stem(&path), path)).collect())
}

/// Scenes whose images have one name in several folders: shots in each of `shots`, clean ones in
/// `clean`.
pub(super) fn pairs(shots: &[&Path], clean: Option<&Path>) -> Result<Scenes, DataError> {
    let mut columns: Vec<(&Path, BTreeMap<String, PathBuf>)> = Vec::new();
    for folder in shots.iter().copied().chain(clean) {
        columns.push((folder, by_stem(folder)?));
    }
    let mut problems = Vec::new();
    let mut scenes = Vec::new();
    let stems: std::collections::BTreeSet<&String> =
        columns.iter().flat_map(|(_, files)| files.keys()).collect();
    for stem in stems {
        let files: Vec<Option<&PathBuf>> =
            columns.iter().map(|(_, files)| files.get(stem)).collect();
        if let Some(missing) = files.iter().position(Option::is_none) {
            let there = files.iter().flatten().next().copied();
            problems.push(DataError::NoPartner {
                path: there.cloned().unwrap_or_default(),
                folder: columns[missing].0.to_owned(),
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

/// Scenes that are folders of shots; a file called `clean` is the clean image.
pub(super) fn bursts(folders: &[PathBuf]) -> Result<Scenes, DataError> {
    let mut problems = Vec::new();
    let mut scenes: Vec<SceneFiles> = Vec::new();
    for folder in folders {
        let files = Listing::of(folder)?.files.into_iter();
        let (clean, shots): (Vec<_>, Vec<_>) = files
            .filter(|path| is_picture(path))
            .partition(|path| is_clean(&stem(path)));
        match shots.len() {
            0 => {}
            1 => problems.push(DataError::SingleShot {
                path: folder.clone(),
            }),
            _ => scenes.push(SceneFiles {
                shots,
                clean: clean.into_iter().next(),
            }),
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
pub(super) fn look_like_pairs(first: &Path, second: &Path) -> Result<bool, DataError> {
    let names = |folder: &Path| -> Result<Vec<String>, DataError> {
        let files = Listing::of(folder)?.files;
        Ok(files.iter().map(|path| name(path)).collect())
    };
    Ok(names(first)? == names(second)?)
}
