//! Sweeps as people write them.

use std::fs;

use super::*;

/// Plans the runs of a text, whose base is the embedded experiment.
fn plan(text: &str) -> Result<Vec<PlannedRun>, ExperimentError> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("sweep.toml");
    fs::write(&path, text).expect("the file can be written");
    Sweep::read(&path, Source::Scenes, &["train.max_images=64".to_owned()]).map(|sweep| sweep.runs)
}

fn names(text: &str) -> Vec<String> {
    let runs = plan(text).expect("the sweep is valid");
    runs.into_iter().map(|run| run.name).collect()
}

fn error(text: &str) -> String {
    plan(text).expect_err("the sweep is invalid").to_string()
}

#[test]
fn axes_and_seeds_are_combined() {
    let text = "seeds = [3, 5]\n[axes]\nmodel.features = [4, 8]\ntrain.lr = [0.1, 1e-3]";
    let expected = [
        "features=4,lr=0.1,seed=3",
        "features=4,lr=0.001,seed=3",
        "features=8,lr=0.1,seed=3",
        "features=8,lr=0.001,seed=3",
        "features=4,lr=0.1,seed=5",
    ];
    assert_eq!(names(text)[..5], expected);
    let run = &plan(text).expect("the sweep is valid")[6];
    assert_eq!((run.seed, run.variant.as_str()), (5, "features=8,lr=0.1"));
    let expected = Experiment::resolve(
        Source::Scenes,
        &[
            "model.features=8",
            "train.lr=0.1",
            "train.seed=5",
            "train.max_images=64",
        ]
        .map(str::to_owned),
    );
    assert_eq!(run.experiment, expected.expect("the settings are valid"));
}

#[test]
fn lists_of_settings_are_combined_with_axes() {
    let text = "[set]\ntrain.lr = 0.5\n[axes]\nmodel.features = [4, 8]\n[[runs]]\nname = 'plain'\n\
                [[runs]]\n'train.scheduler.kind' = 'cosine'\ntrain.scheduler.warmup = 7";
    let expected = [
        "plain,features=4,seed=0",
        "plain,features=8,seed=0",
        "scheduler=cosine,warmup=7,features=4,seed=0",
        "scheduler=cosine,warmup=7,features=8,seed=0",
    ];
    assert_eq!(names(text), expected);
    let runs = plan(text).expect("the sweep is valid");
    assert!(runs.iter().all(|run| run.experiment.train.lr == 0.5));
    let schedule = runs[3].experiment.to_toml().expect("it is TOML");
    assert!(
        schedule.contains("kind = \"cosine\"\nwarmup = 7"),
        "{schedule}"
    );
}

#[test]
fn without_seeds_the_base_has_one() {
    assert_eq!(names(""), ["seed=0"]);
    assert_eq!(names("[axes]\ndata.limit = [9]"), ["limit=9,seed=0"]);
}

#[test]
fn a_base_stands_beside_the_file() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("base.toml"), "model.features = 5").expect("it can be written");
    let path = folder.path().join("wide.toml");
    fs::write(&path, "base = 'base.toml'\n[axes]\nmodel.depth = [2]").expect("it can be written");
    let sweep = Sweep::read(&path, Source::Scenes, &[]).expect("the sweep is valid");
    assert_eq!(sweep.name, "wide");
    let toml = sweep.runs[0].experiment.to_toml().expect("it is TOML");
    assert!(toml.contains("features = 5\ndepth = 2"), "{toml}");
}

#[test]
fn values_of_any_type_make_names() {
    let text = "[axes]\ndata.range = [[0, 4095], 'auto']\n\
                noise = [{ kind = 'gaussian', sigma_255 = 25 }, { kind = 'points' }]";
    let expected = [
        "range=0-4095,noise=gaussian-sigma_255-25,seed=0",
        "range=0-4095,noise=points,seed=0",
        "range=auto,noise=gaussian-sigma_255-25,seed=0",
        "range=auto,noise=points,seed=0",
    ];
    assert_eq!(names(text), expected);
}

#[test]
fn keys_with_one_end_are_told_apart() {
    let text = "[axes]\ntrain.optimizer.weight_decay = [0.1]\ntrain.optimizer.kind = ['sgd']\n\
                [[runs]]\ndata.scenes.zoom = [1, 2]\ndata.augment.zoom = 1.5";
    let expected =
        "data.augment.zoom=1.5,data.scenes.zoom=1-2,optimizer=sgd,weight_decay=0.1,seed=0";
    assert_eq!(names(text), [expected]);
}

#[test]
fn mistakes_are_named_with_a_way_out() {
    for (text, expected) in [
        ("axis = 3", "did you mean `axes`?"),
        (
            "[axes]\nmodel.features = 4",
            "the axis model.features is 4, but must be a list of values",
        ),
        ("[axes]\nmodel.feature = [4]", "did you mean `features`?"),
        (
            "[axes]\ntrain.seed = [4]",
            "name the seeds as seeds = [0, 1]",
        ),
        ("seeds = [1, 1]", "two runs are called seed=1 and seed=1"),
        ("[axes]\ntrain.target = ['Noisy', 'noisy']", "Noisy"),
        (
            "[[runs]]\nname = 'a/b'",
            "the name \"a/b,seed=0\" contains '/'",
        ),
        ("[[runs]]\nname = 3", "a name in [[runs]] is 3"),
        ("base = 'gone.toml'", "gone.toml"),
    ] {
        let found = error(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
    let axis = |key: &str| format!("{key} = [{}]\n", "1,".repeat(200));
    let text = format!("[axes]\n{}{}", axis("model.features"), axis("model.depth"));
    assert!(error(&text).contains("it has 40000 variants, and 10000 are the most"));
}
