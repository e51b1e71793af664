//! An experiment: TOML files and `--set` in, checked settings out. The only file that knows TOML.

use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use n2n_data::noise::NoiseConfig;
use n2n_data::{DataConfig, Target};
use n2n_model::{Loss, NetworkConfig};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::args::ExperimentArgs;

/// What `n2n train` does without a CONFIG.
const DEFAULT_CONFIG: &str = include_str!("../../../configs/default.toml");

/// What it does without a CONFIG on a person's own data.
const OWN_DATA_CONFIG: &str = include_str!("../../../configs/own.toml");

/// Length of a run where neither `max_images` nor `max_epochs` is set: where the reference's own
/// curve has flattened out.
const DEFAULT_MAX_IMAGES: usize = 500_000;

/// How close a misspelt key must be to a valid one to be taken for it (1 is equal).
const SIMILAR: f64 = 0.6;

/// Everything that decides what a run computes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// The network.
    #[serde(deserialize_with = "with_default_kind")]
    pub model: NetworkConfig,
    /// What it is trained and validated on.
    pub data: DataConfig,
    /// Noise that is put on clean images.
    pub noise: Option<NoiseConfig>,
    /// How it is trained.
    pub train: TrainConfig,
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of the initial weights, the order of the examples and the embedded scenes.
    pub seed: u64,
    /// Which image the loss compares the output with.
    pub target: Target,
    /// What is minimized.
    pub loss: Loss,
    /// Images in a step.
    pub batch_size: usize,
    /// Stop after so many images.
    pub max_images: Option<usize>,
    /// Stop after so many passes over the training set.
    pub max_epochs: Option<usize>,
    /// Batches between validations, or `"epoch"`.
    pub validate_every: Interval,
    /// Batches between checkpoints, beside those at validations.
    pub checkpoint_every: usize,
    /// Learning rate at the start.
    pub lr: f64,
    /// Update rule.
    #[serde(deserialize_with = "with_default_kind")]
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes.
    #[serde(deserialize_with = "with_default_kind")]
    pub scheduler: SchedulerConfig,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            target: Target::Noisy,
            loss: Loss::L2,
            batch_size: 16,
            max_images: None,
            max_epochs: None,
            validate_every: Interval::Batches(150),
            checkpoint_every: 1000,
            lr: 1e-3,
            optimizer: OptimizerConfig::default(),
            scheduler: SchedulerConfig::default(),
        }
    }
}

/// How often something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// After so many batches.
    Batches(usize),
    /// After each pass over the training set.
    Epoch,
}

/// How an [`Interval`] of a pass is written.
const EPOCH: &str = "epoch";

impl Interval {
    /// The number of batches.
    pub fn batches(self, train_examples: usize, batch_size: usize) -> usize {
        match self {
            Self::Batches(batches) => batches,
            Self::Epoch => train_examples.div_ceil(batch_size),
        }
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Batches(batches) => batches.serialize(serializer),
            Self::Epoch => EPOCH.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let batches = value.as_integer().map(usize::try_from);
        match (batches, value.as_str()) {
            (Some(Ok(batches @ 1..)), _) => Ok(Self::Batches(batches)),
            (_, Some(EPOCH)) => Ok(Self::Epoch),
            _ => Err(D::Error::custom(format!(
                "expected a number of batches, at least 1, or \"{EPOCH}\", but got {value}"
            ))),
        }
    }
}

/// A choice whose table may leave out its `kind`.
trait Kinded: DeserializeOwned {
    const DEFAULT_KIND: &'static str;
}

impl Kinded for NetworkConfig {
    const DEFAULT_KIND: &'static str = "unet";
}

impl Kinded for OptimizerConfig {
    const DEFAULT_KIND: &'static str = "adam";
}

impl Kinded for SchedulerConfig {
    const DEFAULT_KIND: &'static str = "plateau";
}

fn with_default_kind<'de, D: Deserializer<'de>, T: Kinded>(deserializer: D) -> Result<T, D::Error> {
    let mut table = toml::Table::deserialize(deserializer)?;
    table
        .entry("kind")
        .or_insert_with(|| T::DEFAULT_KIND.into());
    T::deserialize(table).map_err(|error| D::Error::custom(error.message()))
}

/// Update rule, with PyTorch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, without dampening.
    Sgd {
        /// Momentum.
        #[serde(default)]
        momentum: f64,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam.
    Adam {
        /// Decay rates of the two running means.
        #[serde(default = "adam_betas")]
        betas: [f64; 2],
        /// Added to the denominator.
        #[serde(default = "adam_eps")]
        eps: f64,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
    },
}

fn adam_betas() -> [f64; 2] {
    [0.9, 0.999]
}

fn adam_eps() -> f64 {
    1e-8
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Adam {
            betas: adam_betas(),
            eps: adam_eps(),
            weight_decay: 0.0,
        }
    }
}

/// How the learning rate changes during a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SchedulerConfig {
    /// It does not.
    Constant {},
    /// Lowered where the validation MSE stops falling.
    Plateau(PlateauConfig),
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self::Plateau(PlateauConfig::default())
    }
}

/// PyTorch's `ReduceLROnPlateau` with `mode = "min"` and a relative threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlateauConfig {
    /// The learning rate is multiplied by this.
    pub factor: f64,
    /// Validations without improvement that are tolerated.
    pub patience: usize,
    /// An improvement is a metric below `best * (1 - threshold)`.
    pub threshold: f64,
    /// Validations after a reduction in which none is counted as bad.
    pub cooldown: usize,
    /// The learning rate never falls below this.
    pub min_lr: f64,
    /// A reduction by no more than this is not made.
    pub eps: f64,
}

impl Default for PlateauConfig {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
        }
    }
}

impl ExperimentArgs {
    /// The experiment: config, then settings, then the arguments that have names of their own.
    ///
    /// # Errors
    /// When the config cannot be read, or something in it is not possible.
    pub fn resolve(&self) -> anyhow::Result<Experiment> {
        let source = match &self.config {
            Some(path) => Source::File(path),
            None if self.data.is_some() || self.pairs.is_some() => Source::OwnData,
            None => Source::Default,
        };
        let mut experiment = Experiment::resolve(source, &self.settings)?;
        let data = &mut experiment.data;
        if let Some(path) = &self.data {
            data.path = Some(path.clone());
            data.pairs = None;
        }
        if let Some([first, second]) = self.pairs.as_deref() {
            data.path = None;
            data.pairs = Some([first.clone(), second.clone()]);
        }
        if let Some(path) = &self.validation {
            data.validation = Some(path.clone());
        }
        data.strict |= self.strict;
        if let Some(noise) = self.noise {
            experiment.noise = Some(noise);
        }
        if let Some(seed) = self.seed {
            experiment.train.seed = seed;
        }
        experiment.validate()?;
        Ok(experiment)
    }

    /// The config's file name, without its extension.
    pub fn name(&self) -> String {
        let stem = self.config.as_deref().and_then(Path::file_stem);
        match stem {
            Some(stem) => stem.to_string_lossy().into_owned(),
            None if self.data.is_some() || self.pairs.is_some() => "own".to_owned(),
            None => "default".to_owned(),
        }
    }
}

/// Where an experiment comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// The embedded experiment on embedded scenes.
    Default,
    /// The embedded experiment on a person's own data.
    OwnData,
    /// A file.
    File(&'a Path),
}

impl Experiment {
    /// Reads an experiment, then applies `key=value` settings to it.
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown, or a value is not possible.
    pub fn resolve(source: Source, settings: &[String]) -> anyhow::Result<Self> {
        let (name, text) = match source {
            Source::File(path) => (
                path.display().to_string(),
                std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read config {}", path.display()))?,
            ),
            Source::Default => ("the default config".to_owned(), DEFAULT_CONFIG.to_owned()),
            Source::OwnData => (
                "the config for own data".to_owned(),
                OWN_DATA_CONFIG.to_owned(),
            ),
        };
        // The file alone first: its errors then show the line.
        let mut experiment: Self = toml::from_str(&text)
            .map_err(|error| explain(&error))
            .with_context(|| format!("in {name}"))?;
        if !settings.is_empty() {
            let mut table: toml::Table = toml::from_str(&text)?;
            for setting in settings {
                apply(&mut table, setting).with_context(|| format!("in --set {setting}"))?;
                // After each, so that an error is the fault of this one.
                experiment = Self::deserialize(table.clone())
                    .map_err(|error| explain(&error))
                    .with_context(|| format!("in --set {setting}"))?;
            }
        }
        if experiment.train.max_images.is_none() && experiment.train.max_epochs.is_none() {
            experiment.train.max_images = Some(DEFAULT_MAX_IMAGES);
        }
        Ok(experiment)
    }

    /// Checks what a type cannot: ranges, and settings that contradict each other.
    ///
    /// # Errors
    /// When the experiment cannot be run, naming the key and its value.
    pub fn validate(&self) -> anyhow::Result<()> {
        self.model.validate()?;
        self.data.validate()?;
        if let Some(noise) = &self.noise {
            noise.validate()?;
        }
        let train = &self.train;
        for (key, value) in [
            ("train.batch_size", Some(train.batch_size)),
            ("train.checkpoint_every", Some(train.checkpoint_every)),
            ("train.max_images", train.max_images),
            ("train.max_epochs", train.max_epochs),
        ] {
            ensure!(value != Some(0), "{key} is 0, but must be at least 1");
        }
        positive("train.lr", train.lr)?;
        match train.optimizer {
            OptimizerConfig::Sgd {
                momentum,
                weight_decay,
            } => {
                fraction("train.optimizer.momentum", momentum)?;
                not_negative("train.optimizer.weight_decay", weight_decay)?;
            }
            OptimizerConfig::Adam {
                betas: [beta_1, beta_2],
                eps,
                weight_decay,
            } => {
                fraction("train.optimizer.betas", beta_1)?;
                fraction("train.optimizer.betas", beta_2)?;
                positive("train.optimizer.eps", eps)?;
                not_negative("train.optimizer.weight_decay", weight_decay)?;
            }
        }
        let plain_sgd = OptimizerConfig::Sgd {
            momentum: 0.0,
            weight_decay: 0.0,
        };
        let masked = matches!(self.noise, Some(NoiseConfig::Bernoulli { .. }));
        ensure!(
            !self.model.is_by_hand() || (train.loss == Loss::L2 && !masked),
            "model.implementation is layers, whose only loss is L2 over all pixels; set \
             train.loss = \"l2\", noise other than bernoulli, or another model.implementation"
        );
        ensure!(
            !self.model.is_by_hand() || train.optimizer == plain_sgd,
            "model.implementation is layers, whose own SGD has neither momentum nor weight decay; \
             set train.optimizer.kind = \"sgd\" and no more, or another model.implementation"
        );
        if let SchedulerConfig::Plateau(plateau) = &train.scheduler {
            fraction("train.scheduler.factor", plateau.factor)?;
            fraction("train.scheduler.threshold", plateau.threshold)?;
            not_negative("train.scheduler.min_lr", plateau.min_lr)?;
            not_negative("train.scheduler.eps", plateau.eps)?;
        }
        Ok(())
    }

    /// The experiment as TOML, as a run directory keeps it.
    ///
    /// # Errors
    /// When a path is not valid Unicode.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        Ok(toml::to_string(self)?)
    }
}

fn positive(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value.is_finite() && value > 0.0,
        "{key} is {value}, but must be above 0"
    );
    Ok(())
}

fn not_negative(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value.is_finite() && value >= 0.0,
        "{key} is {value}, but must not be below 0"
    );
    Ok(())
}

fn fraction(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        (0.0..1.0).contains(&value),
        "{key} is {value}, but must be at least 0 and below 1"
    );
    Ok(())
}

/// Puts `key.path=value` into a table. A value that is no TOML is taken as a string, so that
/// `train.target=clean` needs no quotes.
fn apply(table: &mut toml::Table, setting: &str) -> anyhow::Result<()> {
    let Some((key, value)) = setting.split_once('=') else {
        bail!("expected key=value, such as train.lr=0.1");
    };
    let value = toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));

    let mut path: Vec<&str> = key.split('.').map(str::trim).collect();
    let last = path.pop().unwrap_or_default();
    let mut table = table;
    for part in path {
        table = table
            .entry(part)
            .or_insert_with(|| toml::Table::new().into())
            .as_table_mut()
            .ok_or_else(|| anyhow!("{part} is a value and has no keys"))?;
    }
    if last == "kind" {
        // Another kind has other parameters.
        table.clear();
    }
    table.insert(last.to_owned(), value);
    Ok(())
}

/// Adds the nearest valid name to an error about an unknown key or kind.
fn explain(error: &toml::de::Error) -> anyhow::Error {
    // Serde's wording is: unknown field `x`, expected one of `a`, `b`.
    let mut names = error.message().split('`').skip(1).step_by(2);
    let nearest = names
        .next()
        .filter(|_| error.message().starts_with("unknown"))
        .and_then(|unknown| {
            names
                .map(|valid| (strsim::jaro_winkler(unknown, valid), valid))
                .filter(|(similarity, _)| *similarity > SIMILAR)
                .max_by(|a, b| a.0.total_cmp(&b.0))
        });
    let text = error.to_string();
    let text = text.trim_end();
    match nearest {
        Some((_, valid)) => anyhow!("{text}\ndid you mean `{valid}`?"),
        None => anyhow!("{text}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn error(settings: &[&str]) -> String {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let error =
            Experiment::resolve(Source::Default, &settings).expect_err("the setting is invalid");
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

        let readme = include_str!("../../../configs/README.md");
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
    fn the_resolved_experiment_reads_back_equal() {
        let settings = [
            "data.limit=7",
            "train.optimizer.kind=sgd",
            "train.target=clean",
        ];
        let settings = settings.map(str::to_owned);
        let experiment =
            Experiment::resolve(Source::Default, &settings).expect("the settings are valid");
        let text = experiment.to_toml().expect("an experiment is TOML");
        assert_eq!(toml::from_str::<Experiment>(&text), Ok(experiment));
    }

    #[test]
    fn an_unknown_key_names_the_nearest_valid_one() {
        let message = error(&["train.batchsize=3"]);
        assert!(message.contains("in --set train.batchsize=3"), "{message}");
        assert!(message.contains("unknown field `batchsize`"), "{message}");
        assert!(message.ends_with("did you mean `batch_size`?"), "{message}");
        let message = error(&["train.optimizer.kind=adm"]);
        assert!(message.ends_with("did you mean `adam`?"), "{message}");
    }

    #[test]
    fn a_setting_of_the_wrong_type_names_itself() {
        let message = error(&["train.seed=1", "train.lr=fast"]);
        assert!(message.contains("in --set train.lr=fast"), "{message}");
        let message = error(&["train"]);
        assert!(message.contains("expected key=value"), "{message}");
        let message = error(&["train.lr.x=1", "train.lr.y=2"]);
        assert!(message.contains("in --set train.lr.x=1"), "{message}");
    }

    #[test]
    fn validations_come_after_batches_or_epochs() {
        let interval = |setting: &str| {
            let experiment = Experiment::resolve(Source::Default, &[setting.to_owned()]);
            experiment.map(|e| e.train.validate_every)
        };
        assert_eq!(
            interval("train.validate_every=7").expect("a number"),
            Interval::Batches(7)
        );
        let epoch = interval("train.validate_every=epoch").expect("a word");
        assert_eq!(epoch.batches(65, 16), 5);
        for wrong in ["0", "-1", "1.5", "batch"] {
            let message = error(&[&format!("train.validate_every={wrong}")]);
            assert!(message.contains("\"epoch\", but got"), "{message}");
        }
    }

    #[test]
    fn a_value_out_of_range_names_its_key() {
        for (setting, expected) in [
            ("train.batch_size=0", "train.batch_size is 0"),
            ("train.lr=-1", "train.lr is -1"),
            (
                "train.scheduler.factor=1.5",
                "train.scheduler.factor is 1.5",
            ),
            ("data.scenes.oversample=0", "data.scenes.oversample is 0"),
            ("model.depth=1", "model.depth is 1"),
        ] {
            let experiment = Experiment::resolve(Source::Default, &[setting.to_owned()]);
            let error = experiment.and_then(|e| e.validate()).expect_err(setting);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
