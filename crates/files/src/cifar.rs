//! The binary version of CIFAR-10.

use std::{
    io::{Read, Seek},
    path::Path,
};

use crate::{
    FileError, Raster, SampleKind, Samples, Stack,
    input::{Input, malformed},
    stack::check_index,
};

/// `[channels, height, width]` of every image.
const SHAPE: [usize; 3] = [3, 32, 32];

/// Bytes of a record: a label, then the planes of one image.
const RECORD: u64 = 1 + 3 * 32 * 32;

/// Number of labels.
const LABELS: u8 = 10;

/// A file of CIFAR-10 records, read from disk one at a time; the labels are dropped.
pub struct CifarFile {
    input: Input,
    len: usize,
}

impl CifarFile {
    /// Opens the file.
    ///
    /// # Errors
    /// When the file cannot be read, is empty, or its length is no multiple of a record's.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Self::from_input(Input::open(path)?)
    }

    /// As [`open`](Self::open), from bytes that came from `path`.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn from_reader(
        reader: impl Read + Seek + Send + 'static,
        path: &Path,
    ) -> Result<Self, FileError> {
        Self::from_input(Input::new(reader, path)?)
    }

    fn from_input(input: Input) -> Result<Self, FileError> {
        let (path, found) = (input.path().to_owned(), input.len());
        if found == 0 {
            return Err(FileError::Empty { path });
        }
        if !found.is_multiple_of(RECORD) {
            return Err(FileError::NotCifar { path, found });
        }
        let len = (found / RECORD) as usize;
        Ok(Self { input, len })
    }
}

impl Stack for CifarFile {
    fn path(&self) -> &Path {
        self.input.path()
    }

    fn len(&self) -> usize {
        self.len
    }

    fn shape(&self) -> [usize; 3] {
        SHAPE
    }

    fn kind(&self) -> SampleKind {
        SampleKind::U8
    }

    fn read(&self, index: usize) -> Result<Raster, FileError> {
        check_index(self, index);
        let start = index as u64 * RECORD;
        let mut label = [0];
        let mut pixels = vec![0; SHAPE.iter().product()];
        self.input.read_exact_at(start, &mut label, "a record")?;
        self.input
            .read_exact_at(start + 1, &mut pixels, "a record")?;
        if label[0] >= LABELS {
            let found = format!(
                "record {index} has the label {}, and there are {LABELS}",
                label[0]
            );
            return Err(malformed(self.path(), found));
        }
        Ok(Raster::from_planes(Samples::U8(pixels), SHAPE, false))
    }
}
