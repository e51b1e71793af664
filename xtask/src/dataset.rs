//! `cargo xtask dataset`: downloads an image set, checks it and unpacks it.
//!
//! The set `NAME` becomes the folder `NAME` in one step, once it is complete. Until then `NAME.part`
//! holds the downloaded bytes, and the next run continues from them.

mod download;
mod table;
#[cfg(test)]
mod tests;
mod unpack;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cargo;
use download::{Client, megabytes};
use table::Set;

/// Limit for a connection, and for the next byte over it.
const STALL: Duration = Duration::from_secs(30);

/// Pause before the second attempt; doubles with each further one.
const PAUSE: Duration = Duration::from_secs(1);

/// Downloads the set called `name` into `folder`, by default `datasets`; lists the sets without a name.
pub fn run(name: Option<&str>, folder: Option<PathBuf>) -> Result<()> {
    let folder = folder.unwrap_or_else(|| cargo::root().join("datasets"));
    let sets = table::sets()?;
    let Some(name) = name else {
        print!("{}", list(&sets, &folder));
        return Ok(());
    };
    let client = Client::new(STALL, PAUSE, ureq::Proxy::try_from_env());
    let set = fetch(table::find(&sets, name)?, &folder, &client)?;
    println!("Train on it with\n\n    cargo xtask train --data {set:?} --noise gaussian:5..50\n");
    Ok(())
}

/// Downloads and unpacks `set`, unless its folder exists; returns the folder.
fn fetch(set: &Set, folder: &Path, client: &Client) -> Result<PathBuf> {
    let target = folder.join(&set.name);
    if target.exists() {
        eprintln!("{} exists and is left as it is.", target.display());
        return Ok(target);
    }
    eprintln!("{}: {}.", set.about, set.shape);
    eprintln!("Download: {}. Licence: {}.", size(set), set.licence);
    let part = folder.join(format!("{}.part", set.name));
    fs::create_dir_all(&part).with_context(|| format!("cannot create {}", part.display()))?;
    for file in &set.files {
        let url = format!("{}{}", set.address, file.name);
        client.download(&url, file, &part.join(&file.name))?;
    }
    // A set without an archive consists of the downloaded files.
    let complete = match &set.unpack {
        Some(rule) => unpack::unpack(&set.files[0], rule, &part)?,
        None => part.clone(),
    };
    fs::rename(&complete, &target)
        .with_context(|| format!("cannot create {}", target.display()))?;
    if part.exists() {
        fs::remove_dir_all(&part).with_context(|| format!("cannot delete {}", part.display()))?;
    }
    Ok(target)
}

/// Table with a row for each set.
fn list(sets: &[Set], folder: &Path) -> String {
    let mut lines = format!("{:8} {:7} {:>9}  licence\n", "name", "here", "size");
    for set in sets {
        let here = if folder.join(&set.name).exists() {
            "yes"
        } else if folder.join(format!("{}.part", set.name)).exists() {
            "partly"
        } else {
            "no"
        };
        let (name, licence) = (&set.name, &set.licence);
        lines += &format!("{name:8} {here:7} {:>9}  {licence}\n", size(set));
    }
    lines + "\n`cargo xtask dataset NAME` downloads one.\n"
}

/// Size of the download.
fn size(set: &Set) -> String {
    let bytes: Option<u64> = set.files.iter().map(|file| file.bytes).sum();
    bytes.map_or("unknown".to_owned(), megabytes)
}
