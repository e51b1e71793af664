//! The older form of `torch.save`: a stream of pickles, then the bytes of the storages.
//!
//! A magic number, a protocol number, facts about the machine, the object and the list of storage keys, each of them
//! a pickle; then for each key its number of elements (int64, little-endian) and the elements.
//!
//! A storage that was pickled by itself is such a file, with the storage as its object, within the pickle.

use std::{
    collections::HashMap,
    io::{self, Cursor, Read, Seek, SeekFrom},
    path::Path,
    rc::Rc,
};

use super::{
    content::Content,
    pickle::Loader,
    value::{Pickle, Storage, Value},
};
use crate::{
    FileError,
    input::{malformed, read_error, truncated},
};

/// What the first pickle of the older form holds.
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;

/// The only protocol number of the older form.
const PROTOCOL: i128 = 1001;

/// Most instructions of a pickle beside a single storage: they take about 30.
const MOST_OF_STORAGE: usize = 256;

/// Position and length of the bytes of each key.
pub(super) type Parts = HashMap<String, (u64, u64)>;

/// Whether the first pickle of a file says that the file is of this form.
pub(super) fn is_magic(first: &Value) -> bool {
    matches!(first, Value::Int(MAGIC))
}

/// Reads the object of a file of `file_len` bytes, behind its magic number, and finds the bytes of its storages.
pub(super) fn open_legacy<R: Read + Seek>(
    reader: &mut R,
    file_len: u64,
    loader: Loader<'_>,
) -> Result<(Pickle, Parts), FileError> {
    let path = loader.path;
    match loader.load(reader)?.value {
        Value::Int(PROTOCOL) => (),
        _ => return Err(loader.content.not_torch(path)),
    }
    check_machine(&loader.load(reader)?, path)?;
    let pickle = loader.load(reader)?;
    let keys = loader.load(reader)?;
    let parts = walk_storages(reader, &pickle, &keys, file_len, path)?;
    Ok((pickle, parts))
}

/// A storage that is a file within a pickle: the place of its bytes in that file, and the storage under the key
/// `key`.
pub(super) fn open_storage(
    bytes: &[u8],
    key: &str,
    content: Content,
    path: &Path,
) -> Result<(Storage, (u64, u64)), FileError> {
    let odd = |found: &str| malformed(path, format!("storage {key} in its pickle {found}"));
    let loader = Loader {
        most_instructions: MOST_OF_STORAGE,
        ..Loader::new(content, path)
    };
    let mut reader = Cursor::new(bytes);
    if bytes.first() != Some(&0x80) || !is_magic(&loader.load(&mut reader)?.value) {
        return Err(odd("is not of the older form of torch.save"));
    }
    let (pickle, parts) = open_legacy(&mut reader, bytes.len() as u64, loader)?;
    let Value::Storage(storage) = &pickle.value else {
        return Err(odd(&format!(
            "holds {}",
            pickle.containers.describe(&pickle.value)
        )));
    };
    let Some(part) = parts.get(&*storage.key) else {
        return Err(odd("has no bytes"));
    };
    let storage = Storage {
        element: storage.element,
        key: Rc::from(key),
        len: storage.len,
    };
    Ok((storage, *part))
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
