//! One file over HTTP: resumed where it stopped, tried again where that can help, and checked.

mod part;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Error, Result, anyhow, bail};
use ureq::http::Response;
use ureq::{Agent, Body, Proxy};

use super::checksum;
use super::progress::{Progress, megabytes};
use part::Part;

/// How long to wait, and how often to try.
#[derive(Clone, Copy)]
pub struct Patience {
    /// Without a connection, or without a new byte, for this long, an attempt has failed.
    pub stall: Duration,
    /// Before the second attempt; doubles with each further one.
    pub pause: Duration,
    /// Attempts without a new byte before giving up.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            attempts: 5,
        }
    }
}

/// What is to be downloaded, and to where.
pub struct Wanted {
    /// Where the same file lies; the first that gives it serves.
    pub addresses: Vec<String>,
    /// Its size, where it is known.
    pub bytes: Option<u64>,
    /// Its checksum, where it is known.
    pub pin: Option<Pin>,
    /// There is nothing of this name before the file is complete and checked.
    pub target: PathBuf,
}

/// The checksum a file must have.
pub struct Pin {
    pub sha256: String,
    /// What to do about a file that does not have it.
    pub way_out: String,
}

/// Why an attempt failed, and so what can help.
enum Fault {
    /// The same again, a little later.
    Passing(Error),
    /// Another address.
    Address(Error),
    /// Another address too, but the way out is that of the checksum.
    Checksum(Error),
    /// Nothing on the network: the disk, for example.
    Local(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Local(error)
    }
}

/// Makes the requests.
pub struct Client {
    agent: Agent,
    patience: Patience,
}

/// Downloads a file, unless it is there already, and returns its SHA-256.
pub fn download(client: &Client, wanted: &Wanted, progress: &mut Progress) -> Result<String> {
    if wanted.target.exists() {
        let digest = checksum::sha256(&wanted.target)?;
        if wanted.broken_pin(&digest).is_none() {
            return Ok(digest);
        }
    }
    let mut errors = vec![];
    let mut way_out = None;
    for address in &wanted.addresses {
        match client.download_from(address, wanted, progress) {
            Ok(digest) => return Ok(digest),
            Err(Fault::Local(error)) => return Err(error),
            Err(Fault::Passing(error) | Fault::Address(error)) => errors.push(error),
            Err(Fault::Checksum(error)) => {
                errors.push(error);
                way_out = wanted.pin.as_ref().map(|pin| &pin.way_out);
            }
        }
    }
    let errors = errors.iter().map(|error| format!("{error:#}"));
    let lines: Vec<String> = errors.chain(way_out.cloned()).collect();
    bail!(lines.join("\n"))
}

impl Wanted {
    /// The checksum that a file with this one does not have, but must.
    fn broken_pin(&self, sha256: &str) -> Option<&Pin> {
        self.pin.as_ref().filter(|pin| pin.sha256 != sha256)
    }
}

impl Client {
    pub fn new(patience: Patience, proxy: Option<Proxy>) -> Self {
        let config = Agent::config_builder()
            .proxy(proxy)
            .user_agent("n2n")
            // Ranges and checksums are those of the file as it is.
            .accept_encoding("identity")
            .http_status_as_error(false)
            .timeout_connect(Some(patience.stall))
            .timeout_per_read(Some(patience.stall))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            patience,
        }
    }

    /// Downloads from one address, and from the start again if joined pieces do not fit.
    fn download_from(
        &self,
        url: &str,
        wanted: &Wanted,
        progress: &mut Progress,
    ) -> Result<String, Fault> {
        let part = Part::of(&wanted.target);
        let joined = self.complete(url, wanted, &part, progress)?;
        let mut digest = checksum::sha256(&part.path)?;
        if joined && wanted.broken_pin(&digest).is_some() {
            progress.say("wrong checksum after resuming; from the start again");
            part.clear()?;
            self.complete(url, wanted, &part, progress)?;
            digest = checksum::sha256(&part.path)?;
        }
        if let Some(pin) = wanted.broken_pin(&digest) {
            part.clear()?;
            return Err(Fault::Checksum(anyhow!(
                "{url}: wrong checksum, so the file was deleted\n  expected SHA-256 {}\n  \
                 got      SHA-256 {digest}",
                pin.sha256
            )));
        }
        part.finish(&wanted.target)?;
        Ok(digest)
    }

    /// Tries until the file is complete; returns whether its last bytes were added to earlier ones.
    fn complete(
        &self,
        url: &str,
        wanted: &Wanted,
        part: &Part,
        progress: &mut Progress,
    ) -> Result<bool, Fault> {
        let mut farthest = 0;
        let mut failures = 0;
        loop {
            let error = match self.attempt(url, wanted, part, progress) {
                Err(Fault::Passing(error)) => error,
                done => return done,
            };
            let have = part.bytes();
            if have > farthest {
                farthest = have;
                failures = 0;
            }
            failures += 1;
            if failures >= self.patience.attempts {
                let error = error.context(format!("gave up after {failures} attempts"));
                return Err(Fault::Passing(match have {
                    0 => error,
                    _ => anyhow!(
                        "{error:#}\n{} are kept; run the command again to go on from there",
                        megabytes(have)
                    ),
                }));
            }
            let pause = self.patience.pause * 2u32.saturating_pow(failures - 1);
            progress.say(&format!("{error:#}; trying again in {} s", pause.as_secs()));
            thread::sleep(pause);
        }
    }

    /// One request, whose body goes to `part`; returns whether it was added to earlier bytes.
    fn attempt(
        &self,
        url: &str,
        wanted: &Wanted,
        part: &Part,
        progress: &mut Progress,
    ) -> Result<bool, Fault> {
        let have = part.usable(wanted)?;
        if have > 0 && wanted.bytes == Some(have) {
            return Ok(true);
        }
        let response = self.ask(url, have, wanted, part)?;
        let start = match response.status().as_u16() {
            200 => 0,
            206 if have > 0 && part.is_continued_by(&response, wanted) => have,
            206 | 416 if have > 0 => {
                part.clear()?;
                return self.attempt(url, wanted, part, progress);
            }
            408 | 429 | 500..=599 => {
                return Err(Fault::Passing(anyhow!("{url}: {}", response.status())));
            }
            _ => return Err(Fault::Address(anyhow!("{url}: {}", response.status()))),
        };
        receive(url, response, start, wanted, part, progress)?;
        Ok(start > 0)
    }

    /// Asks for what follows the first `have` bytes, if they still belong to the file.
    fn ask(
        &self,
        url: &str,
        have: u64,
        wanted: &Wanted,
        part: &Part,
    ) -> Result<Response<Body>, Fault> {
        let mut request = self.agent.get(url);
        if wanted.pin.is_none() && url.starts_with("https:") {
            // Where no checksum vouches for the file, the connection must, past redirects too.
            request = request.config().https_only(true).build();
        }
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
            if let Some(validator) = part.validator() {
                request = request.header("If-Range", validator);
            }
        }
        request.call().map_err(|error| {
            use ureq::Error as E;
            let passing = matches!(
                error,
                E::Io(_) | E::Timeout(_) | E::ConnectionFailed | E::Protocol(_)
            );
            let error = Error::new(error).context(url.to_owned());
            match passing {
                true => Fault::Passing(error),
                false => Fault::Address(error),
            }
        })
    }
}

/// Writes the body of `response` to `part`, from the byte `start` on.
fn receive(
    url: &str,
    response: Response<Body>,
    start: u64,
    wanted: &Wanted,
    part: &Part,
    progress: &mut Progress,
) -> Result<(), Fault> {
    // A server may give less than was asked for; the range says how large the whole is.
    let announced = match part::content_range(&response) {
        Some((_, total)) => total,
        None => response.body().content_length(),
    };
    let wrong_size = |bytes: u64, expected: u64| {
        Fault::Address(anyhow!(
            "{url}: {bytes} bytes where the file has {expected}; it has changed, or something \
             on the network answers in its place"
        ))
    };
    let total = match (announced, wanted.bytes) {
        (Some(bytes), Some(expected)) if bytes != expected => {
            return Err(wrong_size(bytes, expected));
        }
        (announced, expected) => announced.or(expected),
    };
    let mut file = part.open(start, &response)?;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut have = start;
    loop {
        let read = (body.read(&mut buffer))
            .map_err(|error| Fault::Passing(Error::new(error).context(url.to_owned())))?;
        if read == 0 {
            break;
        }
        have += read as u64;
        if let Some(expected) = total.filter(|&expected| have > expected) {
            part.clear()?;
            return Err(wrong_size(have, expected));
        }
        file.write_all(&buffer[..read])
            .map_err(|error| part.error("writing", error))?;
        progress.advance(read as u64, have, total);
    }
    match total {
        Some(total) if have < total => Err(Fault::Passing(anyhow!(
            "{url}: the connection ended at {have} of {total} bytes"
        ))),
        _ => Ok(()),
    }
}
