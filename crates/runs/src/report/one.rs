//! The page of one run.

use std::collections::BTreeSet;
use std::slice;

use n2n_data::quality::Psnr;
use n2n_train::run_dir::Provenance;

use super::html::Html;
use super::parts::{
    OF_SUB_IMAGES, commands, facts, images, measure, name_of_noisy, named, noisy, section,
    settings, warnings,
};
use super::words::{beside, count, decibels, duration};
use super::{curves, date, strips};
use crate::plot::Quantity;
use crate::{Run, RunsError};

/// What is drawn of its validations.
const QUANTITIES: [Quantity; 4] = [Quantity::Psnr, Quantity::Loss, Quantity::Lr, Quantity::Ssim];

/// Samples of a run that are shown.
const SAMPLES: usize = 4;

/// Most validations in the table.
const VALIDATIONS: usize = 50;

/// Returns the contents of the page of a run.
///
/// # Errors
/// When a picture cannot be read.
pub fn contents(run: &Run) -> Result<Html, RunsError> {
    let strips = strips::of_run(run, SAMPLES)?;
    let samples = if strips.is_empty() {
        Html::default()
    } else {
        strips::html(&strips)?
    };
    let lead = Html::of_class("p", "lead", [Html::text(sentence(run))]);
    let mut html: Html = [Html::line("h1", &run.name), lead].into_iter().collect();
    html.push(facts(&summary(run)));
    html.push(warnings(&all_warnings(run)));
    html.push(section(
        "Curves",
        [curves::figures(slice::from_ref(run), &QUANTITIES)?],
    ));
    html.push(section("Samples of the best validation", [samples]));
    html.push(section(
        "Settings",
        [settings(&run.settings, &BTreeSet::new())],
    ));
    html.push(section("Data and noise", [data(run)]));
    html.push(section("Machine", [machine(run)]));
    html.push(section("How to repeat it", [repeat(run)]));
    html.push(section("Validations", [validations(run)]));
    Ok(html)
}

/// What the run came to, in a sentence.
pub fn sentence(run: &Run) -> String {
    let Some(best) = run.best() else {
        return "There is no validation yet.".to_owned();
    };
    let after = count(best.images);
    let examples = run.provenance.as_ref().map(|one| one.validation_examples);
    let on = match examples.and_then(images) {
        Some(examples) if examples == "1" => " on a validation image".to_owned(),
        Some(examples) => format!(" on {examples} validation images"),
        None => String::new(),
    };
    let psnr = Psnr::from(best.psnr);
    let noisy = noisy(run);
    if !psnr.is_of_images() {
        let of_noisy = noisy.map_or_else(String::new, |noisy| format!(", noisy ones to {noisy}"));
        return format!(
            "After {after} images, denoised sub-images agree with the other, noisy ones to \
             {psnr}{on}{of_noisy}. {OF_SUB_IMAGES}"
        );
    }
    let gain = match (run.gain_db(), noisy) {
        (Some(gain), Some(noisy)) => {
            format!(", {} that of the noisy input, {noisy}", beside(gain))
        }
        _ => String::new(),
    };
    let clean = match psnr {
        Psnr::Estimated { .. } => "; no clean image was used to estimate it",
        _ => "",
    };
    format!("After {after} images, the network denoises with a PSNR of {psnr}{on}{gain}{clean}.")
}

fn summary(run: &Run) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(best) = run.best() {
        facts.push((
            measure(best),
            Psnr::from(best.psnr)
                .to_string()
                .replace(" (estimated)", ""),
        ));
    }
    if let Some(noisy) = run.noisy_psnr()
        && let Some(db) = noisy.db()
    {
        facts.push((name_of_noisy(noisy), decibels(db)));
    }
    if let Some(gain) = run.gain_db() {
        facts.push(("gain", format!("{gain:+.2} dB")));
    }
    if let Some(last) = run.last() {
        facts.push(("training images", count(last.images)));
        facts.push(("time", duration(last.seconds)));
    }
    let state = if run.is_finished() {
        "ended"
    } else {
        "can go on"
    };
    facts.push(("state", state.to_owned()));
    facts
}

/// Everything that deserves a warning.
pub fn all_warnings(run: &Run) -> Vec<String> {
    let mut all = Vec::new();
    let difference = run.best_psnr_db().zip(run.noisy_psnr().and_then(Psnr::db));
    if difference.is_some_and(|(best, noisy)| best <= noisy) {
        all.push("The best model is no better than its noisy input.".to_owned());
    }
    all.extend(run.restarts.iter().map(ToString::to_string));
    if let Some(provenance) = &run.provenance {
        all.extend(provenance.notes.warnings.iter().cloned());
    }
    all
}

fn data(run: &Run) -> Html {
    let data = &run.experiment.data;
    let path = |path: &std::path::PathBuf| path.display().to_string();
    let provenance = run.provenance.as_ref();
    let pairs = data
        .pairs
        .as_ref()
        .map(|[a, b]| format!("{} and {}", path(a), path(b)));
    let noise: Vec<String> = run
        .settings
        .iter()
        .filter_map(|(key, value)| Some(format!("{} = {value}", key.strip_prefix("noise.")?)))
        .collect();
    let table = named([
        ("kind", provenance.and_then(|one| one.data.clone())),
        (
            "in memory",
            provenance.and_then(|one| one.in_memory.clone()),
        ),
        ("path", data.path.as_ref().map(path)),
        ("pairs", pairs),
        ("clean images", data.clean.as_ref().map(path)),
        ("validation", data.validation.as_ref().map(path)),
        (
            "training images",
            provenance.and_then(|one| images(one.train_examples)),
        ),
        (
            "validation images",
            provenance.and_then(|one| images(one.validation_examples)),
        ),
        ("noisy input", noisy(run)),
        ("noise added", (!noise.is_empty()).then(|| noise.join(", "))),
    ]);
    let notes = provenance.map(|one| &one.notes);
    let remarks = notes.into_iter().flat_map(|notes| &notes.remarks);
    let remarks: Vec<Html> = remarks.map(|remark| Html::line("li", remark)).collect();
    let check = match notes {
        Some(notes) if !notes.warnings.is_empty() => {
            "The check of the noise found what the warnings above say."
        }
        Some(notes) if !notes.remarks.is_empty() && noise.is_empty() => {
            "The check of the noise found nothing to warn of."
        }
        _ => "",
    };
    let mut html = table;
    if !remarks.is_empty() {
        html.push(Html::element("ul", &[], remarks));
    }
    if !check.is_empty() {
        html.push(Html::line("p", check));
    }
    html
}

fn machine(run: &Run) -> Html {
    let last = run.last();
    let provenance = run.provenance.clone().unwrap_or_default();
    let Provenance {
        program,
        threads,
        system,
        began_unix_s,
        ..
    } = provenance;
    let filled = |text: String| (!text.is_empty()).then_some(text);
    named([
        ("backend", filled(program.backend)),
        ("device", filled(program.device)),
        ("threads", threads.map(|threads| threads.to_string())),
        ("system", system),
        ("began", began_unix_s.and_then(date)),
        (
            "training and validation",
            last.map(|last| duration(last.seconds)),
        ),
        (
            "images a second",
            last.filter(|last| last.seconds > 0.0).map(|last| {
                format!(
                    "{:.0}, validations included",
                    last.images as f64 / last.seconds
                )
            }),
        ),
        ("n2n", filled(program.version)),
        ("git revision", filled(program.git_revision)),
    ])
}

fn repeat(run: &Run) -> Html {
    let path = run.path.display().to_string();
    let words = |words: &[&str]| -> Vec<String> { words.iter().map(ToString::to_string).collect() };
    let config = run.path.join("config.toml").display().to_string();
    let provenance = run.provenance.as_ref();
    let backend = provenance.map_or("", |one| one.program.backend.as_str());
    let mut again = words(&["n2n", "train", &config]);
    if !backend.is_empty() && backend != "unknown" {
        again.extend(words(&["--backend", backend]));
    }
    let mut all = Vec::new();
    let begun = provenance.map(|one| one.notes.command.clone());
    if let Some(begun) = begun.filter(|command| !command.is_empty()) {
        all.push(("The run was begun with:".to_owned(), begun));
    }
    all.push((
        "The same run again, from the settings that its folder keeps:".to_owned(),
        again,
    ));
    if !run.is_finished() {
        all.push((
            "The run goes on with:".to_owned(),
            words(&["n2n", "train", "--resume", &path]),
        ));
    }
    all.push((
        "Images are denoised with:".to_owned(),
        words(&["n2n", "denoise", "IMAGE", "-o", "OUT", "--model", &path]),
    ));
    commands(all)
}

fn validations(run: &Run) -> Html {
    if run.records.is_empty() {
        return Html::default();
    }
    let stride = run.records.len().div_ceil(VALIDATIONS);
    let last = run.records.len() - 1;
    let kept = (0..=last).filter(|at| at % stride == 0 || *at == last);
    let number = |value: f64| Html::text(format!("{:e}", value as f32));
    let rows = kept.map(|at| {
        let record = &run.records[at];
        let psnr = Psnr::from(record.psnr);
        let ssim = record
            .ssim
            .map_or_else(String::new, |ssim| format!("{ssim:.4}"));
        vec![
            Html::text(count(record.images)),
            Html::text(psnr.to_string()),
            Html::text(ssim),
            number(record.train_loss),
            number(record.lr),
            Html::text(duration(record.seconds)),
        ]
    });
    let title = match stride {
        1 => format!("all {} validations", run.records.len()),
        _ => format!("one in {stride} of {} validations", run.records.len()),
    };
    let quality = measure(&run.records[last]);
    let columns = [
        "images",
        quality,
        "SSIM",
        "training loss",
        "learning rate",
        "time",
    ];
    Html::folded(&title, [Html::table(&columns, rows)])
}
