//! `datasets/sets.json`: the sets, their files, and how the files become folders.

use anyhow::{Context, Result};
use serde::Deserialize;

const TABLE: &str = include_str!("../../../datasets/sets.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    sets: Vec<Set>,
}

/// Image set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    pub name: String,
    /// Name that its publisher gives it.
    pub about: String,
    pub licence: String,
    /// Contents of the finished folder.
    pub shape: String,
    /// URL of the folder with the files, with the final `/`.
    pub address: String,
    pub files: Vec<Remote>,
    /// Selection from the one archive; `None` where the files themselves are the set.
    pub unpack: Option<Unpack>,
}

/// File to download.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    pub name: String,
    /// `None` where no source states it.
    pub bytes: Option<u64>,
    /// Lower-case hexadecimal; `None` where no source states it.
    pub sha256: Option<String>,
}

/// Files of a `.tar.gz` that make up a set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpack {
    /// Folder inside the archive that becomes the set.
    pub from: String,
    /// Extension of the files to take.
    pub extension: String,
    /// Number of these files.
    pub files: usize,
}

/// Every set, in the order of the table.
pub fn sets() -> Result<Vec<Set>> {
    let table: Table = serde_json::from_str(TABLE).context("datasets/sets.json")?;
    Ok(table.sets)
}

/// The set called `name`.
pub fn find<'a>(sets: &'a [Set], name: &str) -> Result<&'a Set> {
    sets.iter().find(|set| set.name == name).with_context(|| {
        let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
        format!("there is no set `{name}`, only {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = include_str!("../../../datasets/README.md");

    #[test]
    fn table_is_sound() {
        for set in sets().unwrap() {
            assert!(set.unpack.is_none() || set.files.len() == 1, "{}", set.name);
            // Where no checksum is known, the connection alone vouches for the bytes.
            assert!(set.address.starts_with("https:") && set.address.ends_with('/'));
            for file in &set.files {
                assert!(!file.name.contains(['/', '\\']), "{}", file.name);
                if let Some(sha256) = &file.sha256 {
                    let hex = |c| matches!(c, b'0'..=b'9' | b'a'..=b'f');
                    assert!(sha256.len() == 64 && sha256.bytes().all(hex), "{sha256}");
                }
            }
        }
    }

    #[test]
    fn unknown_name_lists_the_known_ones() {
        let error = find(&sets().unwrap(), "imagenet").err().unwrap();
        assert_eq!(
            error.to_string(),
            "there is no set `imagenet`, only cifar10, kodak, bsd300, bsd500"
        );
    }

    #[test]
    fn readme_repeats_the_table() {
        for set in sets().unwrap() {
            let Set {
                name,
                about,
                shape,
                licence,
                ..
            } = set;
            let row = format!("| `cargo xtask dataset {name}` | {about} | {shape} | {licence} |");
            assert!(README.contains(&row), "{row}");
        }
    }
}
