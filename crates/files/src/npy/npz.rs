//! Archives of arrays: `.npz`.

use std::{
    io::{BufReader, Read, Seek, Write},
    path::Path,
};

use ::zip::{CompressionMethod, ZipArchive};
use tempfile::spooled_tempfile;

use super::{NpyStack, PART, header::NpyHeader};
use crate::{
    FileError,
    input::{CHUNK, Input, malformed, open_file, read_error, truncated, unsupported},
    zip::{open_archive, zip_error},
};

/// How the names of arrays end.
const ENDING: &str = ".npy";

/// Most arrays of one archive.
const MAX_ENTRIES: u64 = 1000;

/// Most bytes of all arrays of one archive: a deflated one can be a thousand times smaller than what it
/// announces.
const MAX_BYTES: u64 = 4 << 30;

/// Bytes of arrays that are kept in memory; those that follow are in temporary files.
const IN_MEMORY: u64 = 128 << 20;

/// Unpacks all arrays of a `.npz` file, into memory as long as they are small: the name of each, without `.npy`, and its images.
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
    reader: impl Read + Seek,
    path: &Path,
) -> Result<Vec<(String, NpyStack)>, FileError> {
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
    let mut room = IN_MEMORY;
    for (index, entry) in names.into_iter().enumerate() {
        let array = read_array(&mut archive, index, &entry, &mut room, path)?;
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

/// Unpacks entry `index`, no further than its array reaches; `room` is what may still be in memory, in bytes.
fn read_array<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    index: usize,
    entry: &str,
    room: &mut u64,
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
    let mut elements = spooled_tempfile(*room as usize);
    *room = room.saturating_sub(header.data_len);
    // One byte more than there should be: the checksum is compared on reading the end of the entry.
    let mut file = file.take(header.data_len + 1);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk);
        let read = read.map_err(|error| read_error(error, &place, PART))?;
        if read == 0 {
            break;
        }
        let written = elements.write_all(&chunk[..read]);
        written.map_err(|source| FileError::temporary(&place, source))?;
    }
    if header.data_len + 1 - file.limit() < header.data_len {
        return Err(truncated(&place, PART));
    }
    NpyStack::new(Input::new(elements, &place)?, 0, &header)
}
