//! A file cut anywhere is an error that names it, for every format.

use std::{
    fs::{self, File},
    path::Path,
};

use n2n_files::{FileError, read_attached, read_header, read_picture};
use tempfile::TempDir;

use crate::expected::{data, expected, open_stacks};

/// Calls `check` with a copy of each file cut at up to about 80 places, the first and last bytes
/// all among them, and with what `read` makes of the whole file.
fn for_cut<T>(
    files: &[&str],
    read: impl Fn(&Path) -> Result<T, FileError>,
    mut check: impl FnMut(&Path, Result<T, FileError>, T),
) {
    let folder = TempDir::new().unwrap();
    for file in files {
        let cut = folder.path().join(Path::new(file).file_name().unwrap());
        let len = fs::copy(data(file), &cut).unwrap() as usize;
        let near_end = len.saturating_sub(24).max(24);
        let middle = (24..near_end).step_by(len / 32 + 1);
        let writer = File::options().write(true).open(&cut).unwrap();
        // From the end on, so that cutting is all there is to do.
        for len in (0..24).chain(middle).chain(near_end..len).rev() {
            writer.set_len(len as u64).unwrap();
            check(&cut, read(&cut), read(&data(file)).unwrap());
        }
    }
}

/// Whether the result is right for a cut file: an error that names it, or where pixels may be
/// followed by other things, all that the whole file holds.
fn is_right<T: PartialEq>(path: &Path, found: Result<T, FileError>, whole: T) -> bool {
    match found {
        Ok(found) => path.extension().is_some_and(|extension| extension == "tif") && found == whole,
        Err(error) => error.to_string().contains(path.to_str().unwrap()),
    }
}

fn check_all<T: PartialEq>(files: &[&str], read: impl Fn(&Path) -> Result<T, FileError>) {
    let mut failures = Vec::new();
    for_cut(files, read, |path, found, whole| {
        let len = fs::metadata(path).unwrap().len();
        // Whole records are a shorter file of CIFAR-10.
        let whole_records = path.extension().is_some_and(|extension| extension == "bin")
            && len > 0
            && len.is_multiple_of(3073);
        if !whole_records && !is_right(path, found, whole) {
            failures.push(format!("{} of {len} bytes", path.display()));
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_picture_cut_anywhere_is_an_error() {
    let expected = expected();
    let pictures = expected.pictures.iter();
    let files: Vec<_> = pictures.map(|picture| &*picture.file).collect();
    check_all(&files, |path| {
        // Whatever a cut file makes of its header, it must come back.
        let _ = (read_header(path), read_attached(path));
        read_picture(path)
    });
}

#[test]
fn a_stack_cut_anywhere_is_an_error() {
    let expected = expected();
    let stacks = expected.stacks.iter();
    let files: Vec<_> = stacks.map(|stack| &*stack.file).collect();
    check_all(&files, |path| {
        let mut images = Vec::new();
        for (_, stack) in open_stacks(path)? {
            for index in 0..stack.len() {
                images.push(stack.read(index)?);
            }
        }
        Ok(images)
    });
}
