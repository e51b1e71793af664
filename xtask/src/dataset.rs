//! `cargo xtask dataset`: downloads an image set, checks it and unpacks it.
//!
//! For the set `NAME`, three things lie in the folder of the sets:
//!
//! - `NAME.part/`: a download in progress. It survives an interruption, and the next run goes on.
//! - `NAME/`: the set. It gets this name when every file of it is there, in one step.
//! - `NAME.sha256`: what every file must look like, in the format of `sha256sum`.

mod checksum;
mod download;
mod place;
mod progress;
mod table;
#[cfg(test)]
mod tests;
mod unpack;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cargo;
use download::{Client, Patience, Pin, Wanted};
use place::Place;
use progress::{Progress, megabytes};
use table::{Remote, Set};

/// Downloads the set called `name`; without a name, lists the sets.
///
/// `folder` holds the sets, and `base` is where the files are instead of at their own addresses.
pub fn run(name: Option<&str>, folder: Option<PathBuf>, base: Option<&str>) -> Result<()> {
    let folder = folder.unwrap_or_else(|| cargo::root().join("datasets"));
    let folder = shown(&folder);
    let sets = table::sets()?;
    let Some(name) = name else {
        print!("{}", list(&sets, &folder));
        return Ok(());
    };
    let set = table::find(&sets, name)?;
    let client = Client::new(Patience::default(), ureq::Proxy::try_from_env());
    if fetch(set, &folder, &client, base)? == Outcome::AlreadyThere {
        eprintln!("{name} was here already, every file as it was downloaded.");
    }
    println!(
        "Train on it with\n\n    {}\n",
        training_command(set, &folder)
    );
    Ok(())
}

/// What to do about a file that is not the published one.
const ELSEWHERE: &str = "Run the command again, perhaps on another network. If this repeats, the \
                         file has changed where it is published.";

/// Whether anything had to be downloaded.
#[derive(Debug, PartialEq)]
enum Outcome {
    Downloaded,
    AlreadyThere,
}

/// Brings `set` into `folder`, or checks the one that is there.
fn fetch(set: &Set, folder: &Path, client: &Client, base: Option<&str>) -> Result<Outcome> {
    let place = Place::new(folder, &set.name);
    if place.is_finished()? {
        place.check()?;
        return Ok(Outcome::AlreadyThere);
    }
    let lock = place.lock()?;
    announce(set);
    match download_and_assemble(set, &place, client, base) {
        Ok(downloads) => place.finish(downloads, lock)?,
        Err(error) => {
            place.abandon(lock);
            return Err(error);
        }
    }
    Ok(Outcome::Downloaded)
}

/// Makes the set under its temporary name; returns the checksums of the downloaded files.
fn download_and_assemble(
    set: &Set,
    place: &Place,
    client: &Client,
    base: Option<&str>,
) -> Result<BTreeMap<String, String>> {
    let mut downloads = BTreeMap::new();
    let mut progress = Progress::new(set.bytes());
    let mut before = 0;
    for file in &set.files {
        let label = match set.files.len() {
            1 => file.name.clone(),
            count => format!("{} ({} of {count})", file.name, downloads.len() + 1),
        };
        progress.begin(label, before);
        before += file.bytes.unwrap_or(0);
        let wanted = wanted(set, file, place, base)?;
        let digest = download::download(client, &wanted, &mut progress)?;
        downloads.insert(file.name.clone(), digest);
    }
    assemble(set, place)?;
    Ok(downloads)
}

/// Says what is about to be downloaded, and what its checksums are worth.
fn announce(set: &Set) {
    let size = set.bytes().map_or("of unknown size".to_owned(), megabytes);
    eprintln!("{}: {}.", set.about, set.shape);
    eprintln!("Download: {size}. Licence: {}.", set.licence);
    if set.files.iter().any(|file| file.sha256.is_none()) {
        eprintln!(
            "No checksum is published for it. The first download is trusted and its checksum \
             recorded; later ones are compared with that."
        );
    }
}

/// What `file` must be, and where it may lie.
fn wanted(set: &Set, file: &Remote, place: &Place, base: Option<&str>) -> Result<Wanted> {
    let addresses = match base {
        Some(base) => vec![format!("{}/{}", base.trim_end_matches('/'), file.name)],
        None => (set.addresses.iter())
            .map(|address| format!("{address}{}", file.name))
            .collect(),
    };
    let pin = match &file.sha256 {
        Some(published) => Some(Pin {
            sha256: published.clone(),
            way_out: ELSEWHERE.to_owned(),
        }),
        None => place.recorded(&file.name)?.map(|recorded| Pin {
            sha256: recorded,
            way_out: format!(
                "That checksum was recorded at the first download. If the file may have changed \
                 since then, delete {} and run the command again.",
                place.sums.display()
            ),
        }),
    };
    Ok(Wanted {
        addresses,
        bytes: file.bytes,
        pin,
        target: place.part.join(&file.name),
    })
}

/// Makes the set, complete but under its temporary name, of what was downloaded.
fn assemble(set: &Set, place: &Place) -> Result<()> {
    if place.unfinished.exists() {
        fs::remove_dir_all(&place.unfinished)
            .with_context(|| place.unfinished.display().to_string())?;
    }
    fs::create_dir(&place.unfinished).with_context(|| place.unfinished.display().to_string())?;
    for file in &set.files {
        let source = place.part.join(&file.name);
        let Some(rule) = &set.unpack else {
            // A link costs no space, and the downloaded file is still there after an interruption.
            let target = place.unfinished.join(&file.name);
            fs::hard_link(&source, &target)
                .or_else(|_| fs::copy(&source, &target).map(drop))
                .with_context(|| target.display().to_string())?;
            continue;
        };
        eprintln!("Unpacking {}.", file.name);
        if let Err(error) = unpack::unpack(&source, rule, &place.unfinished) {
            // Nothing vouches for these bytes, so the next run must not take them again.
            if file.sha256.is_none() {
                fs::remove_file(&source).with_context(|| source.display().to_string())?;
            }
            return Err(error);
        }
    }
    Ok(())
}

/// One line for each set.
fn list(sets: &[Set], folder: &Path) -> String {
    let mut rows = vec![["name", "here", "size", "folder", "licence"].map(String::from)];
    rows.extend(sets.iter().map(|set| {
        let place = Place::new(folder, &set.name);
        [
            set.name.clone(),
            place.state().to_owned(),
            set.bytes().map_or("unknown".to_owned(), megabytes),
            place.folder.display().to_string(),
            set.licence.clone(),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let mut lines = String::new();
    for [name, here, size, folder, licence] in rows {
        let [w0, w1, w2, w3] = widths;
        lines += &format!("{name:w0$}  {here:w1$}  {size:>w2$}  {folder:w3$}  {licence}\n");
    }
    lines + "\n`cargo xtask dataset NAME` downloads one.\n"
}

fn training_command(set: &Set, folder: &Path) -> String {
    let data = folder.join(&set.name).display().to_string();
    let quote = if data.contains(' ') { "\"" } else { "" };
    format!("cargo xtask train --data {quote}{data}{quote}")
}

/// `folder`, without the current directory where it lies in it.
fn shown(folder: &Path) -> PathBuf {
    let relative = || {
        let folder = fs::canonicalize(folder).ok()?;
        let here = fs::canonicalize(env::current_dir().ok()?).ok()?;
        folder.strip_prefix(here).ok().map(Path::to_path_buf)
    };
    match relative() {
        Some(relative) if relative == Path::new("") => PathBuf::from("."),
        Some(relative) => relative,
        None => folder.to_path_buf(),
    }
}
