//! `cargo xtask test`: every test, doctest and example.

use std::ffi::OsString;
use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::cargo;

pub fn run(args: &[OsString]) -> Result<()> {
    let mut runner = if nextest_is_installed() {
        cargo::command(["nextest", "run"])
    } else {
        cargo::command(["test", "--lib", "--bins", "--tests"])
    };
    // A test runs each GPU kernel a few times, so thorough tuning costs more than it saves.
    runner.env("CUBECL_AUTOTUNE_LEVEL", "minimal");
    cargo::succeed(runner.args(cargo::WORKSPACE).args(args))?;
    if args.is_empty() {
        cargo::succeed(cargo::command(["test", "--doc"]).args(cargo::WORKSPACE))?;
        run_examples()?;
    }
    Ok(())
}

fn nextest_is_installed() -> bool {
    let mut version = cargo::command(["nextest"]);
    let version = version
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// Runs the examples of the library `n2n`, without arguments.
fn run_examples() -> Result<()> {
    let sources = cargo::root().join("crates/n2n/examples");
    for entry in fs::read_dir(&sources).with_context(|| sources.display().to_string())? {
        let path = entry?.path();
        // Without `--package`: the features of one package would compile Burn again.
        let mut example = cargo::command(["run", "--release", "--locked"]);
        example
            .arg("--example")
            .arg(path.file_stem().unwrap_or_default());
        cargo::succeed(&mut example)?;
    }
    Ok(())
}
