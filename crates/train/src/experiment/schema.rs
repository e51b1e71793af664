//! The JSON Schema of an experiment, for editors: made of the tables of keys in `configs/README.md`, so that keys are
//! described once.

mod keys;
#[cfg(test)]
mod tests;
mod types;

use serde_json::{Map, Value, json};

use self::keys::{Key, documented};

/// The default of a key that must be given.
const REQUIRED: &str = "required";

/// The key that says which keys a table has.
const KIND: &str = "kind";

/// Returns the JSON Schema (draft 2020-12) of an experiment in TOML.
///
/// Rules between keys are not in it, such as those of `data.path` and `data.pairs`.
pub fn schema() -> Value {
    let keys = documented();
    let mut root = object("an experiment of n2n");
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    for key in keys.iter().filter(|key| !is_of_kind(&keys, key)) {
        *place(&mut root, &key.path) = key.schema();
    }
    for table in tables_of_kinds(&keys) {
        let described = place(&mut root, table);
        let description = described["description"].take();
        *described = kinds(table, &keys);
        if description.is_string() {
            described["description"] = description;
        }
    }
    root
}

/// An object of no keys so far, and of no others.
fn object(title: &str) -> Value {
    json!({"title": title, "type": "object", "properties": {}, "additionalProperties": false})
}

/// The place of a key in the schema of all; tables above it are made.
fn place<'a>(root: &'a mut Value, path: &str) -> &'a mut Value {
    let mut place = root;
    let parts: Vec<&str> = path.split('.').collect();
    for depth in 1..=parts.len() {
        let inner = &mut place["properties"][parts[depth - 1]];
        if inner.is_null() {
            *inner = object(&parts[..depth].join("."));
        }
        place = inner;
    }
    place
}

/// The tables whose kind decides which keys they have.
fn tables_of_kinds(keys: &[Key]) -> Vec<&str> {
    let mut tables: Vec<&str> = Vec::new();
    let with_kinds = keys
        .iter()
        .filter(|key| !key.kinds.is_empty() || key.name() == KIND);
    for key in with_kinds {
        if !tables.contains(&key.table()) {
            tables.push(key.table());
        }
    }
    tables
}

fn is_of_kind(keys: &[Key], key: &Key) -> bool {
    tables_of_kinds(keys).contains(&key.table())
}

/// The schema of a table whose kind decides which keys it has: one of several objects. The default kind need not be
/// named.
fn kinds(table: &str, keys: &[Key]) -> Value {
    let keys: Vec<&Key> = keys.iter().filter(|key| key.table() == table).collect();
    let kind = keys.iter().find(|key| key.name() == KIND);
    let default = kind.map(|key| key.default.trim_matches('"'));
    let mut names: Vec<&str> = kind.map_or(Vec::new(), |key| key.names());
    for name in keys.iter().flat_map(|key| &key.kinds) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let branch = |name: &&str| {
        let is_default = default == Some(name);
        let mut branch = object(name);
        let mut required = Vec::new();
        if !is_default {
            required.push(KIND);
        }
        let described = kind.map_or("kind", |key| &key.meaning);
        branch["properties"][KIND] = json!({"const": name, "description": described});
        let own = keys.iter().filter(|key| {
            let of_default = key.kinds.is_empty() && is_default && key.name() != KIND;
            of_default || key.kinds.iter().any(|kind| kind == name)
        });
        for key in own {
            branch["properties"][key.name()] = key.schema();
            if key.default == REQUIRED {
                required.push(key.name());
            }
        }
        branch["required"] = json!(required);
        branch
    };
    let branches: Vec<Value> = names.iter().map(branch).collect();
    let mut schema = Map::new();
    schema.insert("title".to_owned(), json!(table));
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("oneOf".to_owned(), json!(branches));
    schema.into()
}

impl Key {
    /// The schema of the key's value.
    fn schema(&self) -> Value {
        let mut schema = types::schema(&self.r#type);
        schema["title"] = json!(self.path);
        schema["description"] = json!(self.meaning);
        if let Ok(default) = serde_json::from_str::<Value>(&self.default) {
            schema["default"] = default;
        }
        schema
    }
}
