//! SHA-256 of files, and the list of them that is kept beside a set.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// The SHA-256 of the file at `path`, in lower-case hexadecimal digits.
pub fn sha256(path: &Path) -> Result<String> {
    let digest = || -> io::Result<_> {
        let mut hasher = Sha256::new();
        io::copy(&mut File::open(path)?, &mut hasher)?;
        Ok(hasher.finalize())
    };
    let digest = digest().with_context(|| format!("reading {}", path.display()))?;
    Ok(format!("{digest:x}"))
}

/// What every file of a set must look like, and what it was made of.
///
/// Written as `sha256sum` writes it and checks it. The downloads are gone once a set is finished,
/// so their lines are comments to that program.
#[derive(Debug, Default, PartialEq)]
pub struct Sums {
    /// Of each downloaded file, by its name.
    pub downloads: BTreeMap<String, String>,
    /// Of each file of the set, by its path from the folder of the sets, with `/`.
    pub files: BTreeMap<String, String>,
}

const DOWNLOAD: &str = "# downloaded: ";

impl Sums {
    /// The sums at `path`; `None` where there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let sums = Self::parse(&text);
        sums.map(Some).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut sums = Self::default();
        for line in text.lines() {
            let (line, sums) = match line.strip_prefix(DOWNLOAD) {
                Some(line) => (line, &mut sums.downloads),
                None => (line, &mut sums.files),
            };
            match line.split_once("  ") {
                Some((digest, name)) => sums.insert(name.to_owned(), digest.to_owned()),
                None => bail!("`{line}` is not a checksum and a name"),
            };
        }
        Ok(sums)
    }

    /// Replaces the file at `path` in one step.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = String::new();
        for (name, digest) in &self.downloads {
            writeln!(text, "{DOWNLOAD}{digest}  {name}")?;
        }
        for (name, digest) in &self.files {
            writeln!(text, "{digest}  {name}")?;
        }
        let unfinished = path.with_extension("sha256.part");
        fs::write(&unfinished, text)
            .and_then(|()| fs::rename(&unfinished, path))
            .with_context(|| format!("writing {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        // The example of FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256(&path).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let error = sha256(&folder.path().join("none")).unwrap_err();
        assert!(error.to_string().starts_with("reading "), "{error}");
    }

    #[test]
    fn sums_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.sha256");
        assert_eq!(Sums::read(&path).unwrap(), None);
        let mut sums = Sums::default();
        sums.downloads.insert("a b.tgz".into(), "0a".into());
        sums.files.insert("set/train/1  2.png".into(), "1b".into());
        sums.write(&path).unwrap();
        assert_eq!(Sums::read(&path).unwrap(), Some(sums));
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "# downloaded: 0a  a b.tgz\n1b  set/train/1  2.png\n"
        );
    }

    #[test]
    fn other_text_is_refused() {
        assert!(Sums::parse("<html>").is_err());
    }
}
