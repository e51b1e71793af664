//! The two forms of `torch.save`.
//!
//! The newer is a zip archive with a pickle (`<name>/data.pkl`) and one stored entry per tensor
//! storage (`<name>/data/<key>`). The older is a stream: a magic number, a protocol number, facts
//! about the machine, the object and the list of storage keys, each of them a pickle, then for each
//! key its number of elements (int64, little-endian) and the elements.

use std::{
    collections::HashMap,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    rc::Rc,
    sync::Arc,
};

use ::zip::{CompressionMethod, ZipArchive, read::ZipFile};

use super::{
    content::Content,
    pickle,
    value::{Pickle, Storage, Value},
};
use crate::{
    FileError,
    input::{malformed, read_error, truncated},
    zip::{open_archive, zip_error},
};

/// What the first pickle of the older form holds.
const LEGACY_MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;

/// The only protocol number of the older form.
const LEGACY_PROTOCOL: i128 = 1001;

/// The bytes of the tensors, read once for all that view them.
pub(super) struct Storages<R> {
    place: Place<R>,
    file_len: u64,
    loaded: HashMap<Rc<str>, Arc<Vec<u8>>>,
}

/// Where the bytes are.
enum Place<R> {
    Zip {
        archive: ZipArchive<R>,
        root: String,
    },
    Legacy {
        reader: R,
        parts: Parts,
    },
}

/// Position and length of the bytes of each key.
type Parts = HashMap<String, (u64, u64)>;

/// Reads the object that `torch.save` was given, and finds the bytes of its tensors.
pub(super) fn open_storages<R: Read + Seek>(
    mut reader: R,
    content: Content,
    path: &Path,
) -> Result<(Pickle, Storages<R>), FileError> {
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
    let (pickle, place) = match start {
        [b'P', b'K'] => open_zip(reader, content, path)?,
        [0x80, _] => open_legacy(reader, file_len, content, path)?,
        _ => return Err(not_torch(content, path)),
    };
    let storages = Storages {
        place,
        file_len,
        loaded: HashMap::new(),
    };
    Ok((pickle, storages))
}

fn not_torch(content: Content, path: &Path) -> FileError {
    FileError::NotTorchSave {
        path: path.to_owned(),
        way_out: content.way_out(),
    }
}

fn open_zip<R: Read + Seek>(
    reader: R,
    content: Content,
    path: &Path,
) -> Result<(Pickle, Place<R>), FileError> {
    let mut archive = open_archive(reader, content.max_entries(), path)?;
    let pickle_name = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .find(|name| name.ends_with("/data.pkl"));
    let pickle_name = pickle_name.ok_or_else(|| not_torch(content, path))?;
    let root = pickle_name.trim_end_matches("data.pkl").to_owned();
    check_byte_order(&mut archive, &root, path)?;
    let bytes = read_entry(&mut archive, &pickle_name, pickle::MAX_BYTES, path)?;
    let pickle = pickle::load(bytes.as_slice(), content, path)?;
    Ok((pickle, Place::Zip { archive, root }))
}

/// Files of PyTorch before 2.0 have no such entry and were all little-endian.
fn check_byte_order<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    root: &str,
    path: &Path,
) -> Result<(), FileError> {
    let name = format!("{root}byteorder");
    if archive.index_for_name(&name).is_none() {
        return Ok(());
    }
    // The two words in use, "little" and "big", are shorter.
    let order = read_entry(archive, &name, 16, path)?;
    match order.as_slice() {
        b"little" => Ok(()),
        other => Err(FileError::ByteOrder {
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
) -> Result<Vec<u8>, FileError> {
    let Some(index) = archive.index_for_name(name) else {
        let found = format!("{name} is missing from the zip archive");
        return Err(malformed(path, found));
    };
    let zip_error = |error| zip_error(error, path, name);
    let method = archive
        .by_index_raw(index)
        .map_err(zip_error)?
        .compression();
    if method != CompressionMethod::Stored {
        return Err(FileError::CompressedEntry {
            path: path.to_owned(),
            entry: name.to_owned(),
            method: method.to_string(),
        });
    }
    let entry = archive.by_index(index).map_err(zip_error)?;
    let len = entry.size();
    if len > max_len {
        let found = format!("{name} holds {len} bytes, more than the {max_len} expected");
        return Err(malformed(path, found));
    }
    read_to_checksum(entry, len as usize, path, name)
}

fn read_to_checksum<R: Read>(
    entry: ZipFile<'_, R>,
    len: usize,
    path: &Path,
    name: &str,
) -> Result<Vec<u8>, FileError> {
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
    content: Content,
    path: &Path,
) -> Result<(Pickle, Place<R>), FileError> {
    let mut load = || pickle::load(&mut reader, content, path);
    match load().map(|pickle| pickle.value) {
        Ok(Value::Int(LEGACY_MAGIC)) => (),
        Ok(_)
        | Err(
            FileError::Malformed { .. }
            | FileError::NotPairs { .. }
            | FileError::NotStateDict { .. },
        ) => return Err(not_torch(content, path)),
        Err(other) => return Err(other),
    }
    match load()?.value {
        Value::Int(LEGACY_PROTOCOL) => (),
        _ => return Err(not_torch(content, path)),
    }
    check_machine(&load()?, path)?;
    let pickle = load()?;
    let keys = load()?;
    let parts = walk_storages(&mut reader, &pickle, &keys, file_len, path)?;
    Ok((pickle, Place::Legacy { reader, parts }))
}

fn check_machine(facts: &Pickle, path: &Path) -> Result<(), FileError> {
    let is_little = |(key, value): &(Value, Value)| match (key, value) {
        (Value::Text(key), Value::Bool(value)) if &**key == "little_endian" => Some(*value),
        _ => None,
    };
    let entries = facts.containers.entries(&facts.value);
    match entries.and_then(|entries| entries.iter().find_map(is_little)) {
        Some(true) => Ok(()),
        Some(false) => Err(FileError::ByteOrder {
            path: path.to_owned(),
            found: "big".to_owned(),
        }),
        None => Err(malformed(path, "its header does not state the byte order")),
    }
}

/// Finds the bytes of each storage: the file only says how many elements each has.
fn walk_storages<R: Read + Seek>(
    reader: &mut R,
    pickle: &Pickle,
    keys: &Pickle,
    file_len: u64,
    path: &Path,
) -> Result<Parts, FileError> {
    let (Value::List(_), Some(items)) = (&keys.value, keys.containers.items(&keys.value)) else {
        let found = format!(
            "{} stands where the list of storages should",
            keys.containers.describe(&keys.value)
        );
        return Err(malformed(path, found));
    };
    let mut parts = Parts::new();
    for key in items {
        let Value::Text(key) = key else { continue };
        let Some(storage) = pickle.storages.get(key) else {
            return Err(malformed(path, format!("no tensor has its storage {key}")));
        };
        let part = format!("storage {key}");
        let mut walk = || -> io::Result<Option<(u64, u64)>> {
            let mut len = [0; 8];
            reader.read_exact(&mut len)?;
            let start = reader.stream_position()?;
            let len = u64::from_le_bytes(len).checked_mul(storage.element.bytes as u64);
            let end = len.and_then(|len| start.checked_add(len));
            let Some(end) = end.filter(|end| *end <= file_len) else {
                return Ok(None);
            };
            reader.seek(SeekFrom::Start(end))?;
            Ok(Some((start, end - start)))
        };
        match walk().map_err(|error| read_error(error, path, &part))? {
            Some(place) => parts.insert(key.to_string(), place),
            None => return Err(truncated(path, &part)),
        };
    }
    Ok(parts)
}

impl<R: Read + Seek> Storages<R> {
    /// Bytes of the file: more than all storages together take.
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// The bytes of a storage.
    pub fn read(&mut self, storage: &Storage, path: &Path) -> Result<Arc<Vec<u8>>, FileError> {
        let key = &storage.key;
        let part = format!("storage {key}");
        let bytes = match self.loaded.get(key) {
            Some(bytes) => Arc::clone(bytes),
            None => Arc::new(self.place.read(key, &part, self.file_len, path)?),
        };
        self.loaded.insert(key.clone(), Arc::clone(&bytes));
        let held = bytes.len();
        let expected = storage.len.saturating_mul(storage.element.bytes);
        if held != expected {
            let found = format!("{part} holds {held} bytes, its tensor says {expected}");
            return Err(malformed(path, found));
        }
        // Two entries of an archive may be made to share their bytes.
        let total: u64 = self.loaded.values().map(|bytes| bytes.len() as u64).sum();
        if total > self.file_len {
            let found = format!("its storages overlap: they hold {total} bytes, more than itself");
            return Err(malformed(path, found));
        }
        Ok(bytes)
    }
}

impl<R: Read + Seek> Place<R> {
    fn read(
        &mut self,
        key: &str,
        part: &str,
        file_len: u64,
        path: &Path,
    ) -> Result<Vec<u8>, FileError> {
        match self {
            Place::Zip { archive, root } => {
                read_entry(archive, &format!("{root}data/{key}"), file_len, path)
            }
            Place::Legacy { reader, parts } => {
                let Some(&(start, len)) = parts.get(key) else {
                    return Err(malformed(path, format!("{part} is missing")));
                };
                let mut bytes = vec![0; len as usize];
                reader
                    .seek(SeekFrom::Start(start))
                    .and_then(|_| reader.read_exact(&mut bytes))
                    .map_err(|error| read_error(error, path, part))?;
                Ok(bytes)
            }
        }
    }
}
