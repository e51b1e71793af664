//! The two forms of `torch.save`.
//!
//! The newer is a zip archive with a pickle (`<name>/data.pkl`) and one stored entry per tensor
//! storage (`<name>/data/<key>`). The older is a stream: a magic number, a protocol number, facts
//! about the machine, the object and the list of storage keys, each of them a pickle, then for each
//! key its number of elements (int64, little-endian) and the elements.

use std::{
    collections::HashMap,
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

use zip::{CompressionMethod, ZipArchive, read::ZipFile, result::ZipError};

use super::{
    pickle, tensors,
    value::{Storage, Tensor, Value},
};
use crate::DataError;

/// What the first pickle of the older form holds.
const LEGACY_MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;

/// The only protocol number of the older form.
const LEGACY_PROTOCOL: i128 = 1001;

/// Where the bytes of the tensors are.
pub(super) enum Storages<R> {
    Zip {
        archive: ZipArchive<R>,
        root: String,
        file_len: u64,
    },
    /// Position and length of the bytes of each key.
    Legacy {
        reader: R,
        places: HashMap<String, (u64, u64)>,
    },
}

pub(super) fn open_storages<R: Read + Seek>(
    mut reader: R,
    path: &Path,
) -> Result<(Vec<Tensor>, Storages<R>), DataError> {
    let part = "its first bytes";
    let mut start = [0; 2];
    reader
        .read_exact(&mut start)
        .map_err(|error| read_error(error, path, part))?;
    let file_len = reader
        .seek(SeekFrom::End(0))
        .map_err(|error| read_error(error, path, part))?;
    reader
        .rewind()
        .map_err(|error| read_error(error, path, part))?;
    match start {
        [b'P', b'K'] => open_zip(reader, file_len, path),
        [0x80, _] => open_legacy(reader, file_len, path),
        _ => Err(DataError::NotTorchSave {
            path: path.to_owned(),
        }),
    }
}

fn open_zip<R: Read + Seek>(
    reader: R,
    file_len: u64,
    path: &Path,
) -> Result<(Vec<Tensor>, Storages<R>), DataError> {
    let mut archive = ZipArchive::new(reader).map_err(|error| match error {
        ZipError::Io(error) => read_error(error, path, "the zip directory at its end"),
        _ => truncated(path, "the zip directory at its end"),
    })?;
    let pickle_name = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .find(|name| name.ends_with("/data.pkl"));
    let Some(pickle_name) = pickle_name else {
        return Err(DataError::NotTorchSave {
            path: path.to_owned(),
        });
    };
    let root = pickle_name.trim_end_matches("data.pkl").to_owned();
    check_byte_order(&mut archive, &root, path)?;
    let pickle = read_entry(&mut archive, &pickle_name, pickle::MAX_BYTES, path)?;
    let tensors = tensors(&pickle::load(pickle.as_slice(), path)?, path)?;
    Ok((
        tensors,
        Storages::Zip {
            archive,
            root,
            file_len,
        },
    ))
}

/// Files of PyTorch before 2.0 have no such entry and were all little-endian.
fn check_byte_order<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    root: &str,
    path: &Path,
) -> Result<(), DataError> {
    let name = format!("{root}byteorder");
    if archive.index_for_name(&name).is_none() {
        return Ok(());
    }
    // The two words in use, "little" and "big", are shorter.
    let order = read_entry(archive, &name, 16, path)?;
    match order.as_slice() {
        b"little" => Ok(()),
        other => Err(DataError::ByteOrder {
            path: path.to_owned(),
            found: String::from_utf8_lossy(other).into_owned(),
        }),
    }
}

/// The bytes of a stored entry of at most `max_len` bytes, their checksum verified.
fn read_entry<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    max_len: u64,
    path: &Path,
) -> Result<Vec<u8>, DataError> {
    let malformed = |found| DataError::Malformed {
        path: path.to_owned(),
        found,
    };
    let Some(index) = archive.index_for_name(name) else {
        return Err(malformed(format!("{name} is missing from the zip archive")));
    };
    let zip_error = |error| match error {
        ZipError::Io(error) => read_error(error, path, name),
        other => malformed(format!("{name}: {other}")),
    };
    let method = archive
        .by_index_raw(index)
        .map_err(zip_error)?
        .compression();
    if method != CompressionMethod::Stored {
        return Err(DataError::CompressedEntry {
            path: path.to_owned(),
            entry: name.to_owned(),
            method: method.to_string(),
        });
    }
    let entry = archive.by_index(index).map_err(zip_error)?;
    let len = entry.size();
    if len > max_len {
        return Err(malformed(format!(
            "{name} holds {len} bytes, more than the {max_len} expected"
        )));
    }
    read_to_checksum(entry, len as usize, path, name)
}

fn read_to_checksum<R: Read>(
    entry: ZipFile<'_, R>,
    len: usize,
    path: &Path,
    name: &str,
) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::with_capacity(len);
    // One byte more than there should be: the checksum is compared on reading the end of the entry.
    let read = entry.take(len as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| read_error(error, path, name))?;
    if bytes.len() < len {
        return Err(truncated(path, name));
    }
    bytes.truncate(len);
    Ok(bytes)
}

fn open_legacy<R: Read + Seek>(
    mut reader: R,
    file_len: u64,
    path: &Path,
) -> Result<(Vec<Tensor>, Storages<R>), DataError> {
    let not_torch = || DataError::NotTorchSave {
        path: path.to_owned(),
    };
    match pickle::load(&mut reader, path) {
        Ok(Value::Int(LEGACY_MAGIC)) => (),
        Ok(_) | Err(DataError::Malformed { .. } | DataError::NotPairs { .. }) => {
            return Err(not_torch());
        }
        Err(other) => return Err(other),
    }
    match pickle::load(&mut reader, path)? {
        Value::Int(LEGACY_PROTOCOL) => (),
        _ => return Err(not_torch()),
    }
    check_machine(&pickle::load(&mut reader, path)?, path)?;
    // Checked before the storages are walked: their lengths count elements, here bytes.
    let tensors = tensors(&pickle::load(&mut reader, path)?, path)?;
    let keys = pickle::load(&mut reader, path)?;
    let places = walk_storages(&mut reader, &keys, file_len, path)?;
    Ok((tensors, Storages::Legacy { reader, places }))
}

fn check_machine(facts: &Value, path: &Path) -> Result<(), DataError> {
    let is_little = |(key, value): &(Value, Value)| match (key, value) {
        (Value::Text(key), Value::Bool(value)) if &**key == "little_endian" => Some(*value),
        _ => None,
    };
    let little = match facts {
        Value::Dict(facts) => facts.iter().find_map(is_little),
        _ => None,
    };
    match little {
        Some(true) => Ok(()),
        Some(false) => Err(DataError::ByteOrder {
            path: path.to_owned(),
            found: "big".to_owned(),
        }),
        None => Err(DataError::Malformed {
            path: path.to_owned(),
            found: "its header does not state the byte order".to_owned(),
        }),
    }
}

fn walk_storages<R: Read + Seek>(
    reader: &mut R,
    keys: &Value,
    file_len: u64,
    path: &Path,
) -> Result<HashMap<String, (u64, u64)>, DataError> {
    let Value::List(keys) = keys else {
        let found = format!(
            "{} stands where the list of storages should",
            keys.describe()
        );
        return Err(DataError::Malformed {
            path: path.to_owned(),
            found,
        });
    };
    let mut places = HashMap::new();
    for key in keys.iter() {
        let Value::Text(key) = key else { continue };
        let part = format!("storage {key}");
        let mut walk = || -> io::Result<Option<(u64, u64)>> {
            let mut len = [0; 8];
            reader.read_exact(&mut len)?;
            let (start, len) = (reader.stream_position()?, u64::from_le_bytes(len));
            let Some(end) = start.checked_add(len).filter(|end| *end <= file_len) else {
                return Ok(None);
            };
            reader.seek(SeekFrom::Start(end))?;
            Ok(Some((start, len)))
        };
        match walk().map_err(|error| read_error(error, path, &part))? {
            Some(place) => places.insert(key.to_string(), place),
            None => return Err(truncated(path, &part)),
        };
    }
    Ok(places)
}

impl<R: Read + Seek> Storages<R> {
    pub fn read(&mut self, storage: &Storage, path: &Path) -> Result<Vec<u8>, DataError> {
        let key = &*storage.key;
        let part = format!("storage {key}");
        let bytes = match self {
            Storages::Zip {
                archive,
                root,
                file_len,
            } => read_entry(archive, &format!("{root}data/{key}"), *file_len, path)?,
            Storages::Legacy { reader, places } => {
                let Some(&(start, len)) = places.get(key) else {
                    let found = format!("{part} is missing");
                    return Err(DataError::Malformed {
                        path: path.to_owned(),
                        found,
                    });
                };
                let mut bytes = vec![0; len as usize];
                reader
                    .seek(SeekFrom::Start(start))
                    .and_then(|_| reader.read_exact(&mut bytes))
                    .map_err(|error| read_error(error, path, &part))?;
                bytes
            }
        };
        if bytes.len() != storage.len {
            let found = format!(
                "{part} holds {} bytes, its tensor says {}",
                bytes.len(),
                storage.len
            );
            return Err(DataError::Malformed {
                path: path.to_owned(),
                found,
            });
        }
        Ok(bytes)
    }
}

/// Errors of the operating system pass through; an early end and a failed checksum get their own
/// words.
pub(super) fn read_error(source: io::Error, path: &Path, part: &str) -> DataError {
    if source.kind() == ErrorKind::UnexpectedEof {
        return truncated(path, part);
    }
    if source.raw_os_error().is_some() {
        return DataError::Io {
            path: path.to_owned(),
            source,
        };
    }
    DataError::Malformed {
        path: path.to_owned(),
        found: format!("{part}: {source}"),
    }
}

fn truncated(path: &Path, part: &str) -> DataError {
    DataError::Truncated {
        path: path.to_owned(),
        part: part.to_owned(),
    }
}
