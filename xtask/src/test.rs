//! `cargo xtask test`: every test and doctest.

use std::ffi::OsString;
use std::process::Stdio;

use anyhow::Result;

use crate::cargo;

pub fn run(args: &[OsString]) -> Result<()> {
    let mut runner = if nextest_is_installed() {
        cargo::command(["nextest", "run"])
    } else {
        cargo::command(["test", "--lib", "--bins", "--tests"])
    };
    // Tuning GPU kernels to the last few percent is no use to a test that runs each a few times.
    runner.env("CUBECL_AUTOTUNE_LEVEL", "minimal");
    cargo::succeed(runner.args(cargo::WORKSPACE).args(args))?;
    if args.is_empty() {
        cargo::succeed(cargo::command(["test", "--doc"]).args(cargo::WORKSPACE))?;
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
