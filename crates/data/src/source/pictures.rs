//! Scenes whose images are files of their own: pairs of folders, folders of bursts, clean images.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use n2n_files::{
    AxesFrom, Header, PageStack, Raster, SampleKind, Stack, read_header_with, read_picture_with,
};
use rayon::prelude::*;

use crate::{DataError, SceneInfo, SceneSource, View};

/// Images of one scene, each a file; the clean one last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SceneFiles {
    pub shots: Vec<PathBuf>,
    pub clean: Option<PathBuf>,
}

impl SceneFiles {
    /// Its files, the clean one last.
    pub fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.shots.iter().chain(&self.clean)
    }
}

/// Files whose headers are read before progress is told.
const CHUNK: usize = 1024;

/// Scenes whose images are files of their own, whose headers have been read. Where files have several images,
/// those at one place are a scene.
///
/// Images may differ in type: grey ones among colour ones are taken as colour.
pub struct Pictures {
    folders: Vec<PathBuf>,
    names: Names,
    scenes: Vec<Entry>,
    channels: usize,
    kind: SampleKind,
    ordered: bool,
    axes: AxesFrom,
}

/// A scene: its images are consecutive names.
#[derive(Clone, Copy)]
struct Entry {
    first: u32,
    shots: u32,
    clean: bool,
    height: u32,
    width: u32,
    /// The place of its images in files of several.
    place: Option<u32>,
}

/// Many file names with the number of their folder, in little memory.
#[derive(Default)]
struct Names {
    text: String,
    ends: Vec<u32>,
    folders: Vec<u32>,
    /// Those of the names that are no text, by their position.
    odd: HashMap<usize, OsString>,
}

impl Names {
    fn push(&mut self, folder: usize, name: &OsStr) {
        match name.to_str() {
            Some(text) => self.text.push_str(text),
            None => {
                self.odd.insert(self.ends.len(), name.to_owned());
            }
        }
        self.ends.push(self.text.len() as u32);
        self.folders.push(folder as u32);
    }

    fn get(&self, index: usize) -> (usize, &OsStr) {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let text = &self.text[start as usize..self.ends[index] as usize];
        let name = self.odd.get(&index).map_or(OsStr::new(text), |name| name);
        (self.folders[index] as usize, name)
    }
}

impl Pictures {
    /// Reads the headers of all files; a scene with one that cannot be used is left out, with its
    /// reason among the second result.
    ///
    /// `ordered` says that the first shot is the input and the second the target. `progress` is
    /// called now and then with the number of scenes that are done.
    ///
    /// # Errors
    /// When no scene can be used; with `strict`, when one cannot.
    pub(crate) fn open(
        scenes: &[SceneFiles],
        ordered: bool,
        strict: bool,
        axes: &AxesFrom,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<(Self, Vec<DataError>), DataError> {
        let mut pictures = Self {
            folders: Vec::new(),
            names: Names::default(),
            scenes: Vec::new(),
            channels: 1,
            kind: SampleKind::U8,
            ordered,
            axes: axes.clone(),
        };
        let mut problems = Vec::new();
        let mut last_folder: Option<(PathBuf, usize)> = None;
        let mut done = 0;
        for chunk in scenes.chunks(CHUNK) {
            let headers = chunk.par_iter().map(|files| headers(files, axes));
            let headers: Vec<_> = headers.collect();
            for (files, header) in chunk.iter().zip(headers) {
                let pushed = header.and_then(|header| {
                    pictures.check_channels(files, &header)?;
                    pictures.push(files, &header, &mut last_folder);
                    Ok(())
                });
                match pushed {
                    Ok(()) => {}
                    Err(problem) if strict => return Err(problem),
                    Err(problem) => problems.push(problem),
                }
            }
            done += chunk.len();
            progress(done);
        }
        match problems.pop() {
            Some(problem) if pictures.scenes.is_empty() => Err(problem),
            problem => {
                problems.extend(problem);
                Ok((pictures, problems))
            }
        }
    }

    /// Checks that a scene goes with those before: grey and colour stand for each other, other numbers of
    /// channels only for themselves.
    fn check_channels(&self, files: &SceneFiles, header: &Header) -> Result<(), DataError> {
        let (found, expected) = (header.channels, self.channels);
        if self.scenes.is_empty() || goes_with(found, expected) {
            return Ok(());
        }
        let name = files.all().next().map(|path| path.display().to_string());
        Err(DataError::Channels {
            name: name.unwrap_or_default(),
            found,
            expected,
        })
    }

    fn push(
        &mut self,
        files: &SceneFiles,
        header: &Header,
        last_folder: &mut Option<(PathBuf, usize)>,
    ) {
        self.channels = self.channels.max(header.channels);
        if header.kind.bytes() > self.kind.bytes() {
            self.kind = header.kind;
        }
        let places = match (header.pages, &self.axes) {
            (1, _) | (_, AxesFrom::Pages) => vec![None],
            (images, _) => (0..images as u32).map(Some).collect(),
        };
        self.scenes.extend(places.into_iter().map(|place| Entry {
            first: self.names.ends.len() as u32,
            shots: files.shots.len() as u32,
            clean: files.clean.is_some(),
            height: header.height as u32,
            width: header.width as u32,
            place,
        }));
        for path in files.all() {
            let folder = path.parent().unwrap_or(Path::new(""));
            let number = match last_folder {
                Some((last, number)) if last == folder => *number,
                // Pairs take turns among few folders; bursts have a new one each.
                _ => {
                    let known = self.folders.iter().rev().take(4).position(|f| f == folder);
                    let number = match known {
                        Some(back) => self.folders.len() - 1 - back,
                        None => {
                            self.folders.push(folder.to_owned());
                            self.folders.len() - 1
                        }
                    };
                    *last_folder = Some((folder.to_owned(), number));
                    number
                }
            };
            self.names
                .push(number, path.file_name().unwrap_or_default());
        }
    }

    fn path(&self, scene: usize, view: View) -> PathBuf {
        let entry = self.scenes[scene];
        let position = match view {
            View::Shot(shot) if shot < entry.shots as usize => shot,
            View::Clean if entry.clean => entry.shots as usize,
            view => panic!("scene {scene} has no {view:?}"),
        };
        let (folder, name) = self.names.get(entry.first as usize + position);
        self.folders[folder].join(name)
    }
}

/// Whether images with `channels` channels can be used as images with `others`: grey and colour convert.
pub(crate) fn goes_with(channels: usize, others: usize) -> bool {
    channels == others
        || [channels, others]
            .iter()
            .all(|channels| matches!(channels, 1 | 3))
}

/// The header that all files of a scene agree on.
fn headers(files: &SceneFiles, axes: &AxesFrom) -> Result<Header, DataError> {
    let mut first: Option<(&Path, Header)> = None;
    for path in files.all() {
        let header = read_header_with(path, axes)?;
        match &first {
            None => first = Some((path, header)),
            Some((other, expected)) => {
                let size = |header: &Header| {
                    let kind = describe(header.channels, header.kind);
                    let size = format!("{}x{} {kind}", header.height, header.width);
                    match (header.pages, axes) {
                        (1, _) | (_, AxesFrom::Pages) => size,
                        (images, _) => format!("{images} images of {size}"),
                    }
                };
                if size(&header) != size(expected) {
                    return Err(DataError::SceneDiffers {
                        path: path.clone(),
                        found: size(&header),
                        other: (*other).to_owned(),
                        expected: size(expected),
                    });
                }
            }
        }
    }
    match first {
        Some((_, header)) => Ok(header),
        None => Err(DataError::Empty {
            name: "a scene".to_owned(),
        }),
    }
}

fn describe(channels: usize, kind: SampleKind) -> String {
    match channels {
        1 => format!("grey {kind}"),
        3 => format!("colour {kind}"),
        _ => format!("{channels}-channel {kind}"),
    }
}

impl SceneSource for Pictures {
    fn len(&self) -> usize {
        self.scenes.len()
    }

    fn channels(&self) -> usize {
        self.channels
    }

    fn kind(&self) -> SampleKind {
        self.kind
    }

    fn info(&self, scene: usize) -> SceneInfo {
        let entry = self.scenes[scene];
        SceneInfo {
            shots: entry.shots as usize,
            clean: entry.clean,
            height: entry.height as usize,
            width: entry.width as usize,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        let path = self.path(scene, view);
        match self.scenes[scene].place {
            None => path.display().to_string(),
            Some(place) => format!("image {place} of {}", path.display()),
        }
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        let info = self.info(scene);
        let path = self.path(scene, view);
        let raster = match self.scenes[scene].place {
            None => read_picture_with(&path, &self.axes)?,
            Some(place) => {
                let stack = PageStack::open_with(&path, &self.axes)?;
                if stack.len() <= place as usize {
                    return Err(DataError::FewerImages {
                        path,
                        place: place as usize,
                    });
                }
                stack.read(place as usize)?
            }
        };
        let found = [raster.height, raster.width];
        let expected = [info.height, info.width];
        if found != expected {
            // It was of this size when the set was opened.
            return Err(DataError::Changed {
                path,
                found,
                expected,
            });
        }
        Ok(Arc::new(raster))
    }

    fn ordered(&self) -> bool {
        self.ordered
    }

    fn may_skip(&self) -> bool {
        true
    }
}
