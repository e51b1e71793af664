//! The part of a file that is here already.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use ureq::Body;
use ureq::http::Response;

use super::Wanted;

/// `FILE.part`, and in `FILE.part.version` what the server called the version it is part of.
pub struct Part {
    pub path: PathBuf,
    version: PathBuf,
}

impl Part {
    pub fn of(target: &Path) -> Self {
        let with = |suffix: &str| {
            let mut path = target.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        };
        Self {
            path: with(".part"),
            version: with(".part.version"),
        }
    }

    /// How many bytes are here.
    pub fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// How many bytes a request may build upon; deletes those that it may not.
    ///
    /// Without a checksum for the whole, only the server can say whether they are still the
    /// beginning of the file.
    pub fn usable(&self, wanted: &Wanted) -> Result<u64> {
        let have = self.bytes();
        let too_many = wanted.bytes.is_some_and(|bytes| have > bytes);
        let unsure = wanted.pin.is_none() && self.validator().is_none();
        if have > 0 && (too_many || unsure) {
            self.clear()?;
            return Ok(0);
        }
        Ok(have)
    }

    /// What the server can recognise the version by.
    pub fn validator(&self) -> Option<String> {
        let version = fs::read_to_string(&self.version).ok()?;
        Some(version).filter(|version| !version.is_empty())
    }

    /// Whether `response` holds what follows the bytes here.
    pub fn is_continued_by(&self, response: &Response<Body>, wanted: &Wanted) -> bool {
        let Some((first, total)) = content_range(response) else {
            return false;
        };
        let same_size = match (total, wanted.bytes) {
            (Some(total), Some(bytes)) => total == bytes,
            _ => true,
        };
        let same_version = match (self.validator(), version(response)) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        first == self.bytes() && same_size && same_version
    }

    /// The file to write `response` to, cut off at `start`.
    pub fn open(&self, start: u64, response: &Response<Body>) -> Result<File> {
        let open = || {
            if start > 0 {
                return File::options().append(true).open(&self.path);
            }
            // The old bytes go before their version does.
            let file = File::create(&self.path)?;
            fs::write(&self.version, version(response).unwrap_or_default())?;
            Ok(file)
        };
        open().map_err(|error| self.error("writing", error))
    }

    /// Deletes the bytes.
    pub fn clear(&self) -> Result<()> {
        for path in [&self.path, &self.version] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(self.error("deleting", error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Gives the complete file its name.
    pub fn finish(&self, target: &Path) -> Result<()> {
        fs::rename(&self.path, target).map_err(|error| self.error("renaming", error))?;
        self.clear()
    }

    pub fn error(&self, doing: &str, error: io::Error) -> Error {
        Error::new(error).context(format!("{doing} {}", self.path.display()))
    }
}

/// A strong `ETag`, else the time of the last change, as `If-Range` takes them.
fn version(response: &Response<Body>) -> Option<String> {
    header(response, "ETag")
        .filter(|tag| !tag.starts_with("W/"))
        .or_else(|| header(response, "Last-Modified"))
        .map(str::to_owned)
}

/// The first byte and the size of the whole in `Content-Range: bytes FIRST-LAST/SIZE`.
pub fn content_range(response: &Response<Body>) -> Option<(u64, Option<u64>)> {
    let range = header(response, "Content-Range")?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()))
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}
