//! Extraction of a set's files from its `.tar.gz`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use flate2::bufread::GzDecoder;
use tar::Archive;

use super::table::{Remote, Unpack};

/// Extracts the files that `rule` selects from the archive `file` in `folder`; returns their folder.
///
/// An archive without a known checksum is deleted if it is not what `rule` describes.
pub fn unpack(file: &Remote, rule: &Unpack, folder: &Path) -> Result<PathBuf> {
    eprintln!("Unpacking {}", file.name);
    let archive = folder.join(&file.name);
    let into = folder.join("unpacked");
    if into.exists() {
        fs::remove_dir_all(&into).with_context(|| format!("cannot delete {}", into.display()))?;
    }
    if let Err(error) = extract(&archive, rule, &into) {
        if file.sha256.is_none() {
            fs::remove_file(&archive)?;
        }
        return Err(error.context(format!("cannot unpack {}", archive.display())));
    }
    Ok(into.join(&rule.from))
}

fn extract(archive: &Path, rule: &Unpack, into: &Path) -> Result<()> {
    fs::create_dir(into)?;
    let mut tar = Archive::new(GzDecoder::new(io::BufReader::new(File::open(archive)?)));
    tar.set_preserve_mtime(false);
    tar.set_overwrite(false);
    let mut files = 0;
    for entry in tar.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let extension = path.extension().unwrap_or_default();
        if !path
            .strip_prefix(".")
            .unwrap_or(&path)
            .starts_with(&rule.from)
            || !extension.eq_ignore_ascii_case(&rule.extension)
        {
            continue;
        }
        let name = path.display();
        // A link could lead a later file out of the folder.
        ensure!(
            entry.header().entry_type().is_file(),
            "{name} is not a file"
        );
        // `false` is a name with `..`.
        ensure!(entry.unpack_in(into)?, "{name} leads out of the archive");
        files += 1;
    }
    // The checksum of the compressed data follows the end of the archive.
    io::copy(&mut tar.into_inner(), &mut io::sink())?;
    let (from, extension, expected) = (&rule.from, &rule.extension, rule.files);
    ensure!(
        files == expected,
        "it has {files} files `{from}/**.{extension}` instead of {expected}"
    );
    Ok(())
}
