//! Parts that the page of a run and that of several have in common.

use std::collections::{BTreeMap, BTreeSet};

use n2n_data::quality::Psnr;
use n2n_train::{Experiment, Record};

use super::html::Html;
use super::words::{command, count};
use crate::Run;

/// What stands for a setting without a value.
const UNSET: &str = "unset";

/// Keys and values, each as TOML writes it.
pub type Settings = BTreeMap<String, String>;

/// A heading and what follows it; nothing without contents.
pub fn section(title: &str, contents: impl IntoIterator<Item = Html>) -> Html {
    let contents: Vec<Html> = contents.into_iter().collect();
    if contents.iter().all(|html| *html == Html::default()) {
        return Html::default();
    }
    let title = Html::line("h2", title);
    Html::element("section", &[], [title].into_iter().chain(contents))
}

/// Facts in large letters.
pub fn facts(facts: &[(&str, String)]) -> Html {
    let facts = facts.iter().map(|(name, value)| {
        Html::element(
            "div",
            &[],
            [Html::line("dt", name), Html::line("dd", value)],
        )
    });
    Html::of_class("dl", "facts", facts)
}

/// Warnings in a box.
pub fn warnings(warnings: &[String]) -> Html {
    if warnings.is_empty() {
        return Html::default();
    }
    let lines = warnings.iter().map(|warning| Html::line("li", warning));
    let list = Html::element("ul", &[], lines);
    Html::of_class("div", "warnings", [Html::line("strong", "Warnings"), list])
}

/// Names and values, those that are there.
pub fn named(rows: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Html {
    let rows = rows.into_iter().filter_map(|(name, value)| {
        let value = Html::text(value?);
        let name = Html::line("th", name);
        Some(Html::element(
            "tr",
            &[],
            [name, Html::element("td", &[], [value])],
        ))
    });
    let rows: Vec<Html> = rows.collect();
    if rows.is_empty() {
        return Html::default();
    }
    let table = Html::element("table", &[], [Html::element("tbody", &[], rows)]);
    Html::of_class("div", "scrolls", [table])
}

/// Commands, each with what it does.
pub fn commands(commands: impl IntoIterator<Item = (String, Vec<String>)>) -> Html {
    let lines = commands.into_iter().map(|(purpose, arguments)| {
        let code = Html::line("code", command(&arguments));
        let code = Html::element("pre", &[], [code]);
        [Html::line("p", purpose), code].into_iter().collect()
    });
    lines.collect()
}

/// Settings beside their defaults: those that differ in sight, all of them folded. `varied` are keys without one value.
pub fn settings(settings: &Settings, varied: &BTreeSet<String>) -> Html {
    let defaults = Experiment::default().settings();
    let mut all = rows(settings, &defaults);
    all.retain(|(key, ..)| !varied.contains(key));
    let columns = ["key", "value", "default"];
    let code = |text: &str| Html::line("code", text);
    let cells = |(key, value, default): &(String, String, String)| {
        vec![code(key), code(value), code(default)]
    };
    let differing = all.iter().filter(|(_, value, default)| value != default);
    let folded = Html::folded(
        "all settings",
        [Html::table(&columns, all.iter().map(cells))],
    );
    [Html::table(&columns, differing.map(cells)), folded]
        .into_iter()
        .collect()
}

/// Each key with its value and its default.
fn rows(settings: &Settings, defaults: &Settings) -> Vec<(String, String, String)> {
    let mut keys: Vec<&String> = settings.keys().chain(defaults.keys()).collect();
    keys.sort();
    keys.dedup();
    // Another kind has other keys.
    keys.retain(|key| settings.contains_key(*key) || is_of_kind(key, settings, defaults));
    let of = |settings: &Settings, key: &String| {
        let value = settings.get(key).map_or(UNSET, String::as_str);
        value.to_owned()
    };
    keys.into_iter()
        .map(|key| (key.clone(), of(settings, key), of(defaults, key)))
        .collect()
}

/// Whether a table is of the kind that it has by default, or has none.
fn is_of_kind(key: &str, settings: &Settings, defaults: &Settings) -> bool {
    let table = key.rsplit_once('.').map_or("", |(table, _)| table);
    let kind = format!("{table}.kind");
    settings.get(&kind) == defaults.get(&kind)
}

/// What the validations of runs measure, in words.
pub fn measure(record: &Record) -> &'static str {
    match Psnr::from(record.psnr) {
        Psnr::Measured(_) => "PSNR",
        Psnr::Estimated { .. } => "estimated PSNR",
        Psnr::SubImages(_) => "agreement of sub-images",
    }
}

/// Why the agreement of sub-images is no PSNR.
pub const OF_SUB_IMAGES: &str = "This is no PSNR: the noise of the other sub-image counts too, so that about 3 dB \
                                 more than the noisy input is the most.";

/// The PSNR of the noisy input in words, if it is known.
pub fn noisy(run: &Run) -> Option<String> {
    run.noisy_psnr().map(|psnr| psnr.to_string())
}

/// What the noisy input is called beside a measure.
pub fn name_of_noisy(psnr: Psnr) -> &'static str {
    if psnr.is_of_images() {
        "noisy input"
    } else {
        "noisy sub-images"
    }
}

/// Images of a training or validation set.
pub fn images(number: usize) -> Option<String> {
    (number > 0).then(|| count(number))
}
