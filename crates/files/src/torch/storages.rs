//! The forms of files with tensors.
//!
//! The newer one of `torch.save` is a zip archive with a pickle (`<name>/data.pkl`) and one stored entry per
//! tensor storage (`<name>/data/<key>`); `legacy` has the older one. `pickle.dump` writes a pickle alone, with the
//! storages in it.

use std::{
    collections::HashMap,
    io::{Read, Seek, SeekFrom},
    path::Path,
    rc::Rc,
    sync::Arc,
};

use ::zip::{CompressionMethod, ZipArchive, read::ZipFile};

use super::{
    content::Content,
    legacy::{self, Parts, open_legacy},
    pickle::Loader,
    value::{Nested, Pickle, Storage},
};
use crate::{
    FileError,
    input::{malformed, read_error, truncated},
    zip::{open_archive, zip_error},
};

/// Protocols of pickles that have tensors: those before are text.
const FIRST_PROTOCOL: u8 = 2;
const LAST_PROTOCOL: u8 = 5;

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
    Pickle {
        parts: HashMap<Rc<str>, Nested>,
    },
}

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
        [0x80, FIRST_PROTOCOL..=LAST_PROTOCOL] => open_pickle(reader, file_len, content, path)?,
        _ => return Err(content.not_torch(path)),
    };
    let storages = Storages {
        place,
        file_len,
        loaded: HashMap::new(),
    };
    Ok((pickle, storages))
}

/// Opens a file that begins with a pickle: one of the older form, or a pickle alone.
fn open_pickle<R: Read + Seek>(
    mut reader: R,
    file_len: u64,
    content: Content,
    path: &Path,
) -> Result<(Pickle, Place<R>), FileError> {
    let open_storage = |bytes: &[u8], key: &str| legacy::open_storage(bytes, key, content, path);
    let loader = Loader {
        open_storage: Some(&open_storage),
        ..Loader::new(content, path)
    };
    let mut first = loader.load(&mut reader)?;
    if legacy::is_magic(&first.value) {
        let loader = Loader::new(content, path);
        let (pickle, parts) = open_legacy(&mut reader, file_len, loader)?;
        return Ok((pickle, Place::Legacy { reader, parts }));
    }
    let parts = std::mem::take(&mut first.nested);
    Ok((first, Place::Pickle { parts }))
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
    let pickle_name = pickle_name.ok_or_else(|| content.not_torch(path))?;
    let root = pickle_name.trim_end_matches("data.pkl").to_owned();
    check_byte_order(&mut archive, &root, path)?;
    let bytes = read_entry(&mut archive, &pickle_name, content.max_bytes(), path)?;
    let pickle = Loader::new(content, path).load(&mut bytes.as_slice())?;
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
            Place::Pickle { parts } => match parts.get(key) {
                Some(nested) => Ok(nested.elements().to_vec()),
                None => Err(malformed(path, format!("{part} is missing"))),
            },
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
