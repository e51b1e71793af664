//! Experiments as people write them.

use std::collections::BTreeMap;

use super::*;

fn error(settings: &[&str]) -> String {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let error = Experiment::resolve(Source::Scenes, &settings).expect_err("the setting is invalid");
    format!("{error:#}")
}

#[test]
fn every_key_and_default_stands_in_the_readme() {
    fn flatten(prefix: &str, value: &serde_json::Value, into: &mut BTreeMap<String, String>) {
        match value {
            serde_json::Value::Object(table) => {
                for (key, value) in table {
                    let separator = if prefix.is_empty() { "" } else { "." };
                    flatten(&format!("{prefix}{separator}{key}"), value, into);
                }
            }
            serde_json::Value::Null => {
                into.insert(prefix.to_owned(), "unset".to_owned());
            }
            value => {
                into.insert(prefix.to_owned(), value.to_string());
            }
        }
    }
    let mut defaults = BTreeMap::new();
    let value = serde_json::to_value(Experiment::default()).expect("an experiment is JSON");
    flatten("", &value, &mut defaults);

    let readme = include_str!("../../../../configs/README.md");
    let documented: BTreeMap<String, String> = readme
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(|cell| cell.trim()).collect();
            let [_, key, _, default, _, _] = cells.as_slice() else {
                return None;
            };
            let key = key.strip_prefix('`')?.strip_suffix('`')?;
            Some((key.to_owned(), default.replace('`', "")))
        })
        .collect();
    assert_eq!(documented, defaults);
}

#[test]
fn every_config_in_the_repository_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("configs/ is there") {
        let path = entry.expect("configs/ can be read").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let experiment = Experiment::resolve(Source::File(&path), &[]);
            experiment
                .and_then(|e| e.validate())
                .expect("the config is valid");
            seen += 1;
        }
    }
    assert!(seen >= 3, "found {seen} configs");
}

#[test]
fn resolved_experiment_reads_back_equal() {
    let settings = [
        "data.limit=7",
        "train.optimizer.kind=sgd",
        "train.target=clean",
    ];
    let settings = settings.map(str::to_owned);
    let experiment =
        Experiment::resolve(Source::Scenes, &settings).expect("the settings are valid");
    let text = experiment.to_toml().expect("an experiment is TOML");
    assert_eq!(toml::from_str::<Experiment>(&text), Ok(experiment));
}

#[test]
fn unknown_key_names_the_nearest_valid_one() {
    let message = error(&["train.batchsize=3"]);
    assert!(
        message.contains("in the setting train.batchsize=3"),
        "{message}"
    );
    assert!(message.contains("unknown field `batchsize`"), "{message}");
    assert!(message.ends_with("did you mean `batch_size`?"), "{message}");
    let message = error(&["train.optimizer.kind=adm"]);
    assert!(message.ends_with("did you mean `adam`?"), "{message}");
}

#[test]
fn setting_of_the_wrong_type_names_itself() {
    let message = error(&["train.seed=1", "train.lr=fast"]);
    assert!(
        message.contains("in the setting train.lr=fast"),
        "{message}"
    );
    let message = error(&["train"]);
    assert!(message.contains("expected key=value"), "{message}");
    let message = error(&["train.lr.x=1", "train.lr.y=2"]);
    assert!(message.contains("in the setting train.lr.x=1"), "{message}");
}

#[test]
fn validations_come_after_batches_or_epochs() {
    let interval = |setting: &str| {
        let experiment = Experiment::resolve(Source::Scenes, &[setting.to_owned()]);
        experiment.map(|e| e.train.validate_every)
    };
    assert_eq!(
        interval("train.validate_every=7").expect("a number"),
        Interval::Batches(7)
    );
    let epoch = interval("train.validate_every=epoch").expect("a word");
    assert_eq!(epoch.batches(65, 16, 1000), 5);
    let share = interval("train.validate_every=5%").expect("a share");
    assert_eq!(share, Interval::Percent(5.0));
    assert_eq!(
        [2001, 16].map(|images| share.batches(65, 16, images)),
        [7, 1]
    );
    for wrong in ["0", "-1", "1.5", "batch", "0%", "101%"] {
        let message = error(&[&format!("train.validate_every={wrong}")]);
        assert!(message.contains("\"epoch\", but got"), "{message}");
    }
}

#[test]
fn relative_loss_excludes_normalized_outputs() {
    let validated = |settings: &[&str]| {
        let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
        Experiment::resolve(Source::Scenes, &settings).and_then(|e| e.validate())
    };
    let (residual, relative) = ("model.output=residual", "train.loss=relative_l2");
    for normalize in ["per_image", "per_channel", "per_pixel"] {
        let normalize = format!("data.normalize={normalize}");
        validated(&[residual, &normalize]).expect("outputs are brought back");
        validated(&["model.output=linear", &normalize]).expect("outputs are brought back");
        validated(&[relative, &normalize]).expect("the output is in [0, 1]");
    }
    let settings = [residual, relative, "data.normalize=per_image"];
    let error = validated(&settings).expect_err("an output around 0");
    assert!(
        error.to_string().contains("data.normalize = \"none\""),
        "{error}"
    );
}

#[test]
fn value_out_of_range_names_its_key() {
    for (setting, expected) in [
        ("train.batch_size=0", "train.batch_size is 0"),
        ("train.lr=-1", "train.lr is -1"),
        (
            "train.scheduler.factor=1.5",
            "train.scheduler.factor is 1.5",
        ),
        ("data.scenes.oversample=0", "data.scenes.oversample is 0"),
        (
            "data.scenes.texture=[0.3,0.1]",
            "data.scenes.texture is [0.3, 0.1]",
        ),
        ("data.scenes.grain=2", "data.scenes.grain is 2"),
        ("data.scenes.chroma=-1", "data.scenes.chroma is -1"),
        ("model.depth=1", "model.depth is 1"),
    ] {
        let experiment = Experiment::resolve(Source::Scenes, &[setting.to_owned()]);
        let error = experiment.and_then(|e| e.validate()).expect_err(setting);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
