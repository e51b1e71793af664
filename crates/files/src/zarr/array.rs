//! An array: where its chunks are, and what they hold.

use std::{fs, io::ErrorKind, ops::Range, path::PathBuf};

use super::{
    codec::{Codec, most_packed, unpack},
    shards::Shards,
};
use crate::{
    FileError, MAX_DECODED_BYTES,
    element::Element,
    input::{Input, caught, malformed, read_error},
    memory::share,
};

/// What the bytes of a file are.
pub(super) const PART: &str = "the bytes of a chunk";

/// An array in a folder.
pub(crate) struct Array {
    pub folder: PathBuf,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Sizes of what is one file: a chunk, or a shard of several.
    pub file: Vec<usize>,
    /// Sizes of what is packed together.
    pub chunk: Vec<usize>,
    /// How far apart neighbours along each axis are in a chunk, in elements.
    pub strides: Vec<usize>,
    pub element: Element,
    /// An element that was never written.
    pub fill: Vec<u8>,
    pub keys: Keys,
    /// How chunks are packed.
    pub codecs: Vec<Codec>,
    /// Where chunks are in their files, if these hold several.
    pub shards: Option<Shards>,
}

/// How the names of files are made of the places of chunks.
pub(crate) struct Keys {
    /// What they begin with.
    pub start: Option<&'static str>,
    pub separator: char,
}

/// A chunk that was read.
pub(crate) struct Chunk {
    /// The place of its first element.
    pub origin: Vec<usize>,
    /// Its elements; none where they were never written.
    pub bytes: Option<Vec<u8>>,
}

impl Array {
    /// Elements of a chunk.
    pub fn chunk_len(&self) -> usize {
        self.chunk.iter().product()
    }

    /// Bytes of a chunk.
    pub fn chunk_bytes(&self) -> usize {
        self.chunk_len() * self.element.bytes()
    }

    /// Sizes of a file in chunks.
    pub fn chunks_of_file(&self) -> Vec<usize> {
        let pairs = self.file.iter().zip(&self.chunk);
        pairs.map(|(file, chunk)| file / chunk).collect()
    }

    /// The file at a place of the grid of files.
    pub fn file_at(&self, place: &[usize]) -> PathBuf {
        let numbers = place.iter().map(usize::to_string);
        let parts = self.keys.start.map(str::to_owned).into_iter();
        let parts: Vec<String> = parts.chain(numbers).collect();
        self.folder
            .join(parts.join(&self.keys.separator.to_string()))
    }

    /// Checks sizes that files announce, so that no number overflows later.
    pub fn check_sizes(&self) -> Result<(), FileError> {
        let bytes = |sizes: &[usize]| {
            let mut sizes = sizes.iter();
            let start = self.element.bytes() as u64;
            sizes.try_fold(start, |bytes, &size| bytes.checked_mul(size as u64))
        };
        let wrong = |what: &str, sizes: &[usize]| {
            Err(malformed(
                &self.folder,
                format!("it announces {what} {sizes:?}"),
            ))
        };
        if self.shape.contains(&0) {
            return Err(FileError::Empty {
                path: self.folder.clone(),
            });
        }
        let counts = [&self.file, &self.chunk, &self.strides];
        if counts.iter().any(|sizes| sizes.len() != self.shape.len()) {
            return wrong("chunks of other axes than its own,", &self.file);
        }
        // Signed, as the lengths of files are.
        if bytes(&self.shape).is_none_or(|bytes| i64::try_from(bytes).is_err()) {
            return wrong("the sizes", &self.shape);
        }
        if self.file.contains(&0) || self.chunk.contains(&0) {
            return wrong("chunks of", &self.file);
        }
        if bytes(&self.file).is_none_or(|bytes| i64::try_from(bytes).is_err()) {
            return wrong("chunks of", &self.file);
        }
        if bytes(&self.chunk).is_none_or(|bytes| bytes > MAX_DECODED_BYTES) {
            return wrong("chunks of more than 2 GiB, of", &self.chunk);
        }
        let mut pairs = self.file.iter().zip(&self.chunk);
        if !pairs.all(|(file, chunk)| file.is_multiple_of(*chunk)) {
            return wrong("shards that are no multiples of their chunks,", &self.file);
        }
        Ok(())
    }

    /// Calls `act` with each chunk that holds elements within `bounds`, which are a range along each axis.
    pub fn for_chunks(
        &self,
        bounds: &[Range<usize>],
        mut act: impl FnMut(&Chunk),
    ) -> Result<(), FileError> {
        let _share = share(self.chunk_bytes() as u64);
        for place in places(&over(bounds, &self.file)) {
            let start: Vec<usize> = product(&place, &self.file);
            let within = bounds.iter().zip(&start).zip(&self.file);
            let within = within.map(|((bounds, start), file)| {
                bounds.start.max(*start) - start..bounds.end.min(start + file) - start
            });
            let within: Vec<Range<usize>> = within.collect();
            let path = self.file_at(&place);
            let file = match fs::metadata(&path) {
                Ok(_) => Some(Input::open(&path)?),
                Err(error) if is_missing(error.kind()) => None,
                Err(error) => return Err(read_error(error, &path, PART)),
            };
            let index = match (&file, &self.shards) {
                (Some(file), Some(shards)) => Some(shards.index(file, &self.chunks_of_file())?),
                _ => None,
            };
            for inner in places(&over(&within, &self.chunk)) {
                let packed = match (&file, &index) {
                    (None, _) => None,
                    (Some(file), None) => Some((0, file.len())),
                    (Some(_), Some(index)) => index.place(&inner),
                };
                let bytes = match (&file, packed) {
                    (Some(file), Some((start, len))) => Some(self.unpacked(file, start, len)?),
                    _ => None,
                };
                let mut origin = product(&inner, &self.chunk);
                origin
                    .iter_mut()
                    .zip(&start)
                    .for_each(|(at, start)| *at += start);
                act(&Chunk { origin, bytes });
            }
        }
        Ok(())
    }

    /// The elements of a chunk of which a file has `len` bytes.
    fn unpacked(&self, file: &Input, start: u64, len: u64) -> Result<Vec<u8>, FileError> {
        let whole = self.chunk_bytes();
        let held = start.checked_add(len).is_some_and(|end| end <= file.len());
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if !held || len > most_packed(whole) {
            let found = format!("{len} bytes for a chunk of {whole}");
            return Err(malformed(file.path(), found));
        }
        let mut bytes = vec![0; len];
        file.read_exact_at(start, &mut bytes, PART)?;
        caught(file.path(), || {
            unpack(&self.codecs, bytes, whole).map_err(|found| malformed(file.path(), found))
        })
    }
}

/// Whether a file that cannot be opened was never written: a part of its path may be missing too.
fn is_missing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound)
}

/// The cells of a grid of `sizes` that a range along each axis touches.
pub(crate) fn over(bounds: &[Range<usize>], sizes: &[usize]) -> Vec<Range<usize>> {
    let pairs = bounds.iter().zip(sizes);
    pairs
        .map(|(bounds, size)| bounds.start / size..bounds.end.div_ceil(*size))
        .collect()
}

/// All places of a range along each axis, the last axis fastest.
pub(crate) fn places(ranges: &[Range<usize>]) -> impl Iterator<Item = Vec<usize>> {
    let first: Option<Vec<usize>> = ranges
        .iter()
        .map(|range| (!range.is_empty()).then_some(range.start))
        .collect();
    std::iter::successors(first, move |place| {
        let mut next = place.clone();
        for (at, range) in next.iter_mut().zip(ranges).rev() {
            *at += 1;
            if *at < range.end {
                return Some(next);
            }
            *at = range.start;
        }
        None
    })
}

/// The place of a cell in a grid of `sizes`, in elements.
pub(crate) fn product(cell: &[usize], sizes: &[usize]) -> Vec<usize> {
    cell.iter().zip(sizes).map(|(at, size)| at * size).collect()
}

/// The number of a place in an array of `sizes`, in C order.
pub(crate) fn number(place: &[usize], sizes: &[usize]) -> usize {
    place
        .iter()
        .zip(sizes)
        .fold(0, |number, (at, size)| number * size + at)
}
