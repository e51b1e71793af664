//! Zarr: the images of another folder, changed.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::EncodeError;
use crate::{
    FileError, Region, Samples, Stack,
    atomic::UnfinishedFolder,
    zarr::{
        ZarrStack,
        array::{Array, number, over, places, product},
        codec::pack,
        group::{ARRAY, GROUP, SAID, V3, said_of},
    },
};

/// The folder of what Bio-Formats knows of a file.
const OME: &str = "OME";

/// Writes the images of a folder of Zarr region by region, in the chunks, with the compressor and with the
/// metadata of the folder that they were read from. Of an image in several sizes the largest is written.
///
/// What is not a whole chunk yet waits in a file, so that no more than a chunk is in memory. The folder
/// appears when it is [finished](Self::finish).
pub struct ZarrWriter<'a> {
    like: &'a ZarrStack,
    folder: UnfinishedFolder,
    /// Elements that are missing in files of chunks that were begun, by their numbers.
    missing: HashMap<usize, usize>,
    left_out: Vec<String>,
}

impl<'a> ZarrWriter<'a> {
    /// Begins a folder at `path`, with the metadata of `like`.
    ///
    /// # Errors
    /// When it cannot be written, or the metadata cannot be read any more.
    pub fn new(path: &Path, like: &'a ZarrStack) -> Result<Self, EncodeError> {
        let folder = UnfinishedFolder::beside(path)?;
        fs::create_dir(folder.path().join(WAITING))?;
        let mut writer = Self {
            like,
            folder,
            missing: HashMap::new(),
            left_out: like.found.beside.clone(),
        };
        writer.copy_metadata()?;
        Ok(writer)
    }

    /// What the folder does not keep of the other one, in words.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Writes a region of image `index`: `[channels, height, width]` samples in C order. Each pixel is written
    /// once.
    ///
    /// # Errors
    /// When it cannot be written.
    ///
    /// # Panics
    /// When they are not as many or of the kind of the images.
    pub fn write(
        &mut self,
        index: usize,
        region: Region,
        samples: &Samples,
    ) -> Result<(), EncodeError> {
        let [channels, ..] = self.like.shape();
        assert_eq!(samples.kind(), self.like.kind(), "kind of a region");
        assert_eq!(
            samples.len(),
            channels * region.area(),
            "samples of a region"
        );
        let array = self.like.array();
        let bounds = self.like.bounds(index, region);
        for place in places(&over(&bounds, &array.file)) {
            let start = product(&place, &array.file);
            let axes = bounds.iter().zip(&start).zip(&array.file);
            let within: Vec<_> = axes
                .map(|((bounds, start), file)| {
                    bounds.start.max(*start) - start..bounds.end.min(start + file) - start
                })
                .collect();
            let file = number(&place, &files_of(array));
            let mut waiting = self.waiting(file)?;
            for inner in places(&over(&within, &array.chunk)) {
                let mut origin = product(&inner, &array.chunk);
                origin
                    .iter_mut()
                    .zip(&start)
                    .for_each(|(at, start)| *at += start);
                let at = number(&inner, &array.chunks_of_file()) * array.chunk_bytes();
                self.put(&mut waiting, at as u64, &origin, &bounds, samples)?;
            }
            let written: usize = within.iter().map(|range| range.len()).product();
            let whole = || {
                let axes = start.iter().zip(&array.file).zip(&array.shape);
                let sizes = axes.map(|((start, file), size)| (start + file).min(*size) - start);
                sizes.product()
            };
            let missing = self.missing.entry(file).or_insert_with(whole);
            *missing = missing.checked_sub(written).unwrap_or_else(|| {
                panic!("pixels of {region:?} were written before");
            });
            if *missing == 0 {
                self.missing.remove(&file);
                self.pack(&place, waiting)?;
                fs::remove_file(self.waiting_path(file))?;
            }
        }
        Ok(())
    }

    /// Ends the folder, which takes the place of one of Zarr that is there.
    ///
    /// # Errors
    /// When it cannot be written, or something else is there.
    ///
    /// # Panics
    /// When pixels are missing.
    pub fn finish(self) -> Result<(), EncodeError> {
        assert!(self.missing.is_empty(), "pixels that were not written");
        fs::remove_dir(self.folder.path().join(WAITING))?;
        Ok(self.folder.finish()?)
    }

    fn waiting_path(&self, file: usize) -> PathBuf {
        self.folder.path().join(WAITING).join(file.to_string())
    }

    /// The file of chunks that are not whole yet, each as it is in memory, one behind the other.
    fn waiting(&self, file: usize) -> io::Result<File> {
        let path = self.waiting_path(file);
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let array = self.like.array();
        let len = array.file.iter().product::<usize>() * array.element.bytes();
        file.set_len(len as u64)?;
        Ok(file)
    }

    /// Puts what a region has of a chunk to its place in a file.
    fn put(
        &self,
        file: &mut File,
        start: u64,
        origin: &[usize],
        bounds: &[std::ops::Range<usize>],
        samples: &Samples,
    ) -> io::Result<()> {
        let (element, step) = (self.like.array().element, self.like.step());
        let size = element.bytes();
        let mut result = Ok(());
        let mut row = Vec::new();
        self.like.for_rows(origin, bounds, |into, from, len| {
            row.clear();
            element.push_to(samples, from..from + len, &mut row);
            let (parts, apart) = if step == 1 {
                (row.len(), 0)
            } else {
                (size, step * size)
            };
            for (index, part) in row.chunks_exact(parts).enumerate() {
                let at = start + (into * size + index * apart) as u64;
                let written = file
                    .seek(SeekFrom::Start(at))
                    .and_then(|_| file.write_all(part));
                if result.is_ok() {
                    result = written;
                }
            }
        });
        result
    }

    /// Packs the chunks of a file that is complete, one at a time. Chunks that hold nothing but the fill
    /// value are not written, as other programs do.
    fn pack(&self, place: &[usize], mut waiting: File) -> Result<(), EncodeError> {
        let array = self.like.array();
        waiting.rewind()?;
        let count = array.chunks_of_file().iter().product();
        let mut is_empty = true;
        let mut packed = || {
            let mut chunk = vec![0; array.chunk_bytes()];
            waiting.read_exact(&mut chunk)?;
            let mut elements = chunk.chunks_exact(array.fill.len());
            if elements.all(|element| element == array.fill) {
                return Ok(None);
            }
            is_empty = false;
            pack(&array.codecs, chunk).map(Some)
        };
        let within = array.file_at(place);
        let within = within
            .strip_prefix(&array.folder)
            .map_err(io::Error::other)?;
        let path = self.folder.path().join(&self.like.found.place).join(within);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::new(File::create(&path)?);
        match &array.shards {
            Some(shards) => shards.write(&mut file, count, (0..count).map(|_| packed()))?,
            None => {
                if let Some(bytes) = packed()? {
                    file.write_all(&bytes)?;
                }
            }
        }
        file.flush()?;
        if is_empty {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    /// Copies the metadata of the array and of the folders that it is in.
    fn copy_metadata(&mut self) -> Result<(), EncodeError> {
        let (from, into) = (self.like.path(), self.folder.path().to_owned());
        let found = &self.like.found;
        fs::create_dir_all(into.join(&found.place))?;
        let folders = found.place.ancestors();
        for folder in folders {
            let (from, into) = (from.join(folder), into.join(folder));
            for name in [V3, ARRAY, GROUP, SAID] {
                if !from.join(name).is_file() {
                    continue;
                }
                let is_group = found.group.as_deref() == Some(folder);
                if is_group && matches!(name, V3 | SAID) {
                    let json = said_of(&from).map_err(unreadable)?;
                    let mut root = json.map(|json| json.root).unwrap_or_default();
                    keep_one_size(&mut root);
                    fs::write(into.join(name), format!("{root:#}\n"))?;
                } else if name == V3 {
                    let json = said_of(&from).map_err(unreadable)?;
                    match json.map(|json| json.root) {
                        Some(mut root) if root.get(CONSOLIDATED).is_some() => {
                            forget_other_folders(&mut root);
                            fs::write(into.join(name), format!("{root:#}\n"))?;
                        }
                        _ => drop(fs::copy(from.join(name), into.join(name))?),
                    }
                } else {
                    fs::copy(from.join(name), into.join(name))?;
                }
            }
        }
        if let Some(group) = &found.group {
            for folder in [Path::new(""), group.as_path()] {
                self.copy_beside(folder)?;
            }
        }
        Ok(())
    }

    /// Copies what Bio-Formats knows of the file, and says which other folders of a group are left out.
    fn copy_beside(&mut self, folder: &Path) -> Result<(), EncodeError> {
        let from = self.like.path().join(folder);
        let into = self.folder.path().join(folder);
        if from.join(OME).is_dir() && !into.join(OME).exists() {
            fs::create_dir(into.join(OME))?;
            for entry in fs::read_dir(from.join(OME))? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    fs::copy(entry.path(), into.join(OME).join(entry.file_name()))?;
                }
            }
        }
        if from.join(LABELS).is_dir() {
            let words = "its labels".to_owned();
            if !self.left_out.contains(&words) {
                self.left_out.push(words);
            }
        }
        Ok(())
    }
}

/// The folder of chunks that are not whole yet.
const WAITING: &str = ".waiting";

/// The folder of segmentations beside an image.
const LABELS: &str = "labels";

/// Where a group of version 3 repeats the metadata of all that is in it.
const CONSOLIDATED: &str = "consolidated_metadata";

/// Sizes of an array in files.
fn files_of(array: &Array) -> Vec<usize> {
    let pairs = array.shape.iter().zip(&array.file);
    pairs.map(|(size, file)| size.div_ceil(*file)).collect()
}

/// Leaves of the images that a group names the first, and of its sizes the largest.
fn keep_one_size(root: &mut Value) {
    forget_other_folders(root);
    let attributes = match root.get_mut("attributes") {
        Some(attributes) => attributes,
        None => root,
    };
    let attributes = match attributes.get("ome") {
        Some(_) => &mut attributes["ome"],
        None => attributes,
    };
    let Some(images) = attributes
        .get_mut("multiscales")
        .and_then(Value::as_array_mut)
    else {
        return;
    };
    images.truncate(1);
    for image in images {
        if let Some(levels) = image.get_mut("datasets").and_then(Value::as_array_mut) {
            levels.truncate(1);
        }
    }
}

/// Removes what a group repeats of the metadata in it: not all of that is written.
fn forget_other_folders(root: &mut Value) {
    if let Some(root) = root.as_object_mut() {
        root.remove(CONSOLIDATED);
    }
}

fn unreadable(error: FileError) -> EncodeError {
    io::Error::other(error).into()
}
