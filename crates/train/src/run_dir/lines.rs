//! Lines of `metrics.jsonl`, in the very digits in which they are written.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error};
use serde_json::{Deserializer, Value};

/// A value of a line: its key, and the contents of a string, nothing for null, else the JSON.
pub type Cell = (String, String);

/// Returns the values of a line, in its order. Numbers are not parsed: reading a decimal and writing it
/// again could change its last digit.
///
/// # Errors
/// When the line is no JSON object.
pub fn cells(line: &str) -> serde_json::Result<Vec<Cell>> {
    // Everything is well-formed from here on.
    serde_json::from_str::<BTreeMap<String, Value>>(line)?;
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|c: char| c == '{' || c == ',' || c.is_whitespace());
        if rest.starts_with('}') {
            return Ok(cells);
        }
        let (key, after) = first::<String>(rest)?;
        let after = after.trim_start().trim_start_matches(':').trim_start();
        let (value, next) = first::<Value>(after)?;
        let text = match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            _ => after[..after.len() - next.len()].to_owned(),
        };
        cells.push((key, text));
        rest = next;
    }
}

/// Returns the value that a text begins with, and what follows it.
fn first<T: DeserializeOwned>(text: &str) -> serde_json::Result<(T, &str)> {
    let mut values = Deserializer::from_str(text).into_iter();
    let value = values.next();
    let value = value.unwrap_or_else(|| Err(Error::custom("a value is missing")))?;
    Ok((value, &text[values.byte_offset()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let line = r#"{"a": 1,"b":0.1000000000000000055511151231257827,"c":1e-07 , "d":null,"e":"x, \"y\"}","f":[1, 2]}"#;
        let expected = [
            ("a", "1"),
            ("b", "0.1000000000000000055511151231257827"),
            ("c", "1e-07"),
            ("d", ""),
            ("e", "x, \"y\"}"),
            ("f", "[1, 2]"),
        ];
        assert_eq!(
            cells(line).unwrap(),
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert_eq!(cells("{}").unwrap(), []);
        for damaged in ["", "[]", "{", "{\"a\":1", "{\"a\":1}{", "{\"a\" 1}"] {
            assert!(cells(damaged).is_err(), "{damaged}");
        }
    }
}
