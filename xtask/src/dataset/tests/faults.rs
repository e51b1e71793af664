//! Servers and networks that do not do what they should.

use std::time::Instant;

use tempfile::TempDir;

use super::server::{HANG, Reply, Server};
use super::{NAME, assert_whole, digest, failure, fetch_into, images, interrupted, set};

#[test]
fn a_server_without_ranges_sends_everything() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    interrupted(&folder, &archive[..1000], "\"v1\"");
    let body = archive.clone();
    let server = Server::new(move |_, _| Reply::whole(&body));
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert_eq!(server.begun(), [Some(1000)]);
    assert_eq!(server.sent(), archive.len());
    assert_whole(&folder);
}

#[test]
fn a_refused_range_starts_anew() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    interrupted(&folder, &archive[..1000], "\"v1\"");
    let body = archive.clone();
    let server = Server::new(move |request, _| match request.from {
        Some(_) => Reply::status("416 Range Not Satisfiable"),
        None => Reply::whole(&body),
    });
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert_eq!(server.begun(), [Some(1000), None]);
    assert_whole(&folder);
}

#[test]
fn a_wrong_range_starts_anew() {
    let archive = images();
    let total = archive.len();
    for range in [
        format!("bytes 0-{}/{total}", total - 1001),
        format!("bytes 1000-{}/{}", total - 1, total + 1),
        "lines 1-2/3".to_owned(),
    ] {
        let folder = TempDir::new().unwrap();
        interrupted(&folder, &archive[..1000], "\"v1\"");
        let body = archive.clone();
        let server = Server::new(move |request, _| {
            let mut reply = Reply::honest(request, &body, "\"v1\"");
            if request.from.is_some() {
                reply.headers[0].1 = range.clone();
            }
            reply
        });
        fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
        assert_eq!(server.begun(), [Some(1000), None]);
        assert_whole(&folder);
    }
}

#[test]
fn a_server_that_mixes_versions_is_not_believed() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    interrupted(&folder, &[7; 1000], "\"v0\"");
    let body = archive.clone();
    let server = Server::new(move |request, _| {
        let mut request = request.clone();
        request.if_range = None;
        Reply::honest(&request, &body, "\"v1\"")
    });
    fetch_into(&set(&server.url, &archive, false), folder.path()).unwrap();
    assert_eq!(server.begun(), [Some(1000), None]);
    assert_whole(&folder);
}

#[test]
fn a_server_may_give_less_than_was_asked_for() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let step = archive.len() / 3 + 1;
    interrupted(&folder, &archive[..step], "\"v1\"");
    let body = archive.clone();
    let server = Server::new(move |request, _| {
        let mut reply = Reply::honest(request, &body, "\"v1\"").cut(step);
        reply.length = Some(reply.body.len());
        reply
    });
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert_eq!(server.begun(), [Some(step), Some(2 * step)]);
    assert_whole(&folder);
}

#[test]
fn a_dropped_connection_is_taken_up_again() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let body = archive.clone();
    // More drops than attempts: each brings new bytes, so none is one too many.
    let server = Server::new(move |request, before| {
        let reply = Reply::honest(request, &body, "\"v1\"");
        if before < 5 { reply.cut(500) } else { reply }
    });
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    let begun: Vec<Option<usize>> = (0..6).map(|i| Some(500 * i).filter(|&b| b > 0)).collect();
    assert_eq!(server.begun(), begun);
    assert_eq!(server.sent(), archive.len());
    assert_whole(&folder);
}

#[test]
fn a_connection_that_drops_without_a_length_is_taken_up_again() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let body = archive.clone();
    let server = Server::new(move |request, before| {
        let mut reply = Reply::honest(request, &body, "\"v1\"");
        reply.length = None;
        if before == 0 { reply.cut(700) } else { reply }
    });
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert_eq!(server.begun(), [None, Some(700)]);
    assert_whole(&folder);
}

#[test]
fn a_silent_connection_is_given_up_and_taken_up_again() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let body = archive.clone();
    let server = Server::new(move |request, before| {
        let mut reply = Reply::honest(request, &body, "\"v1\"");
        if before == 0 {
            reply = reply.cut(900);
            reply.hang = true;
        }
        reply
    });
    let start = Instant::now();
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert!(start.elapsed() < HANG / 2, "it waited for the server");
    assert_eq!(server.begun(), [None, Some(900)]);
    assert_whole(&folder);
}

#[test]
fn a_troubled_server_is_asked_again() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let body = archive.clone();
    let server = Server::new(move |request, before| match before {
        0 => Reply::status("500 Internal Server Error"),
        1 => Reply::status("503 Service Unavailable"),
        _ => Reply::honest(request, &body, "\"v1\""),
    });
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert_eq!(server.begun(), [None, None, None]);
    assert_whole(&folder);
}

#[test]
fn a_server_that_stays_in_trouble_is_given_up_and_the_part_kept() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let body = archive.clone();
    let server = Server::new(move |request, before| match before {
        0 => Reply::honest(request, &body, "\"v1\"").cut(600),
        _ => Reply::status("500 Internal Server Error"),
    });
    let error = failure(&set(&server.url, &archive, true), folder.path());
    assert!(error.contains("gave up after 3 attempts"), "{error}");
    assert!(error.contains("500 Internal Server Error"), "{error}");
    assert!(error.ends_with("0.0 MB are kept; run the command again to go on from there"));
    // The attempt that brought bytes is the first of the three.
    assert_eq!(server.begun(), [None, Some(600), Some(600)]);

    let server = Server::honest(archive.clone());
    fetch_into(&set(&server.url, &archive, true), folder.path()).unwrap();
    assert_eq!(server.begun(), [Some(600)]);
    assert_whole(&folder);
}

#[test]
fn nobody_there_is_an_error() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let url = Server::honest(vec![]).url.clone();
    let error = failure(&set(&url, &archive, true), folder.path());
    assert!(error.contains("gave up after 3 attempts"), "{error}");
    assert!(error.contains(&url), "{error}");
}

#[test]
fn a_missing_file_is_not_asked_for_again_but_elsewhere() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let gone = Server::new(|_, _| Reply::status("404 Not Found"));
    let mut set = set(&gone.url, &archive, true);
    let error = failure(&set, folder.path());
    assert_eq!(error, format!("{}/{NAME}: 404 Not Found", gone.url));
    assert_eq!(gone.begun(), [None]);

    let server = Server::honest(archive.clone());
    set.addresses.push(format!("{}/", server.url));
    fetch_into(&set, folder.path()).unwrap();
    assert_eq!((gone.begun().len(), server.begun().len()), (2, 1));
    assert_whole(&folder);
}

#[test]
fn every_address_that_failed_is_named() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let gone = Server::new(|_, _| Reply::status("404 Not Found"));
    let closed = Server::new(|_, _| Reply::status("403 Forbidden"));
    let mut set = set(&gone.url, &archive, true);
    set.addresses.push(format!("{}/", closed.url));
    let error = failure(&set, folder.path());
    let expected = format!(
        "{}/{NAME}: 404 Not Found\n{}/{NAME}: 403 Forbidden",
        gone.url, closed.url
    );
    assert_eq!(error, expected);
}

#[test]
fn wrong_bytes_are_deleted() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let wrong = vec![7; archive.len()];
    let server = Server::honest(wrong.clone());
    let error = failure(&set(&server.url, &archive, true), folder.path());
    let expected = format!(
        "{}/{NAME}: wrong checksum, so the file was deleted\n  expected SHA-256 {}\n  \
         got      SHA-256 {}\nRun the command again",
        server.url,
        digest(&archive),
        digest(&wrong)
    );
    assert!(error.starts_with(&expected), "{error}");
    assert_eq!(server.begun(), [None], "the same bytes would come again");
    assert!(!folder.path().join("set.part").exists());
}

#[test]
fn wrong_bytes_after_a_part_are_asked_for_once_more() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    interrupted(&folder, &archive[..1000], "\"v1\"");
    let server = Server::honest(vec![7; archive.len()]);
    let error = failure(&set(&server.url, &archive, true), folder.path());
    assert!(error.contains("wrong checksum"), "{error}");
    assert_eq!(server.begun(), [Some(1000), None]);
}

#[test]
fn an_announced_size_that_is_wrong_stops_before_the_body() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let server = Server::new(|_, _| Reply::whole(b"<html>Please log in</html>"));
    let error = failure(&set(&server.url, &archive, true), folder.path());
    let expected = format!("26 bytes where the file has {}", archive.len());
    assert!(error.contains(&expected), "{error}");
    assert_eq!(server.begun(), [None]);
}

#[test]
fn a_body_without_an_end_is_cut_off() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let longer = [archive.as_slice(), &[7; 100_000]].concat();
    let server = Server::new(move |_, _| {
        let mut reply = Reply::whole(&longer);
        reply.length = None;
        reply
    });
    let error = failure(&set(&server.url, &archive, true), folder.path());
    assert!(error.contains("bytes where the file has"), "{error}");
    assert_eq!(server.begun(), [None]);
}

#[test]
fn a_body_shorter_than_announced_is_no_file() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let body = archive.clone();
    let server = Server::new(move |_, _| {
        let mut reply = Reply::whole(&body);
        reply.length = Some(body.len() + 1);
        reply
    });
    let error = failure(&set(&server.url, &archive, false), folder.path());
    assert!(error.contains("gave up after 3 attempts"), "{error}");
    assert_eq!(server.begun(), [None, None, None]);
}

#[test]
fn a_page_instead_of_an_archive_is_not_kept() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let portal = Server::honest(b"<html>Please log in</html>".to_vec());
    let error = failure(&set(&portal.url, &archive, false), folder.path());
    assert!(error.starts_with("unpacking "), "{error}");
    let server = Server::honest(archive.clone());
    fetch_into(&set(&server.url, &archive, false), folder.path()).unwrap();
    assert_whole(&folder);
}

#[test]
fn a_redirect_keeps_the_range() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    interrupted(&folder, &archive[..1000], "\"v1\"");
    let server = Server::honest(archive.clone());
    let target = format!("{}/moved", server.url);
    let moved = Server::new(move |_, _| {
        let mut reply = Reply::status("302 Found");
        reply.headers.push(("Location", target.clone()));
        reply
    });
    fetch_into(&set(&moved.url, &archive, true), folder.path()).unwrap();
    let request = &server.requests()[0];
    assert_eq!(
        (request.path.as_str(), request.from),
        ("/moved", Some(1000))
    );
    assert_eq!(server.sent(), archive.len() - 1000);
    assert_whole(&folder);
}

#[test]
fn redirects_in_a_circle_end() {
    let (folder, archive) = (TempDir::new().unwrap(), images());
    let server = Server::new(|_, _| {
        let mut reply = Reply::status("302 Found");
        reply.headers.push(("Location", "/images.tgz".to_owned()));
        reply
    });
    let error = failure(&set(&server.url, &archive, true), folder.path());
    assert!(error.contains("too many redirects"), "{error}");
    assert!(server.begun().len() < 20);
}
