//! Sweeps: many runs, killed and gone on with, shared between processes, and one that fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{n2n, stderr, summary};

const BASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/smoke.toml");

/// A test that waits longer than this has hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// Files of the table.
const RESULTS: [&str; 3] = ["results.csv", "results.json", "results.md"];

/// A folder with the file of a sweep of runs that last a few steps.
struct Sweep(TempDir);

impl Sweep {
    fn new(text: &str) -> Self {
        let sweep = Self(tempfile::tempdir().unwrap());
        let base = format!("base = '{BASE}'\nset.train.on_dead = 'ignore'\n");
        fs::write(sweep.file(), base + text).unwrap();
        sweep
    }

    /// Twelve runs.
    fn of_twelve() -> Self {
        Self::new("seeds = [0, 1, 2]\n[axes]\nmodel.features = [2, 3]\ntrain.lr = [1e-3, 4e-3]")
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("sweep.toml")
    }

    /// Folder of the runs.
    fn runs(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command that works on the sweep in the folder `name`.
    fn command(&self, name: &str, args: &[&str]) -> Command {
        let (file, folder) = (self.file(), self.runs(name));
        let [file, folder] = [&file, &folder].map(|path| path.to_str().unwrap());
        let common = ["sweep", file, "-o", folder, "--backend", "flex", "--json"];
        n2n(&[&common, args].concat())
    }

    fn output(&self, name: &str, args: &[&str]) -> Output {
        self.command(name, args).output().unwrap()
    }

    fn results(&self, name: &str) -> [String; 3] {
        RESULTS.map(|file| fs::read_to_string(self.runs(name).join(file)).unwrap())
    }
}

/// Runs of a sweep that have validated.
fn begun(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let metrics = entries.map(|entry| entry.unwrap().path().join("metrics.jsonl"));
    metrics
        .filter(|path| path.metadata().is_ok_and(|metadata| metadata.len() > 0))
        .count()
}

#[test]
fn a_sweep_that_is_killed_has_the_table_of_another() {
    let sweep = Sweep::of_twelve();
    let table = summary(&sweep.output("whole", &["--jobs", "2"]));
    assert_eq!(table["rows"].as_array().unwrap().len(), 4);
    assert_eq!(table["rows"][3]["variant"], "features 3, lr 0.004");
    assert_eq!(table["rows"][3]["final_db"]["count"], 3);

    for most in [1, 5, 9] {
        let mut command = sweep.command("killed", &[]);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = quiet.spawn().unwrap();
        let start = Instant::now();
        while begun(&sweep.runs("killed")) < most {
            assert!(start.elapsed() < PATIENCE, "{most} runs");
            std::thread::sleep(Duration::from_millis(2));
        }
        process.kill().unwrap();
        process.wait().unwrap();
    }
    // The last run may still be under way in its own process.
    assert_eq!(summary(&sweep.output("killed", &[])), table);
    assert_eq!(sweep.results("killed"), sweep.results("whole"));
    let again = sweep.output("killed", &[]);
    assert_eq!(summary(&again), table);
    assert!(!stderr(&again).contains("started"), "{}", stderr(&again));
}

#[test]
fn processes_share_a_sweep() {
    let sweep = Sweep::of_twelve();
    let table = summary(&sweep.output("alone", &["--only", "0,5"]));
    let start = |_| {
        let mut command = sweep.command("shared", &["--only", "0,5"]);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        piped.spawn().unwrap()
    };
    let processes: Vec<_> = (0..3).map(start).collect();
    let outputs = processes
        .into_iter()
        .map(|process| process.wait_with_output().unwrap());
    let outputs: Vec<Output> = outputs.collect();
    for output in &outputs {
        assert_eq!(summary(output), table);
    }
    assert_eq!(sweep.results("shared"), sweep.results("alone"));
    let started: usize = outputs
        .iter()
        .map(|output| stderr(output).matches(": done").count())
        .sum();
    assert_eq!(started, 6, "each process sees the end of both runs");
}

#[test]
fn a_run_that_fails_does_not_end_the_sweep() {
    let sweep = Sweep::new("[[runs]]\nname = 'bad'\ndata.path = 'gone'\n[[runs]]\nname = 'good'\n");
    let output = sweep.output("runs", &[]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("bad,seed=0: failed: cannot read gone"),
        "{text}"
    );
    assert!(text.contains("good,seed=0: done"), "{text}");
    assert!(
        text.contains("1 of 2 runs did not come to their end: bad,seed=0;"),
        "{text}"
    );
    assert!(sweep.results("runs")[2].contains("| 1 |"), "{text}");
}

#[test]
fn a_changed_sweep_is_refused() {
    let sweep = Sweep::new("[axes]\nmodel.features = [2, 3]");
    summary(&sweep.output("runs", &["--only", "1"]));
    let list = sweep.output("runs", &["--dry-run"]);
    let list = summary(&list);
    assert_eq!(list[0]["name"], "features=2,seed=0");
    assert_eq!(list[0]["standing"], "to do");
    assert_eq!(list[1]["standing"], "done, 36 images");
    let output = sweep.output("runs", &["--set", "train.lr=0.5"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("train.lr was 0.001 and is 0.5; choose another folder"),
        "{text}"
    );
    let output = sweep.output("runs", &["--only", "2"]);
    assert!(stderr(&output).contains("--only 2: the sweep has 2 runs, from 0 to 1"));
}

#[test]
fn files_of_something_else_are_not_written_over() {
    let sweep = Sweep::new("");
    let folder = sweep.runs("mine");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("results.csv"), "mine").unwrap();
    let output = sweep.output("mine", &[]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("results.csv is there already"), "{text}");
    assert_eq!(fs::read(folder.join("results.csv")).unwrap(), b"mine");
}

#[cfg(unix)]
#[test]
fn a_signal_saves_the_runs_that_are_under_way() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let sweep = Sweep::new("set.train.max_images = 4000000\nset.train.checkpoint_every = 1000000");
    let mut command = sweep.command("runs", &[]);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = piped.spawn().unwrap();
    let start = Instant::now();
    while begun(&sweep.runs("runs")) == 0 {
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(2));
    }
    kill(
        Pid::from_raw(i32::try_from(process.id()).unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    let output = process.wait_with_output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("seed=0: stopped"), "{text}");
    assert!(text.contains("to go on: n2n sweep"), "{text}");
    let list = summary(&sweep.output("runs", &["--dry-run"]));
    let standing = list[0]["standing"].as_str().unwrap();
    assert!(standing.ends_with(" of 4000000 images"), "{standing}");
}
