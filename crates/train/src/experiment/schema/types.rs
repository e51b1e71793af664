//! The words in which the documentation says what a value is, as schemas.
//!
//! Alternatives stand side by side: `number from 1 to 4, or "auto"`. Each is a name in quotes, a word, or a count or
//! number with bounds: `from`, `above`, `to`, `below`.

use serde_json::{Value, json};

/// Words for whole numbers, which say what is counted.
const COUNTS: [&str; 9] = [
    "integer",
    "images",
    "batches",
    "passes",
    "validations",
    "scenes",
    "pixels",
    "threads",
    "MiB",
];

/// Words for numbers.
const NUMBERS: [&str; 3] = ["number", "degrees", "minutes"];

/// Returns the schema of a type.
///
/// # Panics
/// If the type is in words that are not known, which a test rules out for the documentation.
pub fn schema(r#type: &str) -> Value {
    let alternatives = r#type
        .split(", ")
        .map(|part| part.strip_prefix("or ").unwrap_or(part));
    let (names, others): (Vec<&str>, Vec<&str>) = alternatives.partition(|part| is_name(part));
    let names: Vec<&str> = names.iter().map(|name| name.trim_matches('"')).collect();
    let mut schemas: Vec<Value> = others.into_iter().map(alternative).collect();
    if !names.is_empty() {
        schemas.insert(0, json!({"type": "string", "enum": names}));
    }
    match <[Value; 1]>::try_from(schemas) {
        Ok([only]) => only,
        Err(several) => json!({"anyOf": several}),
    }
}

/// A share in percent is an example.
fn is_name(part: &str) -> bool {
    part.starts_with('"') && !part.contains('%')
}

fn alternative(part: &str) -> Value {
    let (word, bounds) = part.split_once(' ').unwrap_or((part, ""));
    match (word, bounds) {
        ("boolean", "") => json!({"type": "boolean"}),
        ("path", "") => json!({"type": "string"}),
        ("table", "") => json!({"type": "object"}),
        ("letters", "") => json!({"type": "string", "pattern": "^[NTZCYX]+$"}),
        ("two", "paths") => two(json!({"type": "string"})),
        ("two", "numbers for each channel") => {
            json!({"type": "array", "items": two(number("")), "minItems": 1})
        }
        ("two", rest) if rest.starts_with("numbers") => two(number(&rest["numbers".len()..])),
        ("level", bounds) => json!({"anyOf": [number(bounds), two(number(bounds))]}),
        (word, bounds) if COUNTS.contains(&word) => bounded("integer", bounds),
        (word, bounds) if NUMBERS.contains(&word) => number(bounds),
        _ if part.contains('%') => {
            json!({"type": "string", "pattern": "^[0-9.]+ *%$"})
        }
        _ => panic!("`{part}` is no type"),
    }
}

fn number(bounds: &str) -> Value {
    bounded("number", bounds)
}

fn two(item: Value) -> Value {
    json!({"type": "array", "items": item, "minItems": 2, "maxItems": 2})
}

/// A number with bounds such as `from 0 to below 1`.
fn bounded(r#type: &str, bounds: &str) -> Value {
    let mut schema = json!({"type": r#type});
    let mut words = bounds
        .split_whitespace()
        .filter(|word| *word != "to")
        .peekable();
    let mut has_lower = false;
    while let Some(word) = words.next() {
        let keyword = match word {
            "from" => "minimum",
            "above" => "exclusiveMinimum",
            "below" => "exclusiveMaximum",
            _ => "maximum",
        };
        has_lower |= keyword.ends_with("inimum");
        let text = if keyword == "maximum" {
            Some(word)
        } else {
            words.next()
        };
        let bound = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let bound = bound.filter(Value::is_number);
        schema[keyword] = bound.unwrap_or_else(|| panic!("`{bounds}` are no bounds"));
    }
    assert!(
        has_lower || bounds.is_empty(),
        "`{bounds}` have no lower end"
    );
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_schemas() {
        for (words, expected) in [
            ("boolean", json!({"type": "boolean"})),
            (
                "\"a\", \"b\"",
                json!({"type": "string", "enum": ["a", "b"]}),
            ),
            (
                "number from 0 to below 1, or \"auto\"",
                json!({"anyOf": [
                    {"type": "string", "enum": ["auto"]},
                    {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
                ]}),
            ),
            (
                "pixels from 1 to 4096",
                json!({"type": "integer", "minimum": 1, "maximum": 4096}),
            ),
            (
                "two numbers above 0.5",
                json!({"type": "array", "minItems": 2, "maxItems": 2,
                    "items": {"type": "number", "exclusiveMinimum": 0.5}}),
            ),
        ] {
            assert_eq!(schema(words), expected, "{words}");
        }
    }

    #[test]
    #[should_panic(expected = "`furlongs` is no type")]
    fn unknown_words_are_no_type() {
        schema("furlongs");
    }
}
