//! `key=value` settings on top of a file, and error messages that suggest the nearest valid name.

use super::ExperimentError;

/// Similarity (1 is equal) above which a valid name is suggested for an unknown one.
const SIMILAR: f64 = 0.6;

/// A value for one key of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The key, with its tables: `train.lr`.
    pub key: String,
    /// The value.
    pub value: toml::Value,
    /// How errors show it.
    pub text: String,
}

impl Setting {
    /// Makes a setting of a key and its value.
    pub fn new(key: String, value: toml::Value) -> Self {
        let text = format!("{key} = {value}");
        Self { key, value, text }
    }

    /// Parses `key.path=value`. A value that is not TOML is taken as a string, so that
    /// `train.target=clean` needs no quotes.
    ///
    /// # Errors
    /// When the text has no `=`.
    pub fn parse(text: &str) -> Result<Self, ExperimentError> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(ExperimentError::Setting {
                setting: text.to_owned(),
                message: "expected key=value, such as train.lr=0.1".to_owned(),
            });
        };
        let value = toml::from_str::<toml::Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut parsed| parsed.remove("value"))
            .unwrap_or_else(|| toml::Value::String(value.to_owned()));
        Ok(Self {
            key: key.to_owned(),
            value,
            text: text.to_owned(),
        })
    }

    /// Puts the setting into a table.
    ///
    /// # Errors
    /// When its path goes through a value.
    pub fn apply(&self, table: &mut toml::Table) -> Result<(), String> {
        let mut path: Vec<&str> = self.key.split('.').map(str::trim).collect();
        let last = path.pop().unwrap_or_default();
        let mut table = table;
        for part in path {
            table = table
                .entry(part)
                .or_insert_with(|| toml::Table::new().into())
                .as_table_mut()
                .ok_or_else(|| format!("{part} is a value and has no keys"))?;
        }
        if last == "kind" {
            // Another kind has other parameters.
            table.clear();
        }
        table.insert(last.to_owned(), self.value.clone());
        Ok(())
    }
}

/// Returns the message of an error, and the nearest valid name for an unknown key or kind.
pub fn explain(error: &toml::de::Error) -> String {
    // Serde's wording is: unknown field `x`, expected one of `a`, `b`.
    let mut names = error.message().split('`').skip(1).step_by(2);
    let nearest = names
        .next()
        .filter(|_| error.message().starts_with("unknown"))
        .and_then(|unknown| {
            names
                .map(|valid| (strsim::jaro_winkler(unknown, valid), valid))
                .filter(|(similarity, _)| *similarity > SIMILAR)
                .max_by(|a, b| a.0.total_cmp(&b.0))
        });
    let text = error.to_string();
    let text = text.trim_end();
    match nearest {
        Some((_, valid)) => format!("{text}\ndid you mean `{valid}`?"),
        None => text.to_owned(),
    }
}
