//! Open files, and the errors of reading them.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::{
    FileError,
    gzip::{self, NoCopy, Unpacking},
};

/// Bytes read at a time, a multiple of the size of every kind of number.
pub(crate) const CHUNK: usize = 1 << 16;

/// An open file, or bytes in its place, that several threads read from at once.
///
/// It stays open, so that a file replaced on disk is not read half old and half new.
pub(crate) struct Input {
    path: PathBuf,
    source: Mutex<Box<dyn Source>>,
    /// `None` where only unpacking all of it would tell.
    len: Option<u64>,
}

trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

impl Input {
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Self::new(open_file(path)?, path)
    }

    /// Opens a file; if gzip packed it, what it holds.
    pub fn open_unpacked(path: &Path) -> Result<Self, FileError> {
        let failed = |error| read_error(error, path, "its first bytes");
        let mut file = open_file(path)?;
        let mut start = Vec::new();
        file.by_ref()
            .take(3)
            .read_to_end(&mut start)
            .map_err(failed)?;
        file.rewind().map_err(failed)?;
        if !gzip::begins(&start) {
            return Self::new(file, path);
        }
        Ok(Self {
            path: path.to_owned(),
            source: Mutex::new(Box::new(Unpacking::new(file).map_err(failed)?)),
            len: None,
        })
    }

    pub fn new(
        mut source: impl Read + Seek + Send + 'static,
        path: &Path,
    ) -> Result<Self, FileError> {
        let len = source
            .seek(SeekFrom::End(0))
            .map_err(|error| read_error(error, path, "its end"))?;
        Ok(Self {
            path: path.to_owned(),
            source: Mutex::new(Box::new(source)),
            len: Some(len),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes; of a packed file, that of the longest there could be.
    pub fn len(&self) -> u64 {
        self.len.unwrap_or(u64::MAX)
    }

    /// Its length in bytes, unless only unpacking all of it would tell.
    pub fn known_len(&self) -> Option<u64> {
        self.len
    }

    /// Whether it has `len` bytes or more. A packed file is unpacked as far as that.
    pub fn holds(&self, len: u64) -> Result<bool, FileError> {
        match (self.len, len.checked_sub(1)) {
            (Some(found), _) => Ok(len <= found),
            (None, None) => Ok(true),
            (None, Some(last)) => {
                let read = self.read_at(last, &mut [0]);
                let read = read.map_err(|error| read_error(error, &self.path, "its packed bytes"));
                Ok(read? == 1)
            }
        }
    }

    /// Fills `buffer` with the bytes at `offset`, which are those of `part`.
    pub fn read_exact_at(
        &self,
        offset: u64,
        buffer: &mut [u8],
        part: &str,
    ) -> Result<(), FileError> {
        self.with_source_at(offset, |source| source.read_exact(buffer))
            .map_err(|error| read_error(error, &self.path, part))
    }

    /// Calls `act` with the `len` bytes from `start` on, which are those of `part`, a chunk at a time.
    pub fn for_chunks(
        &self,
        start: u64,
        len: usize,
        part: &str,
        mut act: impl FnMut(&[u8]),
    ) -> Result<(), FileError> {
        let mut chunk = vec![0; CHUNK.min(len)];
        for done in (0..len).step_by(CHUNK) {
            let chunk = &mut chunk[..CHUNK.min(len - done)];
            self.read_exact_at(start + done as u64, chunk, part)?;
            act(chunk);
        }
        Ok(())
    }

    /// Reads some of the bytes at `offset`, as [`Read::read`] does.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.with_source_at(offset, |source| source.read(buffer))
    }

    /// A reader from the first byte on; `start` stands in place of as many first bytes.
    pub fn reader(&self, start: Vec<u8>) -> InputReader<'_> {
        InputReader {
            input: self,
            start,
            shift: 0,
            position: 0,
        }
    }

    /// A reader of `start` and all bytes behind it.
    pub fn reader_behind(&self, start: Vec<u8>) -> InputReader<'_> {
        let shift = start.len() as u64;
        InputReader {
            shift,
            ..self.reader(start)
        }
    }

    fn with_source_at<T>(
        &self,
        offset: u64,
        read: impl FnOnce(&mut dyn Source) -> io::Result<T>,
    ) -> io::Result<T> {
        // A source has no state but its position, which is set anew each time.
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.seek(SeekFrom::Start(offset))?;
        read(&mut **source)
    }
}

/// A position in an [`Input`].
pub(crate) struct InputReader<'a> {
    input: &'a Input,
    start: Vec<u8>,
    /// How far behind its place in the input each byte is.
    shift: u64,
    position: u64,
}

impl Read for InputReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(self.position).ok();
        let read = match start.and_then(|at| self.start.get(at..)) {
            Some(mut rest) if !rest.is_empty() => rest.read(buffer)?,
            _ => self.input.read_at(self.position - self.shift, buffer)?,
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for InputReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(step) => self.position.checked_add_signed(step),
            SeekFrom::End(step) => self
                .input
                .len()
                .saturating_add(self.shift)
                .checked_add_signed(step),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

pub(crate) fn open_file(path: &Path) -> Result<File, FileError> {
    let failed = |error| read_error(error, path, "the file");
    // Before it is opened, which waits for the writer of a pipe.
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(FileError::Io {
            path: path.to_owned(),
            source: ErrorKind::IsADirectory.into(),
        });
    }
    if !metadata.is_file() {
        let way_out = "save what comes from it as a file first";
        return Err(unsupported(
            path,
            "it is a pipe, a socket or a device",
            way_out,
        ));
    }
    File::open(path).map_err(failed)
}

/// Errors of the operating system pass through; an early end and what a decoder says get their own
/// words.
pub(crate) fn read_error(source: io::Error, path: &Path, part: &str) -> FileError {
    let source = match source.downcast() {
        Ok(NoCopy(source)) => return FileError::temporary(path, source),
        Err(source) => source,
    };
    if source.kind() == ErrorKind::UnexpectedEof {
        return truncated(path, part);
    }
    if source.raw_os_error().is_some() {
        return FileError::Io {
            path: path.to_owned(),
            source,
        };
    }
    malformed(path, format!("{part}: {source}"))
}

pub(crate) fn truncated(path: &Path, part: &str) -> FileError {
    FileError::Truncated {
        path: path.to_owned(),
        part: part.to_owned(),
    }
}

pub(crate) fn malformed(path: &Path, found: impl Into<String>) -> FileError {
    FileError::Malformed {
        path: path.to_owned(),
        found: found.into(),
    }
}

pub(crate) fn unsupported(
    path: &Path,
    found: impl Into<String>,
    way_out: &'static str,
) -> FileError {
    FileError::Unsupported {
        path: path.to_owned(),
        found: found.into(),
        way_out,
    }
}

pub(crate) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|found| {
        extensions
            .iter()
            .any(|known| found.eq_ignore_ascii_case(known))
    })
}

/// Runs a decoder.
///
/// A panic of a decoder becomes an error, so that one damaged picture does not end a program that
/// reads thousands.
pub(crate) fn caught<T>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, FileError>,
) -> Result<T, FileError> {
    panic::catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(malformed(path, "its decoder gave up on it")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoder_panic_is_an_error() {
        let path = Path::new("made-up.png");
        let result: Result<(), _> = caught(path, || panic!("a decoder's mistake"));
        assert!(
            matches!(result, Err(FileError::Malformed { path: named, .. }) if named == path),
            "the panic is an error of this file"
        );
    }
}
