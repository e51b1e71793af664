//! The program as a person runs it.

#![allow(clippy::unwrap_used)]

mod axes;
mod bad_input;
mod changes;
mod compare;
mod counts;
mod data;
mod denoise;
mod evaluate;
mod exchange;
mod folders;
mod gradcheck;
mod kept;
mod outputs;
mod pages;
mod pairs;
mod plots;
mod processes;
#[cfg(unix)]
mod renders;
mod report;
mod resume;
mod science;
mod settings;
mod singles;
mod stops;
mod sweeps;
mod terminals;
mod training;
mod wgpu;
mod zarr;

use std::path::Path;
use std::process::{Command, Output};

/// `n2n` with arguments.
fn n2n(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_n2n"));
    command.args(args);
    command
}

/// A short run of configs/smoke.toml into `folder`, with more arguments.
fn smoke(folder: &Path, args: &[&str]) -> Output {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/smoke.toml");
    let folder = folder.to_str().unwrap();
    let common = ["train", config, "--run-dir", folder, "--json"];
    n2n(&[&common, args].concat()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The last line of standard output as JSON, of a run that must have succeeded.
fn summary(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", stderr(output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// The records of a run.
fn metrics(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let parse = |line| serde_json::from_str(line).unwrap();
    text.lines().map(parse).collect()
}

/// The one error of a run that must have failed as bad input does.
fn error(output: &Output) -> String {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty(), "{message}");
    assert_eq!(message.matches("error: ").count(), 1, "{message}");
    message
}
