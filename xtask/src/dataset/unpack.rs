//! Takes the files of a set out of a `.tar.gz`.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::bufread::GzDecoder;
use tar::{Archive, Entry, EntryType};

use super::table::Unpack;

/// Writes the files that `rule` picks from `archive` into the folder `into`.
///
/// A name that leads out of the archive's own folder condemns the whole archive, and so does a link
/// where files are expected. Everything `rule` does not pick is skipped, never written.
pub fn unpack(archive: &Path, rule: &Unpack, into: &Path) -> Result<()> {
    let unpack = || {
        let file = io::BufReader::new(File::open(archive)?);
        let mut tar = Archive::new(GzDecoder::new(file));
        let mut files = 0;
        for entry in tar.entries()? {
            files += usize::from(write(entry?, rule, into)?);
        }
        // The checksum of the compressed data comes after the end of the archive in it.
        io::copy(&mut tar.into_inner(), &mut io::sink())?;
        ensure!(
            files == rule.files,
            "there are {files} files `{}/**.{}`, not {}",
            rule.from,
            rule.extension,
            rule.files
        );
        Ok(())
    };
    unpack().with_context(|| format!("unpacking {}", archive.display()))
}

/// Writes one entry, if `rule` picks it.
fn write(mut entry: Entry<impl io::Read>, rule: &Unpack, into: &Path) -> Result<bool> {
    let name = safe(&entry.path()?)?;
    let Ok(inside) = name.strip_prefix(&rule.from) else {
        return Ok(false);
    };
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => {}
        EntryType::Directory => return Ok(false),
        other => bail!("{} is neither file nor folder: {other:?}", name.display()),
    }
    let extension = name.extension().unwrap_or_default();
    if !extension.eq_ignore_ascii_case(&rule.extension) {
        return Ok(false);
    }
    let target = into.join(inside);
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    // No mode, owner or time is taken over, and an entry cannot replace an earlier one.
    let mut file = File::create_new(&target).with_context(|| target.display().to_string())?;
    io::copy(&mut entry, &mut file).with_context(|| target.display().to_string())?;
    Ok(true)
}

/// `path`, which must stay inside the folder it is relative to.
fn safe(path: &Path) -> Result<PathBuf> {
    let mut safe = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => safe.push(name),
            Component::CurDir => {}
            _ => bail!("{} leads out of the archive", path.display()),
        }
    }
    Ok(safe)
}

#[cfg(test)]
mod tests {
    use super::super::tests::archive::{Item, targz};
    use super::*;

    fn rule(files: usize) -> Unpack {
        Unpack {
            from: "top/images".into(),
            extension: "png".into(),
            files,
        }
    }

    /// The error of unpacking `items` and the files that were written, by path and contents.
    fn unpacked(items: &[Item], files: usize) -> (Option<String>, Vec<(String, String)>) {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("a.tgz");
        fs::write(&archive, targz(items)).unwrap();
        let into = folder.path().join("deep").join("set");
        fs::create_dir_all(&into).unwrap();
        let error = unpack(&archive, &rule(files), &into).err();
        fs::remove_file(&archive).unwrap();
        let mut written = vec![];
        let mut folders = vec![folder.path().to_path_buf()];
        while let Some(parent) = folders.pop() {
            for entry in fs::read_dir(parent).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder.path()).unwrap();
                    let text = fs::read_to_string(&path).unwrap();
                    written.push((name.to_str().unwrap().replace('\\', "/"), text));
                }
            }
        }
        written.sort();
        (error.map(|error| format!("{error:#}")), written)
    }

    #[test]
    fn only_what_the_rule_picks_is_written() {
        let (error, written) = unpacked(
            &[
                Item::Folder("top/images/"),
                Item::File("./top/images/train/1.png", "one"),
                Item::File("top/images/2.PNG", "two"),
                Item::File("top/images/Thumbs.db", "no"),
                Item::File("top/images.png", "no"),
                Item::File("other/3.png", "no"),
                Item::Link("other/link.png", "/etc/passwd"),
            ],
            2,
        );
        assert_eq!(error, None);
        let expected = [("deep/set/2.PNG", "two"), ("deep/set/train/1.png", "one")];
        assert_eq!(written, expected.map(|(a, b)| (a.into(), b.into())));
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in [
            "../evil.png",
            "top/images/../../../evil.png",
            "other/../../evil",
            "/evil.png",
        ] {
            let (error, written) = unpacked(&[Item::File(name, "evil")], 0);
            let error = error.expect(name);
            assert!(error.contains("leads out of the archive"), "{error}");
            assert_eq!(written, [], "{name}");
        }
    }

    #[test]
    fn links_among_the_files_are_refused() {
        let items = [
            Item::Link("top/images/up.png", "../../.."),
            Item::File("top/images/up.png/evil.png", "evil"),
        ];
        let (error, written) = unpacked(&items, 1);
        assert!(error.unwrap().contains("top/images/up.png is neither file"));
        assert_eq!(written, []);
    }

    #[test]
    fn a_name_twice_is_refused() {
        let items = [
            Item::File("top/images/1.png", "one"),
            Item::File("top/images/1.png", "two"),
        ];
        let (error, written) = unpacked(&items, 2);
        assert!(error.unwrap().contains("1.png"));
        assert_eq!(written, [("deep/set/1.png".into(), "one".into())]);
    }

    #[test]
    fn a_wrong_number_of_files_is_an_error() {
        let (error, _) = unpacked(&[Item::File("top/images/1.png", "one")], 2);
        let error = error.unwrap();
        assert!(
            error.ends_with("there are 1 files `top/images/**.png`, not 2"),
            "{error}"
        );
    }

    #[test]
    fn damage_behind_the_last_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("a.tgz");
        let mut bytes = targz(&[Item::File("top/images/1.png", "one")]);
        // The first byte of the checksum that ends a gzip file.
        let checksum = bytes.len() - 8;
        bytes[checksum] ^= 1;
        fs::write(&archive, bytes).unwrap();
        let into = folder.path().join("set");
        assert!(unpack(&archive, &rule(1), &into).is_err());
    }
}
