//! What the configs of earlier versions meant.

use n2n_data::{Pairing, RangeConfig};
use n2n_files::AxesFrom;

use crate::experiment::Experiment;

/// Gives keys that the config of a run does not have the values that they had when it was written: `experiment` is
/// what `text` says now.
pub fn keep_meaning(experiment: &mut Experiment, text: &str) {
    let says = |key: &str| text.lines().any(|line| line.starts_with(key));
    // A range was written only where one was given, and was that of the type elsewhere.
    if !says("range = ") {
        experiment.data.range = RangeConfig::Type;
    }
    // Files had no axes.
    if !says("axes = ") {
        experiment.data.axes = AxesFrom::Pages;
    }
    // Any two shots were a pair.
    if !says("pairing = ") {
        experiment.data.pairing = Pairing::Any;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experiments_of_earlier_versions_keep_their_meaning() {
        let now = Experiment::for_data("scans");
        let text = now.to_toml().unwrap();
        let mut same = now.clone();
        keep_meaning(&mut same, &text);
        assert_eq!(same, now);
        let added = ["axes = ", "range = ", "pairing = "];
        let lines = text.lines();
        let earlier: Vec<&str> = lines
            .filter(|line| !added.iter().any(|key| line.starts_with(key)))
            .collect();
        let mut then: Experiment = toml::from_str(&earlier.join("\n")).unwrap();
        keep_meaning(&mut then, &earlier.join("\n"));
        assert_eq!(then.data.axes, AxesFrom::Pages);
        assert_eq!(then.data.range, RangeConfig::Type);
        assert_eq!(then.data.pairing, Pairing::Any);
    }
}
