//! Files packed by gzip: MRC and FITS, as archives of volumes and of telescopes keep them.

use std::{
    error::Error,
    ffi::{OsStr, OsString},
    fmt,
    fs::File,
    io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use tempfile::{SpooledTempFile, spooled_tempfile, tempfile};

use crate::{
    FileError,
    input::{CHUNK, has_extension, open_file, read_error},
};

/// How a packed file begins, after which comes the number of its only compression.
const START: [u8; 3] = [0x1f, 0x8b, 8];

/// Most bytes that are unpacked into memory; a longer file goes into a temporary one, which is nowhere to be
/// seen and goes with the program.
const IN_MEMORY: usize = 1 << 20;

/// How many times its length a file may unpack to, beyond what any file may: images with noise do not become a
/// tenth.
const MOST_COMPRESSION: u64 = 200;
const UNDOUBTED: u64 = 256 << 20;

/// Whether a file is packed by gzip, by its first bytes.
///
/// # Errors
/// When it cannot be read.
pub fn is_gzip(path: &Path) -> Result<bool, FileError> {
    let mut start = Vec::new();
    let read = open_file(path)?.take(3).read_to_end(&mut start);
    read.map_err(|error| read_error(error, path, "its first bytes"))?;
    Ok(begins(&start))
}

/// Whether a file begins as a packed one.
pub(crate) fn begins(start: &[u8]) -> bool {
    start.starts_with(&START)
}

/// The path without `.gz` at its end, if it ends so.
pub(crate) fn unpacked_name(path: &Path) -> Option<PathBuf> {
    has_extension(path, &["gz"]).then(|| path.with_extension(""))
}

/// The name of a file without its extension, nor that of gzip behind it: `a` of `a.mrc.gz`.
pub fn stem(path: &Path) -> OsString {
    let unpacked = unpacked_name(path);
    let stem = unpacked.as_deref().unwrap_or(path).file_stem();
    stem.map(OsStr::to_owned).unwrap_or_default()
}

/// Writes a packed file. `write` gets a temporary file, in which it may go back; where it fails its error is the
/// inner one.
///
/// # Errors
/// When one of the two files cannot be written.
pub fn write_gzip_with<E>(
    file: &mut File,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> io::Result<Result<(), E>> {
    let mut plain = tempfile()?;
    if let Err(error) = write(&mut plain) {
        return Ok(Err(error));
    }
    plain.rewind()?;
    let mut packer = GzEncoder::new(BufWriter::new(file), Compression::default());
    io::copy(&mut plain, &mut packer)?;
    packer.finish()?.flush()?;
    Ok(Ok(()))
}

/// The first `len` bytes of what a packed file holds.
pub(crate) fn first_bytes(packed: impl Read, len: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    MultiGzDecoder::new(packed)
        .take(len)
        .read_to_end(&mut start)?;
    Ok(start)
}

/// What a packed file holds, unpacked once and only as far as it is asked for.
pub(crate) struct Unpacking {
    packed: MultiGzDecoder<BufReader<File>>,
    packed_len: u64,
    /// The bytes that are unpacked.
    copy: SpooledTempFile,
    len: u64,
    /// Whether they are all.
    is_whole: bool,
    position: u64,
}

impl Unpacking {
    pub fn new(file: File) -> io::Result<Self> {
        Ok(Self {
            packed_len: file.metadata()?.len(),
            packed: MultiGzDecoder::new(BufReader::new(file)),
            copy: spooled_tempfile(IN_MEMORY),
            len: 0,
            is_whole: false,
            position: 0,
        })
    }

    /// Unpacks as many bytes, or all that there are.
    fn unpack(&mut self, len: u64) -> io::Result<()> {
        if self.is_whole || self.len >= len {
            return Ok(());
        }
        let most = UNDOUBTED.max(self.packed_len.saturating_mul(MOST_COMPRESSION));
        let mut chunk = vec![0; CHUNK];
        self.copy.seek(SeekFrom::Start(self.len))?;
        while self.len < len {
            let read = match self.packed.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                self.is_whole = true;
                break;
            }
            self.copy.write_all(&chunk[..read]).map_err(NoCopy::error)?;
            self.len += read as u64;
            if self.len > most {
                let found = format!("it unpacks to more than {MOST_COMPRESSION} times its length");
                return Err(io::Error::other(found));
            }
        }
        Ok(())
    }
}

impl Read for Unpacking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.unpack(self.position.saturating_add(buffer.len() as u64))?;
        self.copy.seek(SeekFrom::Start(self.position))?;
        let read = self.copy.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Unpacking {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(step) => self.position.checked_add_signed(step),
            SeekFrom::End(step) => {
                self.unpack(u64::MAX)?;
                self.len.checked_add_signed(step)
            }
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// The error of a copy that could not be written.
#[derive(Debug)]
pub(crate) struct NoCopy(pub io::Error);

impl NoCopy {
    fn error(source: io::Error) -> io::Error {
        io::Error::other(Self(source))
    }
}

impl fmt::Display for NoCopy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Error for NoCopy {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
