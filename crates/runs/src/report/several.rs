//! The page of several runs: a sweep, or runs that are named together.

use std::collections::BTreeSet;

use n2n_data::quality::Psnr;

use super::html::Html;
use super::parts::{
    OF_SUB_IMAGES, Settings, commands, facts, measure, section, settings, warnings,
};
use super::words::{beside, count, decibels, duration};
use super::{curves, one, strips};
use crate::plot::Quantity;
use crate::{Run, RunsError, Statistics, Variant, labels, variants};

/// Variants whose curves are drawn.
const TOLD_APART: usize = 8;

/// Variants with a sample.
const SAMPLES: usize = 24;

/// Warnings that are shown.
const WARNINGS: usize = 40;

/// A variant and what its runs came to.
struct Row<'a> {
    variant: &'a Variant,
    /// PSNR at the end of the runs, or what stands for it.
    psnr: Option<Statistics>,
    /// The same above that of the noisy input.
    above_noisy: Option<Statistics>,
    seconds: Option<Statistics>,
}

impl Row<'_> {
    /// Whose deviation and interval are shown: with another seed, other images may be held out.
    fn spread(&self) -> Option<Statistics> {
        self.above_noisy.or(self.psnr)
    }
}

/// Returns the contents of the page of several runs.
///
/// # Errors
/// When a picture cannot be read.
pub fn contents(title: &str, runs: &[Run]) -> Result<Html, RunsError> {
    let variants = variants(runs);
    let rows: Vec<Row> = variants.iter().map(|variant| row(runs, variant)).collect();
    let (common, varied) = common(runs);
    let mut html = Html::line("h1", title);
    let lead = sentence(runs, &rows);
    html.push(Html::of_class("p", "lead", [Html::text(lead)]));
    html.push(facts(&summary(runs, &rows)));
    html.push(warnings(&all_warnings(runs)));
    html.push(section("Results", [results(runs, &rows)]));
    html.push(section("Curves", [drawn(runs, &rows)?]));
    html.push(section(
        "Samples of the best validations",
        [samples(runs, &variants)?],
    ));
    html.push(section(
        "Settings of all runs",
        [settings(&common, &varied)],
    ));
    html.push(section("Runs", [table_of_runs(runs)]));
    html.push(section("How to repeat it", [repeat(runs)]));
    Ok(html)
}

fn row<'a>(runs: &[Run], variant: &'a Variant) -> Row<'a> {
    let over = |value: fn(&Run) -> Option<f64>| {
        let values: Vec<f64> = variant
            .runs
            .iter()
            .filter_map(|at| value(&runs[*at]))
            .collect();
        Statistics::of(&values)
    };
    Row {
        variant,
        psnr: over(Run::final_psnr_db),
        above_noisy: over(Run::final_above_noisy_db),
        seconds: over(|run| Some(run.last()?.seconds)),
    }
}

/// Figures of the best variants.
///
/// # Errors
/// When the font cannot be read.
fn drawn(runs: &[Run], rows: &[Row]) -> Result<Html, RunsError> {
    let best = best(rows, TOLD_APART);
    let of_best = best.iter().flat_map(|at| &rows[*at].variant.runs);
    let of_best: Vec<Run> = of_best.map(|at| runs[*at].clone()).collect();
    let mut html = curves::figures(&of_best, &[Quantity::Psnr, Quantity::Loss])?;
    if best.len() < rows.len() {
        let note = format!(
            "The {} best of {} variants.",
            count(best.len()),
            count(rows.len())
        );
        html.push(Html::of_class("p", "soft", [Html::text(note)]));
    }
    Ok(html)
}

/// The variants with the largest means, at most so many, the best first.
fn best(rows: &[Row], most: usize) -> Vec<usize> {
    let mean = |at: &usize| rows[*at].psnr.map_or(f64::NEG_INFINITY, |psnr| psnr.mean);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
    order.truncate(most);
    order
}

/// What the validations of the runs measure, if it is the same for all.
fn common_measure(runs: &[Run]) -> Option<&'static str> {
    let all: BTreeSet<&str> = runs.iter().filter_map(Run::last).map(measure).collect();
    (all.len() < 2).then(|| all.into_iter().next().unwrap_or("PSNR"))
}

/// Whether validations compare images, and not sub-images of them.
fn is_of_images(runs: &[Run]) -> bool {
    let last = runs.iter().find_map(Run::last);
    last.is_none_or(|last| Psnr::from(last.psnr).is_of_images())
}

fn sentence(runs: &[Run], rows: &[Row]) -> String {
    let of = match rows.len() {
        1 => format!("{} runs of one variant", count(runs.len())),
        variants => format!("{} runs of {} variants", count(runs.len()), count(variants)),
    };
    let best = best(rows, 1).first().map(|at| &rows[*at]);
    let Some((row, psnr)) = best.and_then(|row| Some((row, row.psnr?))) else {
        return format!("{of}, without a validation so far.");
    };
    let Some(measure) = common_measure(runs) else {
        return format!("{of}, whose validations measure different things.");
    };
    let interval = match row.spread().and_then(|spread| spread.interval) {
        Some(interval) => format!(
            " (95 % interval of the mean of {} seeds: +- {})",
            psnr.count,
            decibels(interval)
        ),
        None => ", of one seed: whether differences are chance cannot be told".to_owned(),
    };
    let is_of_images = is_of_images(runs);
    let gain = match row.above_noisy {
        Some(gain) if is_of_images => {
            format!(", {} the noisy input", beside(gain.mean))
        }
        _ => String::new(),
    };
    let of_sub_images = if is_of_images {
        String::new()
    } else {
        format!(" {OF_SUB_IMAGES}")
    };
    let name = if rows.len() == 1 {
        "it ends".to_owned()
    } else {
        format!("the best, {}, ends", row.variant.label)
    };
    format!(
        "{of}: {name} with {} {measure}{gain}{interval}.{of_sub_images}",
        decibels(psnr.mean)
    )
}

fn summary(runs: &[Run], rows: &[Row]) -> Vec<(&'static str, String)> {
    let ended = runs.iter().filter(|run| run.is_finished()).count();
    let seconds: f64 = runs
        .iter()
        .filter_map(Run::last)
        .map(|last| last.seconds)
        .sum();
    let images: usize = runs
        .iter()
        .filter_map(Run::last)
        .map(|last| last.images)
        .sum();
    let seeds: BTreeSet<u64> = runs.iter().map(Run::seed).collect();
    vec![
        ("runs", count(runs.len())),
        ("of them ended", count(ended)),
        ("variants", count(rows.len())),
        ("seeds", count(seeds.len())),
        ("training images", count(images)),
        ("time of all", duration(seconds)),
    ]
}

fn all_warnings(runs: &[Run]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for run in runs {
        let warnings = one::all_warnings(run).into_iter();
        all.extend(warnings.map(|warning| format!("{}: {warning}", run.name)));
    }
    if all.len() > WARNINGS {
        let more = all.len() - WARNINGS;
        all.truncate(WARNINGS);
        all.push(format!("and {} more", count(more)));
    }
    all
}

/// A number in a table.
fn number(value: Option<f64>) -> Html {
    Html::text(value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}")))
}

fn results(runs: &[Run], rows: &[Row]) -> Html {
    let measure = common_measure(runs).unwrap_or("PSNR, or what stands for it");
    let quality = format!("{measure} [dB]");
    let columns = [
        "variant",
        "seeds",
        &quality,
        "deviation",
        "95 % interval",
        "above noisy [dB]",
        "time of a run",
    ];
    let mean = |one: Option<Statistics>| one.map(|one| one.mean);
    let table = rows.iter().map(|row| {
        let psnr = row.psnr;
        let spread = row.spread();
        let interval = spread.and_then(|spread| spread.interval);
        vec![
            Html::text(&row.variant.label),
            Html::text(count(row.variant.runs.len())),
            number(mean(psnr)),
            number(spread.and_then(|spread| spread.deviation)),
            Html::text(interval.map_or_else(|| "-".to_owned(), |one| format!("+- {one:.2}"))),
            number(mean(row.above_noisy.filter(|_| is_of_images(runs)))),
            Html::text(mean(row.seconds).map_or_else(|| "-".to_owned(), duration)),
        ]
    });
    let note = "PSNR: mean over seeds of the mean of the validations in the last tenth of a run's images. Deviation \
                and 95 % interval, by Student's t distribution, are those between seeds, of the PSNR above that of \
                the noisy input. A single seed has neither.";
    let mut html = Html::table(&columns, table);
    html.push(Html::of_class("p", "soft", [Html::text(note)]));
    html
}

/// A sample of each variant, of the run with the lowest seed.
fn samples(runs: &[Run], variants: &[Variant]) -> Result<Html, RunsError> {
    let mut shown = Vec::new();
    for variant in variants.iter().take(SAMPLES) {
        let Some(run) = variant.runs.first().map(|at| &runs[*at]) else {
            continue;
        };
        let psnr = run.best().map(|best| Psnr::from(best.psnr).to_string());
        for strip in strips::of_run(run, 1)? {
            let caption = format!("{}: {}", variant.label, psnr.clone().unwrap_or_default());
            shown.push(strips::Strip { caption, ..strip });
        }
    }
    if shown.is_empty() {
        return Ok(Html::default());
    }
    let mut html = strips::html(&shown)?;
    if variants.len() > SAMPLES {
        let left_out = variants.len() - SAMPLES;
        let note = format!(
            "{} more variants have samples in their folders.",
            count(left_out)
        );
        html.push(Html::of_class("p", "soft", [Html::text(note)]));
    }
    Ok(html)
}

/// The settings that all runs have in common, and the keys of the others.
fn common(runs: &[Run]) -> (Settings, BTreeSet<String>) {
    let keys = runs.iter().flat_map(|run| run.settings.keys().cloned());
    let (common, varied): (BTreeSet<String>, _) = keys.partition(|key| {
        let mut values = runs.iter().map(|run| run.settings.get(key));
        let first = values.next();
        values.all(|value| Some(value) == first)
    });
    let value = |key: String| Some((key.clone(), runs.first()?.settings.get(&key)?.clone()));
    (common.into_iter().filter_map(value).collect(), varied)
}

fn table_of_runs(runs: &[Run]) -> Html {
    let labels = labels(runs);
    let columns = [
        "run",
        "variant",
        "seed",
        "end [dB]",
        "best [dB]",
        "images",
        "time",
        "state",
    ];
    let rows = runs.iter().zip(&labels).map(|(run, label)| {
        let last = run.last();
        let state = if run.is_finished() {
            "ended"
        } else {
            "can go on"
        };
        vec![
            Html::text(&run.name),
            Html::text(label),
            Html::text(run.seed().to_string()),
            number(run.final_psnr_db()),
            number(run.best_psnr_db()),
            Html::text(last.map_or_else(|| "0".to_owned(), |last| count(last.images))),
            Html::text(last.map_or_else(|| "-".to_owned(), |last| duration(last.seconds))),
            Html::text(state),
        ]
    });
    Html::folded(
        &format!("all {} runs", count(runs.len())),
        [Html::table(&columns, rows)],
    )
}

fn repeat(runs: &[Run]) -> Html {
    let commands_of_runs = runs.iter().map(|run| {
        let config = run.path.join("config.toml").display().to_string();
        let command = ["n2n".to_owned(), "train".to_owned(), config].into();
        (format!("{}:", run.name), command)
    });
    let all = Html::folded("a command for each run", [commands(commands_of_runs)]);
    [
        Html::line(
            "p",
            "Each run repeats from the settings that its folder keeps.",
        ),
        all,
    ]
    .into_iter()
    .collect()
}
