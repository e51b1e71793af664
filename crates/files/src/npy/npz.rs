//! Archives of arrays: `.npz`.

use std::{
    io::{BufReader, Cursor, Read, Seek, SeekFrom},
    path::Path,
};

use ::zip::{CompressionMethod, ZipArchive};

use super::{NpyStack, header::NpyHeader};
use crate::{
    FileError,
    input::{Input, malformed, open_file, read_error, truncated, unsupported},
    zip::{open_archive, zip_error},
};

/// How the names of arrays end.
const ENDING: &str = ".npy";

/// Most arrays of one archive.
const MAX_ENTRIES: u64 = 1000;

/// Most bytes of all arrays of one archive, which are kept in memory: a deflated archive can be a
/// thousand times smaller than what it announces.
const MAX_BYTES: u64 = 4 << 30;

/// Deflate shrinks bytes no further than this.
const MAX_RATIO: u64 = 1032;

/// Reads all arrays of a `.npz` file into memory: the name of each, without `.npy`, and its images.
///
/// # Errors
/// When the file cannot be read, is damaged, has more than 1000 arrays or 4 GiB of them, two of one
/// name or one whose name leads out of the archive, or when an array is not one of images.
pub fn open_npz(path: &Path) -> Result<Vec<(String, NpyStack)>, FileError> {
    read_npz(BufReader::new(open_file(path)?), path)
}

/// As [`open_npz`], from bytes that came from `path`.
///
/// # Errors
/// As for [`open_npz`].
pub fn read_npz(
    mut reader: impl Read + Seek,
    path: &Path,
) -> Result<Vec<(String, NpyStack)>, FileError> {
    let file_len = reader
        .seek(SeekFrom::End(0))
        .map_err(|error| read_error(error, path, "its end"))?;
    let mut archive = open_archive(reader, MAX_ENTRIES, path)?;
    if archive.is_empty() {
        return Err(FileError::Empty {
            path: path.to_owned(),
        });
    }
    let (mut names, mut total) = (Vec::new(), 0_u64);
    for index in 0..archive.len() {
        let (entry, len) = check_entry(&mut archive, index, path)?;
        total = total.saturating_add(len);
        if total > MAX_BYTES {
            return Err(FileError::ArchiveTooLarge {
                path: path.to_owned(),
                entry,
                found: total,
                limit: MAX_BYTES,
            });
        }
        // Names of different bytes may still be one, by an extra field.
        if names.contains(&entry) {
            return Err(FileError::DuplicateEntry {
                path: path.to_owned(),
                entry,
            });
        }
        names.push(entry);
    }
    let mut arrays = Vec::with_capacity(names.len());
    for (index, entry) in names.into_iter().enumerate() {
        let array = read_array(&mut archive, index, &entry, file_len, path)?;
        let name = entry.strip_suffix(ENDING).unwrap_or(&entry);
        arrays.push((name.to_owned(), array));
    }
    Ok(arrays)
}

/// The name of entry `index`, where it is that of an array, and its announced length.
fn check_entry<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    index: usize,
    path: &Path,
) -> Result<(String, u64), FileError> {
    let raw = archive
        .by_index_raw(index)
        .map_err(|error| zip_error(error, path, "an entry"))?;
    let name = raw
        .name()
        .map_err(|error| zip_error(error, path, "the name of an entry"))?;
    let entry = name.into_owned();
    let mut parts = entry.split(['/', '\\']);
    if entry.starts_with(['/', '\\']) || entry.contains(':') || parts.any(|part| part == "..") {
        return Err(FileError::EntryPath {
            path: path.to_owned(),
            entry,
        });
    }
    if !entry.ends_with(ENDING) {
        let way_out = "save arrays alone, with numpy.savez(path, name=array)";
        return Err(unsupported(path, format!("the entry {entry}"), way_out));
    }
    let method = raw.compression();
    if !matches!(
        method,
        CompressionMethod::Stored | CompressionMethod::Deflated
    ) {
        return Err(FileError::CompressedEntry {
            path: path.to_owned(),
            entry,
            method: method.to_string(),
        });
    }
    Ok((entry, raw.size()))
}

/// Reads entry `index`, no further than its array reaches.
fn read_array<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    index: usize,
    entry: &str,
    file_len: u64,
    path: &Path,
) -> Result<NpyStack, FileError> {
    let place = path.join(entry);
    let mut file = archive
        .by_index(index)
        .map_err(|error| zip_error(error, path, entry))?;
    let declared = file.size();
    let header = NpyHeader::read(&mut file, &place)?;
    let needed = header.len.checked_add(header.data_len);
    if needed != Some(declared) {
        let found = format!(
            "the archive gives it {declared} bytes, and its array of shape {:?} takes {} behind a \
             header of {}",
            header.shape, header.data_len, header.len
        );
        return Err(malformed(&place, found));
    }
    // At most what the file can inflate to.
    let most = header.data_len.min(file_len.saturating_mul(MAX_RATIO));
    let mut bytes = Vec::with_capacity(most as usize + 1);
    // One byte more than there should be: the checksum is compared on reading the end of the entry.
    let read = file.take(header.data_len + 1).read_to_end(&mut bytes);
    read.map_err(|error| read_error(error, &place, "the elements of its array"))?;
    if (bytes.len() as u64) < header.data_len {
        return Err(truncated(&place, "the elements of its array"));
    }
    bytes.truncate(header.data_len as usize);
    NpyStack::new(Input::new(Cursor::new(bytes), &place)?, 0, &header)
}
