//! The text of a sweep.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::{SEED, name};
use crate::ExperimentError;
use crate::experiment::{Setting, explain};

/// Key of the name of an entry of `[[runs]]`.
const NAME: &str = "name";

/// A sweep as its file says it.
#[derive(Debug)]
pub struct SweepFile {
    /// Experiment that all runs start from.
    pub base: Option<PathBuf>,
    /// Seeds of each variant.
    pub seeds: Vec<u64>,
    /// Settings of all runs.
    pub set: Vec<Setting>,
    /// Values of each key that is varied.
    axes: Vec<(String, Vec<Value>)>,
    /// Lists of settings, each with its name.
    lists: Vec<(Option<String>, Vec<Setting>)>,
}

/// What runs have in common that differ in their seeds only.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What it is called; nothing if no setting is varied.
    pub name: String,
    /// Settings on top of those of all runs.
    pub settings: Vec<Setting>,
}

/// The tables of the file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Text {
    base: Option<PathBuf>,
    seeds: Vec<u64>,
    set: Table,
    axes: Table,
    runs: Vec<Table>,
}

impl SweepFile {
    /// Parses the text of the file at `path`.
    ///
    /// # Errors
    /// When it is not TOML, holds an unknown key, or an axis has no values.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ExperimentError> {
        let text: Text = toml::from_str(text).map_err(|error| ExperimentError::Parse {
            origin: path.display().to_string(),
            message: explain(&error),
        })?;
        let failed = |message| ExperimentError::Sweep {
            path: path.to_owned(),
            message,
        };
        let lists = text.runs.into_iter().map(list);
        let sweep = Self {
            base: text.base,
            seeds: text.seeds,
            set: settings(text.set),
            axes: axes(text.axes).map_err(failed)?,
            lists: lists.collect::<Result<_, _>>().map_err(failed)?,
        };
        if sweep.keys().any(|key| key == SEED) {
            return Err(failed(format!(
                "it sets {SEED}; name the seeds as seeds = [0, 1]"
            )));
        }
        Ok(sweep)
    }

    /// Keys of all settings.
    fn keys(&self) -> impl Iterator<Item = &str> {
        let listed = self.lists.iter().flat_map(|(_, settings)| settings);
        let set = listed.chain(&self.set).map(|setting| setting.key.as_str());
        set.chain(self.axes.iter().map(|(key, _)| key.as_str()))
    }

    /// Every entry of `[[runs]]` with every combination of the axes.
    ///
    /// # Errors
    /// When there are more than `most`.
    pub fn variants(&self, most: usize) -> Result<Vec<Variant>, String> {
        let lengths = self.axes.iter().map(|(_, values)| values.len());
        let count = lengths.fold(self.lists.len().max(1), usize::saturating_mul);
        if count > most {
            return Err(format!("it has {count} variants, and {most} are the most"));
        }
        let keys: Vec<&str> = self.keys().collect();
        let mut variants: Vec<Variant> = self
            .lists
            .iter()
            .map(|(name, settings)| {
                let parts = settings
                    .iter()
                    .map(|setting| name::of_setting(&setting.key, &setting.value, &keys));
                Variant {
                    name: name
                        .clone()
                        .unwrap_or_else(|| parts.collect::<Vec<_>>().join(",")),
                    settings: settings.clone(),
                }
            })
            .collect();
        if variants.is_empty() {
            variants.push(Variant {
                name: String::new(),
                settings: Vec::new(),
            });
        }
        for (key, values) in &self.axes {
            let combined = variants.iter().flat_map(|variant| {
                values.iter().map(|value| {
                    let mut variant = variant.clone();
                    if !variant.name.is_empty() {
                        variant.name.push(',');
                    }
                    variant.name += &name::of_setting(key, value, &keys);
                    variant
                        .settings
                        .push(Setting::new(key.clone(), value.clone()));
                    variant
                })
            });
            variants = combined.collect();
        }
        Ok(variants)
    }
}

/// The values of the axes, by their keys.
fn axes(table: Table) -> Result<Vec<(String, Vec<Value>)>, String> {
    let settings = settings(table).into_iter();
    let axes = settings.map(|Setting { key, value, .. }| match value {
        Value::Array(values) if !values.is_empty() => Ok((key, values)),
        value => Err(format!(
            "the axis {key} is {value}, but must be a list of values, such as [4, 8]"
        )),
    });
    axes.collect()
}

/// An entry of `[[runs]]`: its name, and its settings.
fn list(mut table: Table) -> Result<(Option<String>, Vec<Setting>), String> {
    let name = match table.remove(NAME) {
        None => None,
        Some(Value::String(name)) if !name.is_empty() => Some(name),
        Some(name) => return Err(format!("a name in [[runs]] is {name}, but must be a text")),
    };
    Ok((name, settings(table)))
}

/// The settings in a table, whose keys may stand in tables of their own. A kind comes before the other keys of its
/// table, which it clears.
fn settings(table: Table) -> Vec<Setting> {
    let mut found = Vec::new();
    flatten("", table, &mut found);
    found.sort_by_key(|setting| !setting.key.ends_with(".kind"));
    found
}

fn flatten(prefix: &str, table: Table, found: &mut Vec<Setting>) {
    for (key, value) in table {
        let key = match prefix {
            "" => key,
            prefix => format!("{prefix}.{key}"),
        };
        match value {
            Value::Table(table) => flatten(&key, table, found),
            value => found.push(Setting::new(key, value)),
        }
    }
}
