//! Where files go, and what they replace.
#![cfg(target_os = "linux")]

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;

use n2n_files::{is_stream, remove_unfinished, write_atomically, write_atomically_with};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_link_stays_and_its_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("far")).unwrap();
    fs::write(at("far/old"), "old").unwrap();
    symlink("far/old", at("link")).unwrap();
    symlink("link", at("link to a link")).unwrap();
    symlink("far/none", at("dangling")).unwrap();
    let inode = |name: &str| fs::metadata(at(name)).unwrap().ino();
    let before = inode("far/old");
    write_atomically(&at("link to a link"), b"new").unwrap();
    write_atomically(&at("dangling"), b"first").unwrap();
    assert_eq!(fs::read(at("far/old")).unwrap(), b"new");
    assert_ne!(inode("far/old"), before, "replaced, not written over");
    assert_eq!(fs::read(at("far/none")).unwrap(), b"first");
    for link in ["link", "link to a link", "dangling"] {
        assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
    }
    symlink("circle", at("circle")).unwrap();
    let error = write_atomically(&at("circle"), b"new").unwrap_err();
    assert!(error.to_string().contains("too many links"), "{error}");
    let error = write_atomically(&at("far"), b"new").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::IsADirectory);
    assert_eq!(names(&at("far")), ["none", "old"]);
}

#[test]
fn devices_and_pipes_are_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader = thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    write_atomically(&pipe, b"through").unwrap();
    assert_eq!(reader.join().unwrap(), b"through");
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());

    let device = folder.path().join("device");
    symlink("/dev/null", &device).unwrap();
    write_atomically(&device, b"gone").unwrap();
    assert!(
        fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
    let error = write_atomically(Path::new("/dev/full"), b"no room").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert!(is_stream(&device) && is_stream(&pipe) && !is_stream(folder.path()));
}

#[test]
fn an_open_file_keeps_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, "printed, ").unwrap();
    let mut open = File::open(&path).unwrap();
    let link = folder.path().join("link");
    symlink(format!("/proc/self/fd/{}", open.as_raw_fd()), &link).unwrap();
    write_atomically(&link, b"appended").unwrap();
    let mut text = String::new();
    open.read_to_string(&mut text).unwrap();
    assert_eq!(text, "printed, appended");
}

#[test]
fn permissions_are_those_of_the_old_file_or_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let [input, output] = ["input", "output"].map(|name| folder.path().join(name));
    for (of_input, of_output) in [(0o600, 0o400), (0o640, 0o444)] {
        fs::write(&input, "").unwrap();
        fs::set_permissions(&input, Permissions::from_mode(of_input)).unwrap();
        let write = || {
            write_atomically_with::<()>(&output, Some(&input), |_| Ok(()))
                .unwrap()
                .unwrap();
        };
        write();
        assert_eq!(mode(&output), of_input);
        fs::set_permissions(&output, Permissions::from_mode(of_output)).unwrap();
        write();
        assert_eq!(mode(&output), of_output);
        fs::remove_file(&output).unwrap();
    }
}

#[test]
fn only_what_nobody_writes_is_left_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".unfinished-abc"), "half").unwrap();
    fs::write(folder.path().join("whole"), "").unwrap();
    let output = folder.path().join("output");
    write_atomically_with::<()>(&output, None, |_| {
        remove_unfinished(folder.path());
        let names = names(folder.path());
        assert_eq!(names.len(), 2, "the file in work, and whole: {names:?}");
        assert!(!names.contains(&".unfinished-abc".to_owned()));
        Ok(())
    })
    .unwrap()
    .unwrap();
    assert_eq!(names(folder.path()), ["output", "whole"]);
    remove_unfinished(&folder.path().join("none"));
}
