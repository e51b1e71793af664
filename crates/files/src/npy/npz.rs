//! Archives of arrays: `.npz`.

use std::{
    io::{BufReader, Read, Seek, Write},
    path::Path,
};

use ::zip::{CompressionMethod, ZipArchive};
use tempfile::spooled_tempfile;

use super::{NpyStack, PART, header::NpyHeader};
use crate::{
    FileError, Stack,
    input::{CHUNK, Input, malformed, open_file, read_error, truncated, unsupported},
    zip::{open_archive, zip_error},
};

/// How the names of arrays end.
const ENDING: &str = ".npy";

/// The name of the text that says what the axes are, and most bytes of a text that are read.
const AXES: &str = "axes";
const MOST_TEXT: u64 = 256;

/// Most arrays of one archive.
const MAX_ENTRIES: u64 = 1000;

/// Most bytes of all arrays of one archive: a deflated one can be a thousand times smaller than what it
/// announces.
const MAX_BYTES: u64 = 4 << 30;

/// Bytes of arrays that are kept in memory; those that follow are in temporary files.
const IN_MEMORY: u64 = 128 << 20;

/// Unpacks all arrays of a `.npz` file, into memory as long as they are small: the name of each, without `.npy`, and its images.
///
/// Texts beside them are passed over, but one named `axes`: it says, as in archives of CSBDeep, what the axes
/// of arrays are that have as many.
///
/// # Errors
/// When the file cannot be read, is damaged, has more than 1000 arrays or 4 GiB of them, two of one
/// name or one whose name leads out of the archive, when an array is not one of images, or is read in other
/// axes than the archive says.
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
    let mut axes = None;
    for (index, entry) in names.into_iter().enumerate() {
        let name = entry.strip_suffix(ENDING).unwrap_or(&entry);
        match read_array(&mut archive, index, &entry, &mut room, path)? {
            Unpacked::Images(array) => arrays.push((name.to_owned(), *array)),
            Unpacked::Text(text) if name.eq_ignore_ascii_case(AXES) => axes = Some(text),
            Unpacked::Text(_) => {}
        }
    }
    if arrays.is_empty() {
        return Err(FileError::Empty {
            path: path.to_owned(),
        });
    }
    if let Some(axes) = axes {
        for (_, array) in &arrays {
            check_axes(&axes, array)?;
        }
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

/// What an entry holds.
enum Unpacked {
    Images(Box<NpyStack>),
    /// The first characters of a text.
    Text(String),
}

/// Refuses an array that is read in other axes than a text of as many letters says: `S`, `T` or `Z` for images,
/// `C`, `Y` and `X`.
fn check_axes(axes: &str, array: &NpyStack) -> Result<(), FileError> {
    let said = axes.to_uppercase().replace(['S', 'T', 'Z'], "N");
    let (read, sizes): (String, Vec<usize>) = array
        .axes()
        .iter()
        .map(|&(axis, size)| (axis.letter(), size))
        .unzip();
    let is_known = ["YX", "YXC", "CYX", "NYX", "NCYX", "NYXC"].contains(&said.as_str());
    if !is_known || read == said || read.len() != said.len() {
        return Ok(());
    }
    let found = format!("an array of the axes {axes} and the sizes {sizes:?}");
    let way_out = "save it as [images, channels, height, width], or one .npy file for each image";
    Err(unsupported(array.path(), found, way_out))
}

/// The text of an entry that holds text; its header has been read.
fn read_text(file: impl Read, kind: &str, path: &Path) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    let read = file.take(MOST_TEXT).read_to_end(&mut bytes);
    read.map_err(|error| read_error(error, path, "its text"))?;
    // NumPy's characters have 32 bits in a text, and 8 in bytes.
    let characters: Vec<u32> = if kind.contains('U') {
        let (four, _) = bytes.as_chunks::<4>();
        let read = if kind.starts_with('>') {
            u32::from_be_bytes
        } else {
            u32::from_le_bytes
        };
        four.iter().map(|&four| read(four)).collect()
    } else {
        bytes.into_iter().map(u32::from).collect()
    };
    let characters = characters.into_iter().filter_map(char::from_u32);
    Ok(characters.take_while(|&found| found != '\0').collect())
}

/// Whether an array's element type, as NumPy writes it, is that of texts.
fn is_text(kind: &str) -> bool {
    let kind = kind.trim_start_matches(['<', '>', '|', '=']);
    let len = kind.strip_prefix(['U', 'S']);
    len.is_some_and(|len| !len.is_empty() && len.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Unpacks entry `index`, no further than its array reaches; `room` is what may still be in memory, in bytes.
fn read_array<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    index: usize,
    entry: &str,
    room: &mut u64,
    path: &Path,
) -> Result<Unpacked, FileError> {
    let place = path.join(entry);
    let mut file = archive
        .by_index(index)
        .map_err(|error| zip_error(error, path, entry))?;
    let declared = file.size();
    let header = match NpyHeader::read(&mut file, &place) {
        Err(FileError::ArrayType { found, .. }) if is_text(&found) => {
            return read_text(file, &found, &place).map(Unpacked::Text);
        }
        header => header?,
    };
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
    let array = NpyStack::new(Input::new(elements, &place)?, 0, &header, None)?;
    Ok(Unpacked::Images(Box::new(array)))
}
