//! Opening zip archives, their directory checked first.
//!
//! The decoder takes memory for as many entries as a directory announces, and searches a damaged
//! archive for another one. Both are bounded here: it only sees an archive whose one directory is
//! whole, stands just before the end of the file and names few entries.

use std::{
    collections::HashSet,
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

use ::zip::{
    ZipArchive,
    read::{ArchiveOffset, Config},
    result::ZipError,
};

use crate::{
    FileError,
    input::{malformed, read_error, truncated},
};

/// Most bytes of a directory: a thousand names and their dates take a tenth of it.
const MAX_DIRECTORY: u64 = 1 << 20;

/// What a directory is called in errors.
const DIRECTORY: &str = "the zip directory at its end";

/// The record at the end of an archive, and how its bytes begin.
const END: [u8; 4] = *b"PK\x05\x06";
const END_LEN: usize = 22;

/// The two records before it, for archives of more than 4 GiB or 65534 entries.
const END64: [u8; 4] = *b"PK\x06\x06";
const END64_LEN: usize = 56;
const LOCATOR: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_LEN: usize = 20;

/// One entry of the directory, without its name.
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const ENTRY_LEN: usize = 46;

/// Opens an archive of at most `max_entries` entries, no two of one name.
pub(crate) fn open_archive<R: Read + Seek>(
    mut reader: R,
    max_entries: u64,
    path: &Path,
) -> Result<ZipArchive<R>, FileError> {
    let directory = find_directory(&mut reader)
        .map_err(|error| read_error(error, path, DIRECTORY))?
        .ok_or_else(|| malformed(path, "its zip directory is not where it should be"))?;
    if directory.entries > max_entries {
        return Err(FileError::TooManyEntries {
            path: path.to_owned(),
            found: directory.entries,
            limit: max_entries,
        });
    }
    if directory.len > MAX_DIRECTORY {
        let found = format!("its zip directory takes {} bytes", directory.len);
        return Err(malformed(path, found));
    }
    check_names(&mut reader, &directory, path)?;
    let config = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    ZipArchive::with_config(config, reader).map_err(|error| zip_error(error, path, DIRECTORY))
}

/// An error of the decoder inside `part`, an entry or the directory.
pub(crate) fn zip_error(error: ZipError, path: &Path, part: &str) -> FileError {
    match error {
        ZipError::Io(error) => read_error(error, path, part),
        other => malformed(path, format!("{part}: {other}")),
    }
}

struct Directory {
    start: u64,
    len: u64,
    entries: u64,
}

/// The directory that the end of the file announces; `None` where it does not end there.
fn find_directory(reader: &mut (impl Read + Seek)) -> io::Result<Option<Directory>> {
    let file_len = reader.seek(SeekFrom::End(0))?;
    let tail_len = file_len.min((END_LEN + usize::from(u16::MAX)) as u64);
    let mut tail = vec![0; tail_len as usize];
    reader.seek(SeekFrom::Start(file_len - tail_len))?;
    reader.read_exact(&mut tail)?;
    let whole = tail.len().saturating_sub(END_LEN - END.len());
    let place = tail[..whole].windows(END.len()).rposition(|at| at == END);
    let place = place.ok_or(ErrorKind::UnexpectedEof)?;
    let end = &tail[place..];
    if END_LEN + uint(end, 20, 2) as usize != end.len() {
        return Ok(None);
    }
    let (mut entries, mut len, mut start) = (uint(end, 10, 2), uint(end, 12, 4), uint(end, 16, 4));
    let mut behind = file_len - end.len() as u64;
    // torch.save writes the 64-bit records in every archive.
    let end64 = find_end64(reader, behind)?;
    if let Some((place, end64)) = &end64 {
        behind = *place;
        let (most_entries, most) = (u64::from(u16::MAX), u64::from(u32::MAX));
        if entries == most_entries || len == most || start == most {
            let [all_entries, all_len, all_start] = [32, 40, 48].map(|at| uint(end64, at, 8));
            (entries, len, start) = (all_entries, all_len, all_start);
        }
    }
    let abuts = start.checked_add(len) == Some(behind);
    Ok(abuts.then_some(Directory {
        start,
        len,
        entries,
    }))
}

/// The 64-bit record before the one at `end`, and its place, if there is one.
fn find_end64(
    reader: &mut (impl Read + Seek),
    end: u64,
) -> io::Result<Option<(u64, [u8; END64_LEN])>> {
    let Some(locator) = read_at::<LOCATOR_LEN>(reader, end.checked_sub(LOCATOR_LEN as u64))? else {
        return Ok(None);
    };
    if !locator.starts_with(&LOCATOR) {
        return Ok(None);
    }
    let place = uint(&locator, 8, 8);
    let last = end.checked_sub((LOCATOR_LEN + END64_LEN) as u64);
    let end64 = read_at::<END64_LEN>(reader, last.filter(|&last| place <= last).map(|_| place))?;
    Ok(end64
        .filter(|end64| end64.starts_with(&END64))
        .map(|end64| (place, end64)))
}

/// Walks the names: the decoder would keep the last of two entries of one name and say nothing.
fn check_names(
    reader: &mut (impl Read + Seek),
    directory: &Directory,
    path: &Path,
) -> Result<(), FileError> {
    let mut bytes = vec![0; directory.len as usize];
    reader
        .seek(SeekFrom::Start(directory.start))
        .and_then(|_| reader.read_exact(&mut bytes))
        .map_err(|error| read_error(error, path, DIRECTORY))?;
    let mut names = HashSet::new();
    let mut rest = &bytes[..];
    for _ in 0..directory.entries {
        if rest.len() < ENTRY_LEN || !rest.starts_with(&ENTRY) {
            return Err(truncated(path, DIRECTORY));
        }
        let [name_len, more, comment] = [28, 30, 32].map(|at| uint(rest, at, 2) as usize);
        let (Some(name), Some(next)) = (
            rest.get(ENTRY_LEN..ENTRY_LEN + name_len),
            rest.get(ENTRY_LEN + name_len + more + comment..),
        ) else {
            return Err(truncated(path, DIRECTORY));
        };
        if !names.insert(name) {
            return Err(FileError::DuplicateEntry {
                path: path.to_owned(),
                entry: String::from_utf8_lossy(name).into_owned(),
            });
        }
        rest = next;
    }
    Ok(())
}

fn read_at<const N: usize>(
    reader: &mut (impl Read + Seek),
    start: Option<u64>,
) -> io::Result<Option<[u8; N]>> {
    let Some(start) = start else { return Ok(None) };
    let mut bytes = [0; N];
    reader.seek(SeekFrom::Start(start))?;
    reader.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

/// The little-endian number of `len` bytes at `at`.
fn uint(bytes: &[u8], at: usize, len: usize) -> u64 {
    let bytes = bytes[at..at + len].iter();
    bytes
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}
