//! Metadata of Zarr, which are JSON.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    FileError,
    input::{malformed, open_file, read_error, unsupported},
};

/// Longest file of metadata, in bytes.
const LONGEST: u64 = 64 << 20;

/// What a file of metadata says.
pub(crate) struct Json {
    pub path: PathBuf,
    pub root: Value,
}

impl Json {
    /// Reads the file, if it is there.
    pub fn read(path: PathBuf) -> Result<Option<Self>, FileError> {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() > LONGEST => {
                let found = format!("{} MiB of metadata", metadata.len() >> 20);
                return Err(unsupported(&path, found, "save it without them"));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            _ => {}
        }
        open_file(&path)?;
        let bytes =
            fs::read(&path).map_err(|error| read_error(error, &path, "the metadata of Zarr"))?;
        match serde_json::from_slice(&bytes) {
            Ok(root) => Ok(Some(Self { path, root })),
            Err(error) => Err(malformed(
                &path,
                format!("its JSON cannot be read: {error}"),
            )),
        }
    }

    /// A contradiction in it.
    pub fn malformed(&self, found: impl Into<String>) -> FileError {
        malformed(&self.path, found)
    }

    /// Something that is not read here.
    pub fn unsupported(&self, found: impl Into<String>, way_out: &'static str) -> FileError {
        unsupported(&self.path, found, way_out)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Result<&Value, FileError> {
        let value = self.root.get(key);
        value.ok_or_else(|| self.malformed(format!("it does not say {key}")))
    }

    /// A list of sizes under the name `key`.
    pub fn sizes(&self, value: Option<&Value>, key: &str) -> Result<Vec<usize>, FileError> {
        let sizes = value.and_then(Value::as_array).and_then(|sizes| {
            let size = |size: &Value| usize::try_from(size.as_u64()?).ok();
            sizes.iter().map(size).collect::<Option<Vec<_>>>()
        });
        sizes.ok_or_else(|| self.malformed(format!("{key} is no list of sizes")))
    }
}

/// A JSON value in few words.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// Whether a folder has a file of this name.
pub(super) fn has(folder: &Path, name: &str) -> bool {
    folder.join(name).is_file()
}
