//! The settings of an experiment by their keys.

use std::collections::BTreeMap;

use super::Experiment;

impl Experiment {
    /// Returns the settings by their keys, such as `train.lr`, each value as TOML writes it; what is unset has no key.
    ///
    /// There is none where a path is not valid Unicode, which TOML cannot name.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        if let Ok(table) = toml::Value::try_from(self) {
            flatten("", &table, &mut found);
        }
        found
    }
}

fn flatten(key: &str, value: &toml::Value, found: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let key = match key {
                    "" => name.clone(),
                    key => format!("{key}.{name}"),
                };
                flatten(&key, value, found);
            }
        }
        value => {
            found.insert(key.to_owned(), value.to_string());
        }
    }
}
