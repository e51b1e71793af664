//! Downloads from a server on the loopback interface, and hostile archives.

mod server;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use self::server::{Server, honest, reply};
use super::download::Client;
use super::table::{Remote, Set, Unpack};
use super::{fetch, list};

const NAME: &str = "images.tgz";

/// Entry of an archive: path, contents, and the target of a symbolic link.
type Item = (&'static str, &'static str, Option<&'static str>);

fn targz(items: &[Item]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(vec![], Compression::fast()));
    for (name, contents, link) in items {
        let mut header = Header::new_gnu();
        if let Some(target) = link {
            header.set_entry_type(EntryType::Symlink);
            header.set_link_name_literal(target).unwrap();
        }
        // `Header::set_path` refuses the hostile names.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, contents.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// Archive of about 30 kB: two images, and files that do not belong to the set.
fn images() -> Vec<u8> {
    let noise: String = (0..40_000_u32)
        .map(|i| char::from(b'!' + (i.wrapping_mul(2_654_435_761) >> 26) as u8))
        .collect();
    targz(&[
        ("./top/images/train/1.png", "one", None),
        ("top/images/test/2.PNG", noise.leak(), None),
        ("top/images/Thumbs.db", "no", None),
        ("top/images.png", "no", None),
        ("../evil.png", "no", None),
        ("other/link.png", "", Some("/etc/passwd")),
    ])
}

fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Set of two images in `archive` at `url`, with a known size and checksum or without.
fn set(url: &str, archive: &[u8], known: bool) -> Set {
    Set {
        name: "set".into(),
        about: "A set".into(),
        licence: "none".into(),
        shape: "2 images".into(),
        address: format!("{url}/"),
        files: vec![Remote {
            name: NAME.into(),
            bytes: known.then_some(archive.len() as u64),
            sha256: known.then(|| digest(archive)),
        }],
        unpack: Some(Unpack {
            from: "top/images".into(),
            extension: "png".into(),
            files: 2,
        }),
    }
}

fn fetched(set: &Set, folder: &Path) -> Result<()> {
    let (stall, pause) = (Duration::from_millis(300), Duration::from_millis(1));
    fetch(set, folder, &Client::new(stall, pause, None)).map(drop)
}

/// Error of a download into `folder`, after which no set must be there.
fn failure(set: &Set, folder: &Path) -> String {
    let error = fetched(set, folder).unwrap_err();
    assert!(!folder.join("set").exists());
    format!("{error:#}")
}

/// Paths of all files in `folder`, sorted.
fn files(folder: &Path) -> Vec<String> {
    let mut files = vec![];
    let mut folders = vec![folder.to_path_buf()];
    while let Some(parent) = folders.pop() {
        for entry in fs::read_dir(parent).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                files.push(name.replace('\\', "/"));
            }
        }
    }
    files.sort();
    files
}

/// Folder in which a download was interrupted after `bytes`.
fn interrupted(bytes: &[u8]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let part = folder.path().join("set.part");
    fs::create_dir(&part).unwrap();
    fs::write(part.join(format!("{NAME}.part")), bytes).unwrap();
    folder
}

/// Downloads [`images`] into `folder` and checks the set; returns where the requests began.
fn complete(folder: &TempDir, known: bool, server: &Server) -> Vec<Option<usize>> {
    fetched(&set(&server.url, &images(), known), folder.path()).unwrap();
    assert_eq!(files(folder.path()), ["set/test/2.PNG", "set/train/1.png"]);
    let first = fs::read(folder.path().join("set/train/1.png")).unwrap();
    assert_eq!(first, b"one");
    server.begun()
}

#[test]
fn archive_becomes_a_folder() {
    let folder = TempDir::new().unwrap();
    let server = Server::honest(images());
    let set = set(&server.url, &images(), true);
    assert!(list(&[set], folder.path()).contains("set      no         0.0 MB  none"));
    assert_eq!(complete(&folder, true, &server), [None]);
}

#[test]
fn loose_files_become_a_folder() {
    let folder = TempDir::new().unwrap();
    let server = Server::honest(b"image".to_vec());
    let file = |name: &str| Remote {
        name: name.into(),
        bytes: Some(5),
        sha256: Some(digest(b"image")),
    };
    let set = Set {
        files: vec![file("1.png"), file("2.png")],
        unpack: None,
        ..set(&server.url, &[], true)
    };
    fetched(&set, folder.path()).unwrap();
    assert_eq!(files(folder.path()), ["set/1.png", "set/2.png"]);
}

#[test]
fn existing_folder_is_left_alone() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("set")).unwrap();
    fs::write(folder.path().join("set/mine.png"), "mine").unwrap();
    let server = Server::honest(images());
    let set = set(&server.url, &images(), true);
    fetched(&set, folder.path()).unwrap();
    assert_eq!(files(folder.path()), ["set/mine.png"]);
    assert_eq!(server.begun(), []);
    assert!(list(&[set], folder.path()).contains("set      yes"));
}

#[test]
fn download_resumes_at_the_missing_bytes() {
    for known in [true, false] {
        let folder = interrupted(&images()[..1000]);
        let server = Server::honest(images());
        assert_eq!(complete(&folder, known, &server), [Some(1000)]);
    }
}

#[test]
fn part_that_cannot_be_resumed_starts_over() {
    for (status, range, begun) in [
        ("200 OK", "", &[Some(999)][..]),
        ("206 Partial Content", "bytes 0-9/10", &[Some(999), None]),
        ("416 Range Not Satisfiable", "", &[Some(999), None]),
    ] {
        let server = Server::new(move |from, _| {
            let status = if from.is_some() { status } else { "200 OK" };
            let range = format!("Content-Range: {range}\r\n");
            reply(status, &range, &images())
        });
        let folder = interrupted(&[7; 999]);
        assert_eq!(complete(&folder, true, &server), begun);
    }
}

#[test]
fn dropped_connection_is_resumed() {
    let folder = TempDir::new().unwrap();
    let server = Server::new(move |from, before| {
        let mut reply = honest(from, &images());
        if before == 0 {
            reply.truncate(reply.len() - 1000);
        }
        reply
    });
    let (once, begun) = (images().len() - 1000, complete(&folder, true, &server));
    assert_eq!(begun, [None, Some(once)]);
}

#[test]
fn failing_server_leaves_a_part_to_resume() {
    let folder = TempDir::new().unwrap();
    let server = Server::new(|from, before| {
        if before > 0 {
            return reply("503 Service Unavailable", "", b"");
        }
        let mut reply = honest(from, &images());
        reply.truncate(reply.len() - 600);
        reply
    });
    let set = set(&server.url, &images(), true);
    let error = failure(&set, folder.path());
    let kept = "gave up after 5 attempts, 0.0 MB are kept for the next run: ";
    assert!(error.starts_with(kept), "{error}");
    assert!(error.ends_with("503 Service Unavailable"), "{error}");
    assert!(list(&[set], folder.path()).contains("set      partly"));
    let server = Server::honest(images());
    assert_eq!(
        complete(&folder, true, &server),
        [Some(images().len() - 600)]
    );
}

#[test]
fn missing_file_is_requested_once() {
    let folder = TempDir::new().unwrap();
    let server = Server::new(|_, _| reply("404 Not Found", "", b""));
    let error = failure(&set(&server.url, &images(), true), folder.path());
    assert_eq!(error, format!("{}/{NAME}: 404 Not Found", server.url));
    assert_eq!(server.begun(), [None]);
}

#[test]
fn wrong_checksum_deletes_the_file() {
    let wrong = vec![7; images().len()];
    for folder in [TempDir::new().unwrap(), interrupted(&wrong[..1000])] {
        let server = Server::honest(wrong.clone());
        let error = failure(&set(&server.url, &images(), true), folder.path());
        let expected = format!(
            "{}/{NAME}: wrong checksum; the file was deleted\n  expected SHA-256 {}\n  \
             got      SHA-256 {}\nRun the command again",
            server.url,
            digest(&images()),
            digest(&wrong)
        );
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(server.begun().len(), 1);
        assert_eq!(files(folder.path()), [""; 0]);
    }
}

#[test]
fn wrong_size_is_an_error() {
    let announced = reply("200 OK", "", b"<html>");
    let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    let unannounced = [head, images(), vec![7; 100_000]].concat();
    for reply in [announced, unannounced] {
        let folder = TempDir::new().unwrap();
        let server = Server::new(move |_, _| reply.clone());
        let error = failure(&set(&server.url, &images(), true), folder.path());
        let expected = format!("bytes instead of {}; ", images().len());
        assert!(error.contains(&expected), "{error}");
        assert_eq!(server.begun(), [None]);
        assert_eq!(files(folder.path()), [""; 0]);
    }
}

#[test]
fn page_instead_of_an_archive_is_not_kept() {
    let folder = TempDir::new().unwrap();
    let portal = Server::honest(b"<html>Please log in</html>".to_vec());
    let error = failure(&set(&portal.url, &images(), false), folder.path());
    assert!(error.starts_with("cannot unpack "), "{error}");
    let server = Server::honest(images());
    assert_eq!(complete(&folder, false, &server), [None]);
}

#[test]
fn path_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    let server = Server::honest(images());
    let set = set(&server.url, &images(), true);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = failure(&set, &file);
    let part = file.join("set.part");
    let expected = format!("cannot create {}: ", part.display());
    assert!(error.starts_with(&expected), "{error}");
    assert_eq!(server.begun(), []);

    let part = folder.path().join("set.part").join(format!("{NAME}.part"));
    fs::create_dir_all(part.join("in the way")).unwrap();
    let error = failure(&set, folder.path());
    assert!(error.contains(&part.display().to_string()), "{error}");
    assert!(server.begun().len() <= 1, "another attempt cannot help");
}

#[test]
fn hostile_archives_leave_nothing() {
    let first: Item = ("top/images/1.png", "one", None);
    for (item, message) in [
        (("top/images/../../../evil.png", "evil", None), "leads out"),
        (("top/images/up.png", "", Some("../..")), "is not a file"),
        (first, "1.png"),
        (
            ("/top/images/2.png", "two", None),
            "1 files `top/images/**.png` instead of 2",
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let server = Server::honest(targz(&[first, item]));
        let sets = folder.path().join("sets");
        let error = failure(&set(&server.url, &[], false), &sets);
        assert!(error.contains(message), "{error}");
        let left = files(folder.path());
        let unpacked = "sets/set.part/unpacked/top/images/1.png";
        assert!(left.is_empty() || left == [unpacked], "{left:?}");
        // What failed before must not become part of the set.
        let whole = Server::honest(images());
        fetched(&set(&whole.url, &images(), false), &sets).unwrap();
        assert_eq!(files(&sets), ["set/test/2.PNG", "set/train/1.png"]);
    }
}

#[test]
fn damage_after_the_last_file_is_an_error() {
    let mut archive = images();
    // First byte of the checksum that ends a gzip file.
    let checksum = archive.len() - 8;
    archive[checksum] ^= 1;
    let folder = TempDir::new().unwrap();
    let server = Server::honest(archive.clone());
    let error = failure(&set(&server.url, &archive, false), folder.path());
    assert!(error.starts_with("cannot unpack "), "{error}");
}
