//! Whole downloads, from a server on the loopback interface.

pub mod archive;
mod faults;
mod server;

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use self::archive::{Item, targz};
use self::server::{Reply, Server};
use super::download::{Client, Patience};
use super::table::{Remote, Set, Unpack};
use super::*;

const NAME: &str = "images.tgz";

/// A client that soon gives up.
fn client() -> Client {
    let patience = Patience {
        stall: Duration::from_millis(300),
        pause: Duration::from_millis(1),
        attempts: 3,
    };
    Client::new(patience, None)
}

fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// An archive whose size no buffer divides: some images and something else.
fn images() -> Vec<u8> {
    let noise: String = (0..40_000u32)
        .map(|i| char::from(b'!' + (i.wrapping_mul(2_654_435_761) >> 26) as u8))
        .collect();
    targz(&[
        Item::File("top/images/train/1.png", "one"),
        Item::File("top/images/test/2.png", noise.leak()),
        Item::File("top/readme", "more"),
    ])
}

/// The set that [`images`] holds, at `url`.
fn set(url: &str, archive: &[u8], published: bool) -> Set {
    Set {
        name: "set".into(),
        about: "A set".into(),
        licence: "none".into(),
        shape: "2 images".into(),
        addresses: vec![format!("{url}/")],
        files: vec![Remote {
            name: NAME.into(),
            bytes: published.then_some(archive.len() as u64),
            sha256: published.then(|| digest(archive)),
        }],
        unpack: Some(Unpack {
            from: "top/images".into(),
            extension: "png".into(),
            files: 2,
        }),
    }
}

fn fetch_into(set: &Set, folder: &Path) -> Result<Outcome> {
    fetch(set, folder, &client(), None)
}

/// The text of the error of fetching `set` into `folder`, where nothing may then look like a set.
fn failure(set: &Set, folder: &Path) -> String {
    let error = fetch_into(set, folder).unwrap_err();
    assert!(!folder.join("set").exists());
    format!("{error:#}")
}

/// Leaves `bytes` in `folder` as an interrupted download of the version `tag` would.
fn interrupted(folder: &TempDir, bytes: &[u8], tag: &str) {
    let part = folder.path().join("set.part");
    fs::create_dir(&part).unwrap();
    fs::write(part.join(format!("{NAME}.part")), bytes).unwrap();
    fs::write(part.join(format!("{NAME}.part.version")), tag).unwrap();
}

/// Asserts that `folder` holds the whole set of [`images`] and nothing besides.
fn assert_whole(folder: &TempDir) {
    let names = |path: &Path| {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let folder = folder.path();
    assert_eq!(names(folder), ["set", "set.sha256"]);
    assert_eq!(names(&folder.join("set")), ["test", "train"]);
    assert_eq!(names(&folder.join("set/train")), ["1.png"]);
    assert_eq!(names(&folder.join("set/test")), ["2.png"]);
    assert_eq!(fs::read(folder.join("set/train/1.png")).unwrap(), b"one");
}

#[test]
fn an_archive_becomes_a_folder_and_stays_one() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let server = Server::honest(archive.clone());
    let set = set(&server.url, &archive, true);
    assert_eq!(
        list(&[set_of_unknown_size(), clone(&set)], Path::new("d")),
        LIST
    );

    assert_eq!(
        fetch_into(&set, folder.path()).unwrap(),
        Outcome::Downloaded
    );
    assert_whole(&folder);
    assert_eq!(server.begun(), [None]);
    assert_eq!(server.sent(), archive.len());
    let sums = fs::read_to_string(folder.path().join("set.sha256")).unwrap();
    let lines: Vec<&str> = sums.lines().collect();
    assert_eq!(
        lines[0],
        format!("# downloaded: {}  {NAME}", digest(&archive))
    );
    assert_eq!(lines[2], format!("{}  set/train/1.png", digest(b"one")));

    assert_eq!(
        fetch_into(&set, folder.path()).unwrap(),
        Outcome::AlreadyThere
    );
    assert_eq!(server.begun().len(), 1);
    assert!(list(&[set], folder.path()).contains("set   yes"));
}

const LIST: &str = "\
name   here     size  folder   licence
other  no    unknown  d/other  none
set    no     0.0 MB  d/set    none

`cargo xtask dataset NAME` downloads one.
";

fn set_of_unknown_size() -> Set {
    Set {
        name: "other".into(),
        ..set("", &[], false)
    }
}

fn clone(other: &Set) -> Set {
    Set {
        files: vec![Remote {
            name: NAME.into(),
            bytes: other.files[0].bytes,
            sha256: other.files[0].sha256.clone(),
        }],
        ..set("", &[], true)
    }
}

#[test]
fn files_without_an_archive_are_the_set() {
    let folder = TempDir::new().unwrap();
    let server = Server::new(|request, _| Reply::whole(request.path.as_bytes()));
    let file = |name: &str| Remote {
        name: name.into(),
        bytes: Some(6),
        sha256: Some(digest(format!("/{name}").as_bytes())),
    };
    let set = Set {
        files: vec![file("1.png"), file("2.png")],
        unpack: None,
        ..set(&server.url, &[], true)
    };
    fetch_into(&set, folder.path()).unwrap();
    let second = folder.path().join("set").join("2.png");
    assert_eq!(fs::read(second).unwrap(), b"/2.png");
    assert!(!folder.path().join("set.part").exists());
    assert_eq!(
        training_command(&set, Path::new("a b")),
        format!(
            "cargo xtask train --data \"{}\"",
            Path::new("a b").join("set").display()
        )
    );
}

#[test]
fn another_base_replaces_the_addresses() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let server = Server::honest(archive.clone());
    let set = set("http://nowhere.invalid", &archive, true);
    let base = format!("{}/mirror/", server.url);
    fetch(&set, folder.path(), &client(), Some(&base)).unwrap();
    assert_eq!(server.requests()[0].path, "/mirror/images.tgz");
    assert_whole(&folder);
}

#[test]
fn only_the_missing_bytes_are_asked_for() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    interrupted(&folder, &archive[..1000], "\"v1\"");
    let server = Server::honest(archive.clone());
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert_eq!(server.begun(), [Some(1000)]);
    assert_eq!(server.requests()[0].if_range.as_deref(), Some("\"v1\""));
    assert_eq!(server.sent(), archive.len() - 1000);
    assert_whole(&folder);
}

#[test]
fn a_complete_part_needs_no_request() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    interrupted(&folder, &archive, "");
    let server = Server::honest(archive.clone());
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert_eq!(server.begun(), []);
    assert_whole(&folder);
}

#[test]
fn a_damaged_part_is_downloaded_anew() {
    let archive = images();
    let mut damaged = archive.clone();
    damaged[10] ^= 1;
    for (part, first) in [(1000, vec![Some(1000), None]), (archive.len(), vec![None])] {
        let folder = TempDir::new().unwrap();
        interrupted(&folder, &damaged[..part], "\"v1\"");
        let server = Server::honest(archive.clone());
        fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
        assert_eq!(server.begun(), first);
        assert_whole(&folder);
    }
}

#[test]
fn a_part_longer_than_the_file_is_dropped() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let longer = [archive.as_slice(), b"more"].concat();
    interrupted(&folder, &longer, "\"v1\"");
    let server = Server::honest(archive.clone());
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert_eq!(server.begun(), [None]);
    assert_whole(&folder);
}

#[test]
fn a_part_of_another_version_is_replaced() {
    for published in [true, false] {
        let (folder, archive) = (TempDir::new().unwrap(), images());
        interrupted(&folder, &[7; 1000], "\"v0\"");
        let server = Server::honest(archive.clone());
        fetch_into(&set(&server.url, &archive, published), folder.path()).unwrap();
        assert_eq!(server.begun(), [Some(1000)]);
        assert_eq!(server.sent(), archive.len());
        assert_whole(&folder);
    }
}

#[test]
fn a_part_that_nothing_vouches_for_is_dropped() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    interrupted(&folder, &archive[..1000], "");
    let server = Server::honest(archive.clone());
    fetch_into(&set(&server.url, &archive, false), folder.path()).unwrap();
    assert_eq!(server.begun(), [None]);
    assert_whole(&folder);
}

#[test]
fn the_first_download_is_recorded_and_the_next_compared() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let server = Server::honest(archive.clone());
    fetch_into(&set(&server.url, &archive, false), folder.path()).unwrap();
    assert_whole(&folder);
    fs::remove_dir_all(folder.path().join("set")).unwrap();

    let other = targz(&[
        Item::File("top/images/1.png", "eins"),
        Item::File("top/images/2.png", "zwei"),
    ]);
    let changed = Server::honest(other.clone());
    let set_now = set(&changed.url, &other, false);
    let error = failure(&set_now, folder.path());
    assert!(error.contains(&format!("expected SHA-256 {}", digest(&archive))));
    assert!(error.contains(&format!("got      SHA-256 {}", digest(&other))));
    let sums = folder.path().join("set.sha256");
    assert!(
        error.contains(&format!("delete {}", sums.display())),
        "{error}"
    );

    fetch_into(&set(&server.url, &archive, false), folder.path()).unwrap();
    assert_whole(&folder);
    fs::remove_dir_all(folder.path().join("set")).unwrap();
    fs::remove_file(sums).unwrap();
    fetch_into(&set_now, folder.path()).unwrap();
}

#[test]
fn a_finished_set_is_checked() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let server = Server::honest(archive.clone());
    let set = set(&server.url, &archive, true);
    fetch_into(&set, folder.path()).unwrap();
    let image = folder.path().join("set/train/1.png");

    fs::write(&image, "two").unwrap();
    let error = fetch_into(&set, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("1.png has changed since its download; delete "),
        "{error}"
    );
    assert!(error.contains(&digest(b"one")) && error.contains(&digest(b"two")));

    fs::remove_file(&image).unwrap();
    let error = fetch_into(&set, folder.path()).unwrap_err().to_string();
    assert!(error.contains("1.png is missing; delete "), "{error}");
    assert_eq!(server.begun().len(), 1);
}

#[test]
fn a_folder_of_the_same_name_is_left_alone() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    fs::create_dir(folder.path().join("set")).unwrap();
    fs::write(folder.path().join("set/mine.png"), "mine").unwrap();
    let server = Server::honest(archive.clone());
    let set = set(&server.url, &archive, true);
    let error = fetch_into(&set, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("set is not the work of this command"),
        "{error}"
    );
    assert_eq!(
        fs::read(folder.path().join("set/mine.png")).unwrap(),
        b"mine"
    );
    assert_eq!(server.begun(), []);
    assert!(list(&[set], folder.path()).contains("set   other"));
}

#[test]
fn leftovers_of_unpacking_are_not_taken_over() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let unfinished = folder.path().join("set.part/set");
    fs::create_dir_all(unfinished.join("train")).unwrap();
    fs::write(unfinished.join("train/old.png"), "old").unwrap();
    let server = Server::honest(archive.clone());
    let set = set(&server.url, &archive, true);
    assert!(list(&[clone(&set)], folder.path()).contains("set   partly"));
    fetch_into(&set, folder.path()).unwrap();
    assert_whole(&folder);
}

#[test]
fn a_second_run_at_once_is_refused() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let server = Server::honest(archive.clone());
    let set = set(&server.url, &archive, true);
    let lock = Place::new(folder.path(), "set").lock().unwrap();
    let error = failure(&set, folder.path());
    assert!(
        error.starts_with("another run is downloading into "),
        "{error}"
    );
    drop(lock);
    fetch_into(&set, folder.path()).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let file = folder.path().join("file");
    File::create(&file).unwrap();
    let server = Server::honest(archive.clone());
    let error = failure(&set(&server.url, &archive, true), &file);
    let part = file.join("set.part");
    assert!(
        error.starts_with(&format!("making the folder {}: ", part.display())),
        "{error}"
    );
    assert_eq!(server.begun(), []);
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let part = folder.path().join("set.part").join(format!("{NAME}.part"));
    fs::create_dir_all(&part).unwrap();
    let server = Server::honest(archive.clone());
    let error = failure(&set(&server.url, &archive, false), folder.path());
    assert!(error.contains(&part.display().to_string()), "{error}");
    assert!(server.begun().len() <= 1, "trying again cannot help");
}

#[test]
fn a_dangerous_archive_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let archive = targz(&[
        Item::File("top/images/1.png", "one"),
        Item::File("top/images/../../../evil.png", "evil"),
    ]);
    let server = Server::honest(archive.clone());
    let sets = folder.path().join("sets");
    let error = failure(&set(&server.url, &archive, false), &sets);
    assert!(error.contains("leads out of the archive"), "{error}");
    assert!(!folder.path().join("evil.png").exists() && !sets.join("evil.png").exists());
    assert!(!sets.join("set.sha256").exists(), "it must not be trusted");
    assert!(
        !sets.join("set.part").join(NAME).exists(),
        "it must not be used again"
    );
}
