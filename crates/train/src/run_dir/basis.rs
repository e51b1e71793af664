//! What a run stands on: its settings, its data, and the statistics fitted on them.
//!
//! Each checkpoint holds it, so that a run that continues fits nothing anew, and goes on with other data
//! or settings only where that is asked for.

use std::collections::BTreeSet;

use n2n_data::Digest;
use n2n_denoise::ModelMetadata;
use serde::{Deserialize, Serialize};

use super::earlier::keep_meaning;
use crate::TrainError;
use crate::experiment::Experiment;

/// Settings that may change: how long the run is, where its data lie, and how they are read.
const FREE: [&str; 12] = [
    "train.max_images",
    "train.max_epochs",
    "train.max_minutes",
    "train.minutes",
    "train.early_stop",
    "train.checkpoint_every",
    "data.path",
    "data.pairs",
    "data.clean",
    "data.validation",
    "data.cache_mb",
    "data.workers",
];

/// What a run stands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// The experiment, as TOML.
    experiment: String,
    /// The training set.
    training: Digest,
    /// The validation set.
    validation: Digest,
    /// Network, normalization with its statistics, and range.
    pub metadata: ModelMetadata,
}

impl Basis {
    /// Returns the basis of a run.
    ///
    /// # Errors
    /// When the experiment cannot be written as TOML.
    pub fn new(
        experiment: &Experiment,
        [training, validation]: [Digest; 2],
        metadata: ModelMetadata,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            experiment: experiment.to_toml()?,
            training,
            validation,
            metadata,
        })
    }

    /// Returns what is different in another basis, in words.
    pub fn changes(&self, now: &Self) -> Vec<String> {
        let parse = |basis: &Self| {
            let mut experiment = toml::from_str(&basis.experiment)?;
            keep_meaning(&mut experiment, &basis.experiment);
            Ok::<_, toml::de::Error>(experiment)
        };
        let mut changes = match (parse(self), parse(now)) {
            (Ok(before), Ok(now)) => changed_settings(&before, &now),
            _ => vec!["its settings are those of another version of n2n".to_owned()],
        };
        for (set, before, now) in [
            ("training", &self.training, &now.training),
            ("validation", &self.validation, &now.validation),
        ] {
            let difference = before.difference(now);
            changes.extend(difference.map(|difference| format!("{set} set: {difference}")));
        }
        changes
    }
}

/// Returns the settings that two experiments differ in, in words; those that may change are left out.
pub fn changed_settings(before: &Experiment, now: &Experiment) -> Vec<String> {
    let [before, now] = [before, now].map(Experiment::settings);
    let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let changed = keys.into_iter().filter_map(|key| {
        let [before, now] =
            [&before, &now].map(|settings| settings.get(key).map_or("unset", String::as_str));
        let differs = before != now && !FREE.contains(&key.as_str());
        differs.then(|| format!("{key} was {before} and is {now}"))
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_keys_and_values() {
        let before = Experiment::on_scenes();
        let mut now = before.clone();
        now.train.batch_size += 1;
        now.train.max_images = Some(77);
        now.data.path = Some("elsewhere".into());
        now.data.augment.flip = true;
        let batch_size = before.train.batch_size;
        assert_eq!(
            changed_settings(&before, &now),
            [
                "data.augment.flip was false and is true".to_owned(),
                format!(
                    "train.batch_size was {batch_size} and is {}",
                    batch_size + 1
                ),
            ]
        );
        assert_eq!(changed_settings(&before, &before), Vec::<String>::new());
    }

    #[test]
    fn every_free_key_is_one_of_the_experiment() {
        let mut all = Experiment::on_scenes();
        all.train.max_epochs = Some(1);
        all.train.max_minutes = Some(1.0);
        all.train.minutes = Some(1.0);
        all.train.early_stop = Some(1);
        all.data.path = Some("a".into());
        all.data.pairs = Some(["a".into(), "b".into()]);
        all.data.clean = Some("a".into());
        all.data.validation = Some("a".into());
        let found = all.settings();
        for key in FREE {
            assert!(found.contains_key(key), "{key}");
        }
    }
}
