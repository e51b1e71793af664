//! The table of results.

use super::Outcome;
use super::sets::Set;

/// Results as a table in Markdown: a row for each variant with a result, a column for each set.
pub fn markdown(results: &[Outcome], sets: &[Set], variants: &[&str], minutes: f64) -> String {
    let cell = |set: &Set, variant: &str, value: &dyn Fn(&Outcome) -> f64| {
        let result = results.iter().find(|result| {
            result.set == set.name && result.variant == variant && result.minutes == minutes
        });
        result.map_or_else(|| "-".to_owned(), |result| format!("{:.2}", value(result)))
    };
    let row = |name: &str, variant: &str, value: &dyn Fn(&Outcome) -> f64| {
        let cells: Vec<String> = sets.iter().map(|set| cell(set, variant, value)).collect();
        format!("| {name} | {} |\n", cells.join(" | "))
    };
    let names: Vec<&str> = sets.iter().map(|set| set.name).collect();
    let mut text = format!("| PSNR [dB] | {} |\n", names.join(" | "));
    text += &format!("| --- |{}\n", " --- |".repeat(sets.len()));
    let base = variants[0];
    text += &row("noisy input", base, &|result| result.noisy);
    text += &row("best Gaussian blur", base, &|result| result.blur);
    let has_result = |variant: &&&str| {
        let mut results = results.iter();
        results.any(|result| result.variant == **variant && result.minutes == minutes)
    };
    for variant in variants.iter().filter(has_result) {
        text += &row(variant, variant, &|result| result.network);
    }
    text
}
