//! The schema against the parser: both accept and refuse the same.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::*;
use crate::Experiment;

/// Keywords that say nothing about which values are valid, or too little to check here: patterns are of texts that the
/// parser looks at itself.
const ANNOTATIONS: [&str; 5] = ["$schema", "title", "description", "default", "pattern"];

/// What is wrong with a value, if anything.
fn problem(schema: &Value, value: &Value) -> Option<String> {
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        let number = || value.as_f64().zip(rule.as_f64());
        let array = || value.as_array().zip(rule.as_u64());
        let holds = match keyword.as_str() {
            "type" => match rule.as_str().expect("a name") {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                other => panic!("{other} is no type"),
            },
            "enum" => rule.as_array().expect("names").contains(value),
            "const" => rule == value,
            "minimum" => number().is_none_or(|(value, bound)| value >= bound),
            "exclusiveMinimum" => number().is_none_or(|(value, bound)| value > bound),
            "maximum" => number().is_none_or(|(value, bound)| value <= bound),
            "exclusiveMaximum" => number().is_none_or(|(value, bound)| value < bound),
            "minItems" => array().is_none_or(|(items, least)| items.len() as u64 >= least),
            "maxItems" => array().is_none_or(|(items, most)| items.len() as u64 <= most),
            "items" => {
                let mut items = value.as_array().into_iter().flatten();
                items.all(|item| problem(rule, item).is_none())
            }
            "anyOf" => schemas(rule).any(|schema| problem(schema, value).is_none()),
            "oneOf" => {
                let fitting = schemas(rule).filter(|schema| problem(schema, value).is_none());
                fitting.count() == 1
            }
            "required" => {
                let mut keys = rule.as_array().expect("keys").iter();
                keys.all(|key| value.get(key.as_str().expect("a key")).is_some())
            }
            "additionalProperties" => {
                assert_eq!(rule, false);
                let mut keys = value.as_object().into_iter().flatten();
                keys.all(|(key, _)| schema["properties"].get(key).is_some())
            }
            "properties" => {
                let mut keys = value.as_object().into_iter().flatten();
                keys.all(|(key, value)| {
                    let rule = rule.get(key);
                    rule.is_none_or(|rule| problem(rule, value).is_none())
                })
            }
            annotation => {
                assert!(ANNOTATIONS.contains(&annotation), "{annotation}");
                true
            }
        };
        if !holds {
            return Some(format!("{value} against {keyword} {rule}"));
        }
    }
    None
}

fn schemas(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().expect("schemas").iter()
}

/// Settings by their paths.
type Settings = Vec<(String, Value)>;

/// The settings as the table that a file is.
fn table(settings: &Settings) -> Value {
    let mut table = json!({});
    for (path, value) in settings {
        let mut place = &mut table;
        for part in path.split('.') {
            place = &mut place[part];
        }
        *place = value.clone();
    }
    table
}

/// Reads an experiment as from a file.
fn parsed(settings: &Settings) -> Result<Experiment, String> {
    let table = toml::Table::try_from(table(settings)).expect("JSON without null is TOML");
    let experiment = Experiment::deserialize(table).map_err(|error| error.to_string())?;
    let valid = experiment.validate();
    valid.map_err(|error| error.to_string())?;
    Ok(experiment)
}

/// A key of the schema, with what must be set for it.
struct Leaf<'a> {
    path: String,
    schema: &'a Value,
    others: Settings,
}

/// All keys, those of each kind by themselves; and all tables.
fn leaves_and_tables(schema: &Value) -> (Vec<Leaf<'_>>, Vec<Leaf<'_>>) {
    let (mut leaves, mut tables) = (Vec::new(), Vec::new());
    let mut left = vec![Leaf {
        path: String::new(),
        schema,
        others: Vec::new(),
    }];
    while let Some(at) = left.pop() {
        let path = |key: &str| match at.path.as_str() {
            "" => key.to_owned(),
            table => format!("{table}.{key}"),
        };
        let schema = at.schema;
        let branches = schema.get("oneOf").into_iter().flat_map(schemas);
        for branch in branches {
            let required = branch["required"].as_array().expect("keys").iter();
            let mut others: Settings = required
                .map(|key| {
                    let key = key.as_str().expect("a key");
                    (path(key), samples(&branch["properties"][key]).0[0].clone())
                })
                .collect();
            others.push((path("kind"), branch["properties"]["kind"]["const"].clone()));
            left.push(Leaf {
                path: at.path.clone(),
                schema: branch,
                others,
            });
        }
        if let Some(keys) = schema.get("properties") {
            for (key, schema) in keys.as_object().expect("keys") {
                left.push(Leaf {
                    path: path(key),
                    schema,
                    others: at.others.clone(),
                });
            }
            tables.push(at);
        } else if schema.get("oneOf").is_none() {
            leaves.push(at);
        }
    }
    (leaves, tables)
}

/// Values that a schema accepts, and others that it refuses; all at its bounds.
fn samples(schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    if let Some(list) = schema.get("anyOf") {
        for schema in schemas(list) {
            let (accepted, refused) = samples(schema);
            good.extend(accepted);
            bad.extend(refused);
        }
        bad.retain(|value| problem(schema, value).is_some());
        return (good, bad);
    }
    if let Some(value) = schema.get("const") {
        return (vec![value.clone()], vec![json!("nonsense")]);
    }
    match schema["type"].as_str().expect("a type") {
        "boolean" => (
            vec![json!(true), json!(false)],
            vec![json!(7), json!("nonsense")],
        ),
        "string" => match (schema.get("enum"), schema.get("pattern")) {
            (Some(names), _) => (
                names.as_array().expect("names").clone(),
                vec![json!("nonsense")],
            ),
            (None, Some(pattern)) if pattern.as_str().expect("text").contains('%') => {
                (vec![json!("5%"), json!("12.5 %")], vec![json!(true)])
            }
            (None, Some(_)) => (vec![json!("YX"), json!("TCYX")], vec![json!(true)]),
            (None, None) => (vec![json!("a b")], vec![json!(7)]),
        },
        "array" => {
            let (inner, _) = samples(&schema["items"]);
            let (first, last) = (inner[0].clone(), inner[inner.len() - 1].clone());
            let two = schema.get("maxItems").is_some();
            let good = if two {
                json!([first, last])
            } else {
                json!([first])
            };
            (vec![good], vec![json!([]), json!(true)])
        }
        "integer" | "number" => {
            let is_whole = schema["type"] == "integer";
            let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
            let step = if is_whole { 1.0 } else { 1.0 / 1024.0 };
            let value = |number: f64| {
                if is_whole {
                    json!(number as i64)
                } else {
                    json!(number)
                }
            };
            let lowest = bound("minimum").or(bound("exclusiveMinimum").map(|bound| bound + step));
            let highest = bound("maximum").or(bound("exclusiveMaximum").map(|bound| bound - step));
            good.push(value(lowest.unwrap_or(1.0)));
            good.push(value(
                highest.unwrap_or_else(|| lowest.unwrap_or(1.0) + 1.0),
            ));
            bad.extend(bound("minimum").map(|bound| value(bound - step)));
            bad.extend(bound("exclusiveMinimum").map(value));
            bad.extend(bound("maximum").map(|bound| value(bound + step)));
            bad.extend(bound("exclusiveMaximum").map(value));
            bad.push(json!("nonsense"));
            if is_whole {
                bad.push(json!(1.5));
            }
            (good, bad)
        }
        other => panic!("no sample of {other}"),
    }
}

/// What else a key needs to be possible.
fn needs(path: &str) -> Settings {
    let needed = match path {
        "data.clean" => ("data.pairs", json!(["a", "b"])),
        // The learning rate falls towards it.
        "train.scheduler.min_lr" => ("train.lr", json!(10.0)),
        "train.optimizer.nesterov" => ("train.optimizer.momentum", json!(0.5)),
        _ => return Vec::new(),
    };
    vec![(needed.0.to_owned(), needed.1)]
}

#[test]
fn schema_and_parser_accept_and_refuse_the_same() {
    let schema = schema();
    let (leaves, _) = leaves_and_tables(&schema);
    assert!(leaves.len() > 120, "{}", leaves.len());
    for leaf in &leaves {
        let (mut good, bad) = samples(leaf.schema);
        good.extend(leaf.schema.get("default").cloned());
        let tried = good.iter().map(|value| (value, true));
        for (value, expected) in tried.chain(bad.iter().map(|value| (value, false))) {
            let mut settings = leaf.others.clone();
            settings.extend(needs(&leaf.path));
            settings.push((leaf.path.clone(), value.clone()));
            let problem = problem(&schema, &table(&settings));
            let parsed = parsed(&settings).err();
            assert_eq!(
                (problem.is_none(), parsed.is_none()),
                (expected, expected),
                "{settings:?}: {problem:?} {parsed:?}"
            );
        }
    }
}

#[test]
fn schema_and_parser_refuse_unknown_keys() {
    let schema = schema();
    let (_, tables) = leaves_and_tables(&schema);
    // Of each kind, and those without.
    assert!(tables.len() > 20, "{}", tables.len());
    for table_at in tables {
        let key = match table_at.path.as_str() {
            "" => "nonsense".to_owned(),
            path => format!("{path}.nonsense"),
        };
        let mut settings = table_at.others.clone();
        assert_eq!(problem(&schema, &table(&settings)), None, "{settings:?}");
        parsed(&settings).expect("what a kind needs is there");
        settings.push((key.clone(), json!(1)));
        assert!(problem(&schema, &table(&settings)).is_some(), "{key}");
        let error = parsed(&settings).expect_err(&key);
        assert!(error.contains("unknown field `nonsense`"), "{error}");
    }
}

/// Checks that a table has the keys of the schema and no others, with its defaults.
fn assert_defaults(schema: &Value, value: &Value, others: &Settings, path: &str) {
    if let Some(branches) = schema.get("oneOf") {
        if value.is_null() {
            return;
        }
        let mut branches = schemas(branches);
        let branch = branches.find(|branch| branch["properties"]["kind"]["const"] == value["kind"]);
        return assert_defaults(branch.expect("the kind is known"), value, others, path);
    }
    if let Some(keys) = schema.get("properties") {
        let (keys, values) = (
            keys.as_object().expect("keys"),
            value.as_object().expect("a table"),
        );
        let names: Vec<_> = keys.keys().collect();
        let mut found: Vec<_> = values.keys().collect();
        found.sort();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(sorted, found, "{path}");
        for (key, schema) in keys {
            let path = format!("{path}.{key}");
            assert_defaults(schema, &values[key], others, path.trim_start_matches('.'));
        }
        return;
    }
    if !others.iter().any(|(given, _)| given == path) {
        let default = schema.get("const").or(schema.get("default"));
        let default = default.unwrap_or(&Value::Null);
        assert_eq!(default, value, "{path}");
    }
}

#[test]
fn schema_has_the_keys_and_defaults_of_each_kind() {
    let schema = schema();
    let (_, tables) = leaves_and_tables(&schema);
    for Leaf { others, .. } in tables {
        let experiment = parsed(&others).expect("what a kind needs is there");
        let value = serde_json::to_value(experiment).expect("an experiment is JSON");
        assert_defaults(&schema, &value, &others, "");
    }
}

#[test]
fn every_config_in_the_repository_fits_the_schema() {
    let schema = schema();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("configs/ is there") {
        let path = entry.expect("configs/ can be read").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = fs::read_to_string(&path).expect("it is text");
            let value: Value = toml::from_str(&text).expect("it is TOML");
            assert_eq!(problem(&schema, &value), None, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 3, "found {seen} configs");
}
