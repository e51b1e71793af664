//! Download of one file over HTTP: resumed, retried and checked.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow, bail};
use sha2::{Digest, Sha256};
use ureq::http::Response;
use ureq::{Agent, Body, Proxy};

use super::table::Remote;

const ATTEMPTS: u32 = 5;

/// Interval between two lines about the progress.
const INTERVAL: Duration = Duration::from_secs(2);

/// Reason why an attempt failed.
enum Fault {
    /// The next attempt may succeed.
    Passing(Error),
    /// Another attempt cannot succeed, as after an error of the disk.
    Permanent(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Permanent(error)
    }
}

/// HTTP client that gives up a connection without a new byte.
pub struct Client {
    agent: Agent,
    pause: Duration,
}

impl Client {
    /// Waits at most `stall` for a connection or a byte, and `pause` before the second attempt.
    pub fn new(stall: Duration, pause: Duration, proxy: Option<Proxy>) -> Self {
        let config = Agent::config_builder()
            .proxy(proxy)
            .user_agent("n2n")
            // Ranges and checksums refer to the file without a transfer encoding.
            .accept_encoding("identity")
            .http_status_as_error(false)
            .timeout_connect(Some(stall))
            .timeout_per_read(Some(stall))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            pause,
        }
    }

    /// Downloads `url` to `target`, which only ever holds a complete file with the right checksum.
    ///
    /// `target.part` holds the bytes of an interrupted download.
    pub fn download(&self, url: &str, file: &Remote, target: &Path) -> Result<()> {
        if target.exists() {
            return Ok(());
        }
        let part = target.with_added_extension("part");
        let mut failures = 0;
        while let Err(fault) = self.attempt(url, file.bytes, &part) {
            let error = match fault {
                Fault::Passing(error) => error,
                Fault::Permanent(error) => return Err(error),
            };
            failures += 1;
            if failures == ATTEMPTS {
                let kept = megabytes(length(&part));
                return Err(error.context(format!(
                    "gave up after {ATTEMPTS} attempts, {kept} are kept for the next run"
                )));
            }
            eprintln!("{error:#}; trying again");
            thread::sleep(self.pause * 2_u32.pow(failures - 1));
        }
        let got = sha256(&part).with_context(|| format!("cannot read {}", part.display()))?;
        match &file.sha256 {
            Some(expected) if *expected != got => {
                remove(&part)?;
                bail!(
                    "{url}: wrong checksum; the file was deleted\n  expected SHA-256 {expected}\n  \
                     got      SHA-256 {got}\nRun the command again, perhaps on another network. \
                     If this repeats, the published file has changed."
                );
            }
            Some(_) => {}
            None => eprintln!("{}: no checksum is published; SHA-256 {got}", file.name),
        }
        fs::rename(&part, target).with_context(|| format!("cannot create {}", target.display()))
    }

    /// Requests the bytes that `part` lacks and appends them.
    fn attempt(&self, url: &str, bytes: Option<u64>, part: &Path) -> Result<(), Fault> {
        let have = length(part);
        // Where no checksum is known, the connection vouches for the bytes, after redirects too.
        let https_only = url.starts_with("https:");
        let mut request = self.agent.get(url).config().https_only(https_only).build();
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response = request.call().map_err(|error| fault(url, error))?;
        let status = response.status();
        let (start, total) = match (status.as_u16(), range(&response)) {
            (200, _) => (0, response.body().content_length()),
            (206, Some((start, total))) if start == have => (have, Some(total)),
            (206 | 416, _) => {
                remove(part)?;
                let error = anyhow!("{url}: the server does not continue at byte {have}");
                return Err(Fault::Passing(error));
            }
            (408 | 429 | 500..=599, _) => return Err(Fault::Passing(anyhow!("{url}: {status}"))),
            _ => return Err(Fault::Permanent(anyhow!("{url}: {status}"))),
        };
        if let (Some(got), Some(expected)) = (total, bytes)
            && got != expected
        {
            return Err(wrong_size(url, got, expected));
        }
        append(url, response, start, total.or(bytes), part)
    }
}

/// Writes the body of `response` to `part`, from byte `start` on.
fn append(
    url: &str,
    response: Response<Body>,
    start: u64,
    total: Option<u64>,
    part: &Path,
) -> Result<(), Fault> {
    let writing = || format!("cannot write {}", part.display());
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(part)
        .with_context(writing)?;
    file.set_len(start).with_context(writing)?;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut have = start;
    let mut shown = Instant::now();
    loop {
        let read = (body.read(&mut buffer))
            .map_err(|error| Fault::Passing(Error::new(error).context(url.to_owned())))?;
        if read == 0 {
            break;
        }
        have += read as u64;
        if let Some(total) = total
            && have > total
        {
            remove(part)?;
            return Err(wrong_size(url, have, total));
        }
        file.write_all(&buffer[..read]).with_context(writing)?;
        if shown.elapsed() >= INTERVAL {
            shown = Instant::now();
            let of = total.map_or(String::new(), |total| format!(" of {}", megabytes(total)));
            eprintln!("{url}: {}{of}", megabytes(have));
        }
    }
    match total {
        Some(total) if have < total => Err(Fault::Passing(anyhow!(
            "{url}: the connection ended at {have} of {total} bytes"
        ))),
        _ => Ok(()),
    }
}

/// First byte and total size of `Content-Range: bytes FIRST-LAST/TOTAL`.
fn range(response: &Response<Body>) -> Option<(u64, u64)> {
    let range = response.headers().get("Content-Range")?.to_str().ok()?;
    let (range, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()?))
}

fn fault(url: &str, error: ureq::Error) -> Fault {
    use ureq::Error as E;
    let passing = matches!(
        error,
        E::Io(_) | E::Timeout(_) | E::ConnectionFailed | E::Protocol(_)
    );
    let error = Error::new(error).context(url.to_owned());
    if passing {
        Fault::Passing(error)
    } else {
        Fault::Permanent(error)
    }
}

fn wrong_size(url: &str, got: u64, expected: u64) -> Fault {
    Fault::Permanent(anyhow!(
        "{url}: {got} bytes instead of {expected}; the published file has changed, or something on \
         the network answers in its place"
    ))
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(format!("{:x}", hasher.finalize()))
}

/// Size of the file in bytes; 0 where it does not exist.
fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot delete {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Size in millions of bytes.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
