//! `cargo xtask kill-test`: kills and resumes training at random moments, and compares the finished run
//! with an undisturbed one.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::cargo;
use crate::random::Random;

/// About ten seconds of a tiny network, with a checkpoint every few milliseconds: nearly every kill
/// interrupts the writing of a file.
const SETTINGS: [&str; 3] = [
    "train.max_images=8000",
    "train.validate_every=90",
    "train.checkpoint_every=7",
];

/// Optimizers with state, and their settings.
const OPTIMIZERS: [(&str, &[&str]); 2] = [
    (
        "SGD with momentum",
        &[
            "train.optimizer.kind=sgd",
            "train.optimizer.momentum=0.9",
            "train.lr=0.05",
        ],
    ),
    (
        "Adam with EMA",
        &["train.optimizer.kind=adam", "train.ema=0.99"],
    ),
];

/// Interval between two checks for the end of a run.
const POLL: Duration = Duration::from_millis(2);

/// Kills training `kills` times for each optimizer, at moments that `seed` determines.
pub fn run(kills: u32, seed: u64) -> Result<()> {
    cargo::succeed(cargo::command(["build"]).args(cargo::WORKSPACE))?;
    let folder = std::env::temp_dir().join(format!("n2n-kill-test-{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut moments = Random(seed);
    for (name, settings) in OPTIMIZERS {
        let folder = folder.join(name);
        // After an error the folder stays, for inspection.
        campaign(name, settings, kills, &mut moments, &folder)
            .with_context(|| format!("{name}, seed {seed}, in {}", folder.display()))?;
    }
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))
}

fn campaign(
    name: &str,
    settings: &[&str],
    kills: u32,
    moments: &mut Random,
    folder: &Path,
) -> Result<()> {
    let undisturbed = folder.join("undisturbed");
    let start = Instant::now();
    ensure!(
        life(&begin(&undisturbed, settings), None)?,
        "the undisturbed run was killed"
    );
    let length = start.elapsed();
    println!("{name}: undisturbed in {:.1} s", length.as_secs_f64());
    let mut killed = 0;
    for number in 1.. {
        let run = folder.join(number.to_string());
        let mut args = begin(&run, settings);
        let before = killed;
        loop {
            // Half of the length on average, so that a run is killed two or three times.
            let delay = (killed < kills).then(|| length.mul_f64(moments.uniform()));
            if life(&args, delay)? {
                break;
            }
            killed += 1;
            let batches = newest(&run).map_or("no checkpoint".to_owned(), |name| name);
            println!(
                "{name}: kill {killed} of {kills} after {:.2} s, at {batches}",
                delay.unwrap_or_default().as_secs_f64()
            );
            if run.join("config.toml").exists() {
                args = ["train".into(), "--resume".into(), run.clone().into()].into();
            }
        }
        compare(&run, &undisturbed)?;
        println!(
            "{name}: run {number} equals the undisturbed run after {} kills",
            killed - before
        );
        if killed >= kills {
            return Ok(());
        }
    }
    Ok(())
}

/// Arguments that start a run.
fn begin(run: &Path, settings: &[&str]) -> Vec<OsString> {
    let config = cargo::root().join("configs/smoke.toml");
    let mut args: Vec<OsString> = vec!["train".into(), config.into()];
    args.extend(["--run-dir".into(), run.into()]);
    for setting in SETTINGS.iter().chain(settings) {
        args.extend(["--set".into(), setting.into()]);
    }
    args
}

/// Trains to the end or to the kill; returns whether the run ended by itself.
fn life(args: &[OsString], kill_after: Option<Duration>) -> Result<bool> {
    let mut child = Command::new(n2n()?)
        .args(args)
        .args(["--backend", "flex", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let start = Instant::now();
    if let Some(delay) = kill_after {
        while child.try_wait()?.is_none() && start.elapsed() < delay {
            sleep(POLL);
        }
        child.kill()?;
    }
    let output = child.wait_with_output()?;
    let by_itself = output.status.code();
    if by_itself.is_some_and(|code| code != 0) {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(by_itself.is_some())
}

/// Program from the build, beside this one.
fn n2n() -> Result<PathBuf> {
    let name = format!("n2n{}", std::env::consts::EXE_SUFFIX);
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// Name of the newest checkpoint.
fn newest(run: &Path) -> Option<String> {
    let entries = fs::read_dir(run.join("checkpoints")).ok()?;
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".checkpoint"))
        .max()
}

/// Fails with the first difference between two runs; ignores times.
fn compare(run: &Path, undisturbed: &Path) -> Result<()> {
    for name in ["initial", "best", "last"] {
        let file = format!("{name}.safetensors");
        let read = |run: &Path| fs::read(run.join(&file)).with_context(|| file.clone());
        ensure!(read(run)? == read(undisturbed)?, "{file} differs");
    }
    let (got, expected) = (metrics(run)?, metrics(undisturbed)?);
    for (line, (got, expected)) in got.iter().zip(&expected).enumerate() {
        ensure!(
            got == expected,
            "line {} of metrics.jsonl is {got}, not {expected}",
            line + 1
        );
    }
    let (got, expected) = (got.len(), expected.len());
    ensure!(
        got == expected,
        "metrics.jsonl has {got} lines, not {expected}"
    );
    for folder in ["", "checkpoints", "pictures"] {
        let (got, expected) = (names(&run.join(folder))?, names(&undisturbed.join(folder))?);
        ensure!(got == expected, "{folder}/ holds {got:?}, not {expected:?}");
    }
    Ok(())
}

/// Lines of metrics.jsonl without their times.
fn metrics(run: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(run.join("metrics.jsonl"))?;
    let parse = |line| {
        let mut record: Value = serde_json::from_str(line)?;
        if let Some(record) = record.as_object_mut() {
            record.remove("seconds");
        }
        Ok(record)
    };
    text.lines().map(parse).collect()
}

fn names(folder: &Path) -> Result<Vec<OsString>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_determines_the_moments() {
        let moments = |seed| {
            let mut moments = Random(seed);
            [(); 20].map(|()| moments.uniform())
        };
        assert_eq!(moments(3), moments(3));
        assert_ne!(moments(3), moments(4));
        assert!(moments(3).iter().all(|moment| (0.0..1.0).contains(moment)));
    }
}
