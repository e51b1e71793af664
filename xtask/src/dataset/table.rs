//! `datasets/sets.json`: which sets there are, where their files lie and what they must look like.

use anyhow::{Context, Result, bail};
use serde_json::Value;

const TABLE: &str = include_str!("../../../datasets/sets.json");

/// One image set.
#[derive(Debug)]
pub struct Set {
    pub name: String,
    /// The name its publisher gives it.
    pub about: String,
    pub licence: String,
    /// What the finished folder holds.
    pub shape: String,
    /// Folders on the web, each with every file; the first that answers serves.
    pub addresses: Vec<String>,
    pub files: Vec<Remote>,
    /// How the files become the set; they are the set themselves where there is nothing to unpack.
    pub unpack: Option<Unpack>,
}

/// One file to download.
#[derive(Debug)]
pub struct Remote {
    pub name: String,
    /// `None` where no source says it.
    pub bytes: Option<u64>,
    /// `None` where no source says it.
    pub sha256: Option<String>,
}

/// Which files of an archive make up the set.
#[derive(Debug)]
pub struct Unpack {
    /// The folder inside the archive whose contents are taken.
    pub from: String,
    /// Only files with this extension are taken.
    pub extension: String,
    /// How many files that must be.
    pub files: usize,
}

impl Set {
    /// Bytes to download, where they are known of every file.
    pub fn bytes(&self) -> Option<u64> {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Every set, in the order of the table.
pub fn sets() -> Result<Vec<Set>> {
    let table: Value = serde_json::from_str(TABLE).context("sets.json")?;
    list(&table, "sets")?
        .iter()
        .map(set)
        .collect::<Result<_>>()
        .context("sets.json")
}

/// The set called `name`.
pub fn find<'a>(sets: &'a [Set], name: &str) -> Result<&'a Set> {
    match sets.iter().find(|set| set.name == name) {
        Some(set) => Ok(set),
        None => {
            let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
            bail!("there is no set `{name}`, only {}", names.join(", "))
        }
    }
}

fn set(value: &Value) -> Result<Set> {
    Ok(Set {
        name: text(value, "name")?,
        about: text(value, "about")?,
        licence: text(value, "licence")?,
        shape: text(value, "shape")?,
        addresses: list(value, "addresses")?
            .iter()
            .map(|address| address.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .context("an address is not a text")?,
        files: list(value, "files")?
            .iter()
            .map(remote)
            .collect::<Result<_>>()?,
        unpack: optional(value, "unpack")?.map(unpack).transpose()?,
    })
}

fn remote(value: &Value) -> Result<Remote> {
    Ok(Remote {
        name: text(value, "name")?,
        bytes: optional(value, "bytes")?
            .map(|bytes| bytes.as_u64().context("`bytes` is not a size"))
            .transpose()?,
        sha256: optional(value, "sha256")?
            .map(|_| text(value, "sha256"))
            .transpose()?,
    })
}

fn unpack(value: &Value) -> Result<Unpack> {
    let files = field(value, "files")?.as_u64();
    Ok(Unpack {
        from: text(value, "from")?,
        extension: text(value, "extension")?,
        files: usize::try_from(files.context("`files` is not a number")?)?,
    })
}

/// A key must be there even where it says `null`, so that a misspelt one is noticed.
fn field<'a>(value: &'a Value, key: &str) -> Result<&'a Value> {
    value
        .get(key)
        .with_context(|| format!("`{key}` is missing"))
}

fn optional<'a>(value: &'a Value, key: &str) -> Result<Option<&'a Value>> {
    Ok(Some(field(value, key)?).filter(|value| !value.is_null()))
}

fn text(value: &Value, key: &str) -> Result<String> {
    let text = field(value, key)?.as_str();
    Ok(text
        .with_context(|| format!("`{key}` is not a text"))?
        .to_owned())
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    field(value, key)?
        .as_array()
        .with_context(|| format!("`{key}` is not a list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = include_str!("../../../datasets/README.md");

    #[test]
    fn the_table_is_sound() {
        let sets = sets().unwrap();
        let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names, ["cifar10", "kodak", "bsd300", "bsd500"]);
        for set in &sets {
            assert!(set.unpack.is_none() || set.files.len() == 1, "{}", set.name);
            for address in &set.addresses {
                assert!(address.starts_with("http") && address.ends_with('/'));
            }
            for file in &set.files {
                assert!(!file.name.contains(['/', '\\']), "{}", file.name);
                if let Some(sha256) = &file.sha256 {
                    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
                    assert!(sha256.len() == 64 && sha256.chars().all(hex), "{sha256}");
                } else {
                    // Nothing but the connection vouches for the first download.
                    assert!(set.addresses.iter().all(|a| a.starts_with("https:")));
                }
            }
        }
        let kodak = find(&sets, "kodak").unwrap();
        assert_eq!(kodak.files.len(), 24);
        assert_eq!(kodak.files[8].name, "kodim09.png");
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = find(&sets().unwrap(), "imagenet").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no set `imagenet`, only cifar10, kodak, bsd300, bsd500"
        );
    }

    #[test]
    fn a_missing_key_is_an_error() {
        let value = serde_json::json!({ "name": "a", "bytes": 1, "sha265": null });
        let error = remote(&value).unwrap_err();
        assert_eq!(error.to_string(), "`sha256` is missing");
    }

    /// The row of `datasets/README.md` that describes `set`.
    fn row(set: &Set) -> String {
        let address = |file: &Remote| format!("{}{}", set.addresses[0], file.name);
        let (address, sha256) = match set.files.as_slice() {
            [only] => (
                format!("<{}>", address(only)),
                (only.sha256.as_ref()).map_or("none published".to_owned(), |s| format!("`{s}`")),
            ),
            [first, .., last] => (
                format!("<{}> to `{}`", address(first), last.name),
                format!("{}, in [sets.json](sets.json)", set.files.len()),
            ),
            [] => panic!("{} has no files", set.name),
        };
        let bytes = set.bytes().map_or("none published".to_owned(), grouped);
        let columns = [
            format!("`cargo xtask dataset {}`", set.name),
            set.about.clone(),
            address,
            bytes,
            sha256,
            set.licence.clone(),
            set.shape.clone(),
            format!("`cargo xtask train --data datasets/{}`", set.name),
        ];
        format!("| {} |", columns.join(" | "))
    }

    /// `1234567` as `1,234,567`.
    fn grouped(number: u64) -> String {
        let digits = number.to_string();
        let groups: Vec<&str> = digits
            .as_bytes()
            .rchunks(3)
            .rev()
            .map(|group| std::str::from_utf8(group).unwrap())
            .collect();
        groups.join(",")
    }

    #[test]
    fn the_readme_says_what_the_table_says() {
        let rows: Vec<&str> = (README.lines())
            .filter(|line| line.starts_with("| `cargo xtask dataset"))
            .collect();
        let expected: Vec<String> = sets().unwrap().iter().map(row).collect();
        assert_eq!(rows, expected);
    }
}
