//! Curves of others, from a file of JSON.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::RunsError;

/// A curve of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// What it is called in a figure.
    pub label: String,
    /// The last key that leads to it, by which runs of the same value are found.
    pub key: String,
    /// `[images, PSNR in dB]`, from left to right.
    pub points: Vec<[f64; 2]>,
}

impl Reference {
    /// Reads the curves that `FILE#KEY/KEY` names: all in the file, or those below the keys.
    ///
    /// A file has objects in objects, and lists of `[images, psnr]` as curves; numbers and texts beside them are passed
    /// over. A curve is called `name` and its keys below those given, such as `reference 16`; alone, it is called
    /// `name`, or `reference` with its key.
    ///
    /// # Errors
    /// When the file cannot be read, has no such key, or has no curve there.
    pub fn read(place: &str, name: Option<&str>) -> Result<Vec<Self>, RunsError> {
        let (path, keys) = split(place);
        let text = fs::read(&path).map_err(|source| RunsError::Io {
            path: path.clone(),
            source,
        })?;
        let file: Value = serde_json::from_slice(&text).map_err(|source| RunsError::NoJson {
            path: path.clone(),
            source,
        })?;
        let mut node = &file;
        for key in &keys {
            node = node.get(*key).ok_or_else(|| RunsError::NoKey {
                path: path.clone(),
                key: (*key).to_owned(),
                known: known(node),
            })?;
        }
        let mut found = Vec::new();
        let last = keys.len().saturating_sub(1);
        collect(node, &keys[last..], &mut found);
        if found.is_empty() {
            return Err(RunsError::NoCurves {
                path: PathBuf::from(place),
            });
        }
        let is_alone = found.len() == 1;
        // The last of the given keys is in the label of a curve that it leads to itself.
        let given = usize::from(!keys.is_empty() && points(node).is_none());
        let references = found.into_iter().map(|(keys, points)| {
            let below = keys[given..].join("/");
            let label = match name {
                Some(name) if is_alone => name.to_owned(),
                name => format!("{} {below}", name.unwrap_or("reference")),
            };
            Self {
                label: label.trim_end().to_owned(),
                key: keys.last().cloned().unwrap_or_default(),
                points,
            }
        });
        Ok(references.collect())
    }

    /// The file of `FILE#KEY/KEY`.
    pub fn path(place: &str) -> PathBuf {
        split(place).0
    }

    /// Whether a run's label has the value of this curve: a text after its name, such as `16` of `features 16`, that is
    /// the key or the same number.
    pub(super) fn is_of(&self, label: &str) -> bool {
        label.split(", ").any(|part| {
            let value = part.rsplit_once(' ').map_or(part, |(_, value)| value);
            value == self.key
                || matches!(
                    (value.parse::<f64>(), self.key.parse::<f64>()),
                    (Ok(value), Ok(key)) if value == key
                )
        })
    }
}

/// The file and the keys in it.
fn split(place: &str) -> (PathBuf, Vec<&str>) {
    match place.rsplit_once('#') {
        Some((path, keys)) if !Path::new(place).exists() => {
            let keys = keys.split('/').filter(|key| !key.is_empty());
            (PathBuf::from(path), keys.collect())
        }
        _ => (PathBuf::from(place), Vec::new()),
    }
}

/// The keys of an object, for an error.
fn known(node: &Value) -> String {
    let keys = node.as_object().map(|object| {
        let keys = object.keys().map(String::as_str);
        keys.collect::<Vec<_>>().join(", ")
    });
    keys.filter(|keys| !keys.is_empty())
        .map_or_else(|| "no key".to_owned(), |keys| format!("the keys {keys}"))
}

/// Adds the curves below a node, in natural order of their keys.
fn collect(node: &Value, keys: &[&str], found: &mut Vec<(Vec<String>, Vec<[f64; 2]>)>) {
    if let Some(points) = points(node) {
        found.push((keys.iter().map(|key| (*key).to_owned()).collect(), points));
    } else if let Some(object) = node.as_object() {
        let mut sorted: Vec<(&String, &Value)> = object.iter().collect();
        sorted.sort_by(|(a, _), (b, _)| crate::compare(a, b));
        for (key, node) in sorted {
            collect(node, &[keys, &[key.as_str()]].concat(), found);
        }
    }
}

/// The points of a curve, if the node is one.
fn points(node: &Value) -> Option<Vec<[f64; 2]>> {
    let list = node.as_array().filter(|list| !list.is_empty())?;
    let point = |point: &Value| {
        let [x, y] = point.as_array()?.as_slice() else {
            return None;
        };
        Some([x.as_f64()?, y.as_f64()?])
    };
    let mut points: Vec<[f64; 2]> = list.iter().map(point).collect::<Option<_>>()?;
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    Some(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
        "source": "somebody",
        "figures": {
            "features": {"16": [[0, 12.5], [2000, 24.5]], "4": [[2000, 23.0], [0, 11.0]]},
            "best": {"unet": [[0, 12.0]]},
            "numbers": [1, 2]
        }
    }"#;

    /// Reads curves at keys; the labels, and the keys.
    fn read(keys: &str, name: Option<&str>) -> Result<Vec<Reference>, RunsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.json");
        fs::write(&path, FILE).unwrap();
        Reference::read(&format!("{}{keys}", path.display()), name)
    }

    fn labels(keys: &str, name: Option<&str>) -> Vec<String> {
        let found = read(keys, name).unwrap().into_iter();
        found.map(|one| one.label).collect()
    }

    #[test]
    fn keys_select_curves() {
        let found = read("#figures/features", None).unwrap();
        assert_eq!(found[0].label, "reference 4");
        assert_eq!(found[0].points, [[0.0, 11.0], [2000.0, 23.0]]);
        assert_eq!((found[1].key.as_str(), found.len()), ("16", 2));
        assert_eq!(
            labels("", Some("paper")),
            [
                "paper figures/best/unet",
                "paper figures/features/4",
                "paper figures/features/16"
            ]
        );
        assert_eq!(labels("#figures/best/unet", None), ["reference unet"]);
        assert_eq!(labels("#figures/best", Some("paper")), ["paper"]);
    }

    #[test]
    fn wrong_keys_are_told_with_the_right_ones() {
        let error = read("#figures/feature_maps", None).unwrap_err().to_string();
        for part in ["curves.json", "feature_maps", "best, features, numbers"] {
            assert!(error.contains(part), "{error}");
        }
        let error = read("#figures/numbers", None).unwrap_err().to_string();
        assert!(error.contains("no curve"), "{error}");
    }

    #[test]
    fn curves_belong_to_runs_of_the_same_value() {
        let of = |key: &str, label: &str| {
            let reference = Reference {
                label: String::new(),
                key: key.to_owned(),
                points: Vec::new(),
            };
            reference.is_of(label)
        };
        assert!(of("16", "features 16"));
        assert!(of("0.0001", "features 8, dropout 1e-4"));
        assert!(of("clean", "target clean"));
        assert!(!of("16", "features 160"));
        assert!(!of("16", "features16"));
    }
}
