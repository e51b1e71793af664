//! Settings that make no sense: one line each, nothing begun, no memory taken.

use std::time::{Duration, Instant};

use crate::{error, n2n};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/smoke.toml");

/// A refusal takes no longer, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keys of counts with an upper bound.
const BOUNDED: [&str; 14] = [
    "model.features",
    "model.depth",
    "data.patch_size",
    "data.channels",
    "data.scenes.train",
    "data.scenes.validation",
    "data.scenes.height",
    "data.scenes.width",
    "data.scenes.oversample",
    "train.batch_size",
    "train.accumulate",
    "train.max_epochs",
    "train.validate_every",
    "train.checkpoint_every",
];

/// Keys of counts that may be of any size.
const UNBOUNDED: [&str; 3] = ["data.limit", "data.validation_limit", "train.max_images"];

/// What no count is.
const NO_COUNTS: [&str; 7] = [
    "0",
    "-1",
    "1.5",
    "\"many\"",
    "[]",
    "true",
    "9223372036854775808",
];

/// What is above every bound.
const TOO_LARGE: [&str; 4] = [
    "9223372036854775807",
    "4611686018427387904",
    "768614336404564651",
    "5000000000",
];

/// Keys of numbers, and what none of them may be.
const NUMBERS: [&str; 16] = [
    "train.lr",
    "train.minutes",
    "train.max_minutes",
    "train.clip_value",
    "train.clip_norm",
    "train.ema",
    "train.optimizer.weight_decay",
    "data.split",
    "data.augment.rotate_deg",
    "data.augment.zoom",
    "data.augment.mix",
    "data.augment.jitter",
    "data.augment.grey",
    "data.scenes.grain",
    "data.scenes.chroma",
    "model.dropout",
];
const NO_NUMBERS: [&str; 7] = ["nan", "-1", "inf", "1e300", "\"much\"", "[1]", "true"];

/// Keys of names, and what none of them is.
const NAMES: [&str; 11] = [
    "model.kind",
    "model.output",
    "data.normalize",
    "data.layout",
    "train.loss",
    "train.target",
    "train.activations",
    "train.on_nan",
    "train.on_dead",
    "train.optimizer.kind",
    "train.scheduler.kind",
];
const NO_NAMES: [&str; 4] = ["\"nothing\"", "7", "[]", "true"];

const OTHERS: [&str; 18] = [
    "data.workers=65",
    "train.early_stop=0",
    "data.range=[0]",
    "data.range=[1,0]",
    "data.range=[nan,1]",
    "data.range=[-1.7e308,1.7e308]",
    "data.range=[0,inf]",
    "data.range=\"wide\"",
    "data.shuffle=2",
    "data.augment.flip=\"yes\"",
    "model.share_weights=[]",
    "train.seed=9223372036854775808",
    "nonsense=1",
    "model.nonsense=1",
    "train=1",
    "=",
    "x",
    "train.batch_size=",
];

#[test]
fn schema_is_printed_for_editors() {
    let output = n2n(&["schema"]).output().unwrap();
    assert!(output.status.success());
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    let lr = &schema["properties"]["train"]["properties"]["lr"];
    assert_eq!(
        (&lr["default"], &lr["type"]),
        (&0.001.into(), &"number".into())
    );
}

#[test]
fn nonsense_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let each = |keys: &[&str], values: &[&str]| {
        let pairs = keys
            .iter()
            .flat_map(|key| values.iter().map(move |value| (key, value)));
        pairs
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
    };
    let mut settings = OTHERS.map(String::from).to_vec();
    settings.extend(each(&BOUNDED, &NO_COUNTS));
    settings.extend(each(&UNBOUNDED, &NO_COUNTS));
    settings.extend(each(&BOUNDED, &TOO_LARGE));
    settings.extend(each(&NUMBERS, &NO_NUMBERS));
    settings.extend(each(&NAMES, &NO_NAMES));
    assert!(settings.len() > 250, "{}", settings.len());
    for setting in settings {
        let fixed = ["train", CONFIG, "--backend", "flex", "--json", "--run-dir"];
        let more = [run.to_str().unwrap(), "--set", &setting];
        let begun = Instant::now();
        let output = n2n(&[&fixed[..], &more].concat()).output().unwrap();
        assert!(
            begun.elapsed() < PATIENCE,
            "{setting} takes {:?}",
            begun.elapsed()
        );
        assert_eq!(output.status.code(), Some(2), "{setting}");
        let message = error(&output);
        assert!(!message.contains("panicked"), "{setting}: {message}");
        assert!(!run.exists(), "{setting} leaves a run directory");
    }
}
