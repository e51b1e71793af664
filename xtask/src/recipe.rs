//! `cargo xtask recipe`: the settings of `configs/own.toml` beside others, each changed alone, on several
//! sets of images.
//!
//! Each run has the same minutes, so that a slower network must earn its time. Results are kept one by
//! one in `benches/recipe.jsonl`, and the next call goes on from them: the whole grid takes hours.

mod counts;
mod sets;
mod table;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::cargo;
use sets::Set;

/// Lines of results, one for each run.
const RESULTS: &str = "benches/recipe.jsonl";

/// What is tried: a name, and the settings that differ from `configs/own.toml`.
const VARIANTS: [(&str, &[&str]); 24] = [
    ("own.toml", &[]),
    (
        "no zoom, mix, jitter",
        &[
            "data.augment.zoom=1",
            "data.augment.mix=0",
            "data.augment.jitter=0",
        ],
    ),
    ("zoom of many scenes too", &["data.augment.zoom=2"]),
    ("no mix", &["data.augment.mix=0"]),
    ("no jitter", &["data.augment.jitter=0"]),
    ("sigmoid output", &["model.output=sigmoid"]),
    ("linear output", &["model.output=linear"]),
    ("no normalization", &["data.normalize=none"]),
    ("shared blocks", &["model.share_weights=true"]),
    ("24 features", &["model.features=24"]),
    ("48 features", &["model.features=48"]),
    ("depth 3", &["model.depth=3"]),
    ("depth 5", &["model.depth=5"]),
    ("lr 0.001", &["train.lr=0.001"]),
    ("lr 0.004", &["train.lr=0.004"]),
    ("constant lr", &["train.scheduler.kind=constant"]),
    ("EMA 0.99", &["train.ema=0.99"]),
    ("no clipping", &["train.clip_norm=1e9"]),
    ("batches of 8", &["train.batch_size=8"]),
    ("batches of 32", &["train.batch_size=32"]),
    ("patches of 96", &["data.patch_size=96"]),
    (
        "no augmentation",
        &[
            "data.augment.flip=false",
            "data.augment.turn=false",
            "data.augment.swap=false",
        ],
    ),
    ("whole images exchanged", &["data.augment.swap=true"]),
    ("AdamW", &["train.optimizer.kind=adamw"]),
];

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Outcome {
    set: String,
    variant: String,
    minutes: f64,
    seed: u64,
    /// Images that the run took in these minutes.
    images: usize,
    /// PSNR in dB of the noisy images, of the best blur and of the network.
    noisy: f64,
    blur: f64,
    network: f64,
}

/// Runs what is missing of the grid, and prints its table.
///
/// `data` holds the image sets; those that are missing are left out.
pub fn run(data: &Path, out: &Path, minutes: f64, only: &[String]) -> Result<()> {
    let n2n = cargo::program()?;
    let sets = sets::all(data, out)?;
    let path = cargo::root().join(RESULTS);
    let mut results = read(&path)?;
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    for (variant, settings) in VARIANTS.iter().filter(|(name, _)| wanted(name)) {
        for set in &sets {
            let done = results.iter().any(|result| {
                result.set == set.name && result.variant == *variant && result.minutes == minutes
            });
            if done {
                continue;
            }
            eprintln!("{variant} on {}, {minutes} minutes", set.name);
            let outcome = measure(&n2n, set, variant, settings, minutes, out)?;
            append(&path, &outcome)?;
            results.push(outcome);
        }
    }
    let variants = VARIANTS.map(|(name, _)| name);
    print!("{}", table::markdown(&results, &sets, &variants, minutes));
    Ok(())
}

/// Trains a variant on a set, and evaluates its model.
fn measure(
    n2n: &Path,
    set: &Set,
    variant: &str,
    settings: &[&str],
    minutes: f64,
    out: &Path,
) -> Result<Outcome> {
    const SEED: u64 = 0;
    let run = out.join(format!("{}-{}", set.name, variant.replace([' ', '.'], "-")));
    if run.exists() {
        fs::remove_dir_all(&run)?;
    }
    let mut train = Command::new(n2n);
    train
        .args(["train", "--backend", "flex", "--json"])
        .args([
            "--minutes",
            &minutes.to_string(),
            "--seed",
            &SEED.to_string(),
        ])
        .args(&set.training)
        .arg("--run-dir")
        .arg(&run);
    for setting in settings {
        train.args(["--set", setting]);
    }
    let trained: Trained = serde_json::from_str(&cargo::output(&mut train)?)?;
    let mut evaluate = Command::new(n2n);
    evaluate
        .args([
            "evaluate",
            "--backend",
            "flex",
            "--json",
            "--baselines",
            "gaussian",
        ])
        .arg(&run)
        .args(&set.evaluation)
        .arg("--sheet")
        .arg(run.join("sheet.png"));
    let evaluated: Evaluated = serde_json::from_str(&cargo::output(&mut evaluate)?)?;
    let psnr = |kind: &str| {
        let method = evaluated.methods.iter().find(|method| method.kind == kind);
        method
            .map(|method| method.psnr_db)
            .context("a method is missing")
    };
    Ok(Outcome {
        set: set.name.to_owned(),
        variant: variant.to_owned(),
        minutes,
        seed: SEED,
        images: trained.images,
        noisy: psnr("input")?,
        blur: psnr("classical")?,
        network: psnr("model")?,
    })
}

/// What is read of the summary of `n2n train`.
#[derive(Deserialize)]
struct Trained {
    images: usize,
}

/// What is read of the report of `n2n evaluate`.
#[derive(Deserialize)]
struct Evaluated {
    methods: Vec<Method>,
}

#[derive(Deserialize)]
struct Method {
    kind: String,
    psnr_db: f64,
}

fn read(path: &Path) -> Result<Vec<Outcome>> {
    if !path.exists() {
        return Ok(vec![]);
    }
    let text = fs::read_to_string(path)?;
    let lines = text.lines().map(serde_json::from_str);
    lines
        .collect::<serde_json::Result<_>>()
        .with_context(|| format!("{} is damaged", path.display()))
}

fn append(path: &Path, outcome: &Outcome) -> Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    writeln!(file, "{}", serde_json::to_string(outcome)?)?;
    Ok(())
}
