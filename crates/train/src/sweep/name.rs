//! Names of runs, which are those of their folders.

use std::path::Path;

use toml::Value;

/// Most bytes of a name: file systems allow 255, and files beside the folder have longer names.
const LONGEST: usize = 200;

/// What a name may contain beside letters and digits of any alphabet.
const ALLOWED: &str = "-_=.,+";

/// The name of a sweep's file, without its extension.
pub fn of_file(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    stem.to_string_lossy().into_owned()
}

/// Checks that a name can be that of a folder.
///
/// # Errors
/// When it cannot.
pub fn check(name: &str) -> Result<(), String> {
    let is_allowed = |letter: char| letter.is_alphanumeric() || ALLOWED.contains(letter);
    if let Some(letter) = name.chars().find(|letter| !is_allowed(*letter)) {
        return Err(format!(
            "the name {name:?} contains {letter:?}; use letters, digits and any of {ALLOWED}"
        ));
    }
    if name.starts_with('.') {
        return Err(format!("the name {name:?} starts with a dot"));
    }
    if name.len() > LONGEST {
        return Err(format!(
            "the name {name} has more than {LONGEST} letters; give the entries of [[runs]] names"
        ));
    }
    Ok(())
}

/// The name of a setting: the end of its key and its value, `features=16` or `optimizer=sgd`.
///
/// `keys` are those of all settings that vary; where the ends of two are alike, the whole key is told.
pub fn of_setting(key: &str, value: &Value, keys: &[&str]) -> String {
    let of_key = short(key);
    let is_shared = keys
        .iter()
        .any(|other| *other != key && short(other) == of_key);
    let of_key = if is_shared { key } else { of_key };
    format!("{of_key}={}", of_value(value))
}

/// The last part of a key; a kind is called by its table.
fn short(key: &str) -> &str {
    let key = key.strip_suffix(".kind").unwrap_or(key);
    key.rsplit('.').next().unwrap_or(key)
}

/// A value without what names cannot contain.
fn of_value(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Table(table) => {
            let kind = table.get("kind").map(of_value);
            let others = table.iter().filter(|(key, _)| *key != "kind");
            let others = others.map(|(key, value)| format!("{key}-{}", of_value(value)));
            let parts: Vec<String> = kind.into_iter().chain(others).collect();
            return parts.join("-");
        }
        value => value.to_string(),
    };
    let letters = text.chars().map(|letter| match letter {
        letter if letter.is_alphanumeric() || "-_.+".contains(letter) => letter,
        _ => '-',
    });
    let text: String = letters.collect();
    let parts: Vec<&str> = text.split('-').filter(|part| !part.is_empty()).collect();
    let sign = if text.starts_with('-') && matches!(value, Value::Integer(_) | Value::Float(_)) {
        "-"
    } else {
        ""
    };
    format!("{sign}{}", parts.join("-"))
}
