//! The tables of keys in `configs/README.md`.

/// The documentation of all keys.
const README: &str = include_str!("../../../../../configs/README.md");

/// A key as the documentation describes it.
#[derive(Debug)]
pub struct Key {
    /// The path, such as `train.lr`.
    pub path: String,
    /// The kinds of its table that have it; none where all do, or the default kind alone.
    pub kinds: Vec<String>,
    /// What its value is, in the words that [`types`](super::types) knows.
    pub r#type: String,
    /// The default as JSON, `unset` or `required`.
    pub default: String,
    /// What it means.
    pub meaning: String,
}

impl Key {
    /// The table of the key.
    pub fn table(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(table, _)| table)
    }

    /// The key within its table.
    pub fn name(&self) -> &str {
        self.path
            .rsplit_once('.')
            .map_or(&self.path, |(_, name)| name)
    }

    /// The names that its type lists.
    pub fn names(&self) -> Vec<&str> {
        self.r#type.split('"').skip(1).step_by(2).collect()
    }
}

/// Returns all keys, in the order of the documentation.
pub fn documented() -> Vec<Key> {
    README.lines().filter_map(key).collect()
}

/// The key of a line of a table with the columns key, type, default and meaning, or with kinds after the key.
fn key(line: &str) -> Option<Key> {
    let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<&str> = cells.split(" | ").collect();
    let (path, kinds, [r#type, default, meaning]) = match cells[..] {
        [path, r#type, default, meaning] => (path, "", [r#type, default, meaning]),
        [path, kinds, r#type, default, meaning] => (path, kinds, [r#type, default, meaning]),
        _ => return None,
    };
    let path = path.strip_prefix('`')?.strip_suffix('`')?;
    let kinds = kinds.split('`').skip(1).step_by(2);
    Some(Key {
        path: path.to_owned(),
        kinds: kinds.map(str::to_owned).collect(),
        r#type: r#type.replace('`', ""),
        default: default.replace('`', ""),
        meaning: without_links(meaning),
    })
}

/// The text with links replaced by what they are called.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (text, name) = before.rsplit_once('[').unwrap_or((before, ""));
        let (_, after) = after.split_once(')').unwrap_or_default();
        plain = plain + text + name;
        rest = after;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_tables_are_keys() {
        let found =
            key("| `a.b` | number, or `\"auto\"` | `1.0` | see [here](x/y.md), in [0, 1] |")
                .unwrap();
        assert_eq!((found.table(), found.name()), ("a", "b"));
        assert_eq!(found.r#type, "number, or \"auto\"");
        assert_eq!(
            (found.default.as_str(), found.meaning.as_str()),
            ("1.0", "see here, in [0, 1]")
        );
        assert!(found.kinds.is_empty() && found.names() == ["auto"]);
        let found = key("| `noise.p` | `x`, `y_z` | level | required | share |").unwrap();
        assert_eq!(found.kinds, ["x", "y_z"]);
        assert!(key("| --- | --- | --- | --- |").is_none() && key("| a | b |").is_none());
    }
}
