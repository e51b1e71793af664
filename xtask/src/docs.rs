//! Documentation of the libraries, with warnings as errors, without a second build of Burn.
//!
//! `cargo doc` needs the output of `cargo check`, as `cargo clippy` does. `cargo test --doc` passes the
//! same sources and options to rustdoc with the finished build of the dependencies. Here rustdoc then
//! renders instead of testing, into `doc` in the target folder.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::cargo;

/// Variable with the path of the real rustdoc, set where this program replaces it.
pub const RUSTDOC: &str = "N2N_XTASK_RUSTDOC";

pub fn run() -> Result<()> {
    cargo::succeed(
        cargo::command(["test", "--doc"])
            .args(cargo::WORKSPACE)
            .env("RUSTDOC", env::current_exe()?)
            .env(RUSTDOC, cargo::toolchain_program("rustdoc")?),
    )
}

/// Runs rustdoc; a call for doctests renders the pages instead.
pub fn stand_in_for_rustdoc(rustdoc: OsString) -> Result<ExitCode> {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let mut command = Command::new(rustdoc);
    if args.iter().any(|arg| arg == "--test") {
        let target = env::current_exe()?;
        let target = target
            .ancestors()
            .nth(2)
            .context("not in a target folder")?;
        command.args(rendering_args(args, target));
    } else {
        command.args(args);
    }
    cargo::become_process(&mut command)
}

fn rendering_args(args: Vec<OsString>, target: &Path) -> Vec<OsString> {
    let mut rendering = vec![];
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--test" | "--no-run" | "--nocapture") => {}
            Some("--test-args" | "--test-run-directory") => drop(args.next()),
            Some("--test-runtool" | "--test-runtool-arg") => drop(args.next()),
            _ => rendering.push(arg),
        }
    }
    rendering.extend([
        "--deny=warnings".into(),
        "--out-dir".into(),
        target.join("doc").into(),
    ]);
    rendering
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doctest_options_are_dropped() {
        let test = "--crate-name a --test a/lib.rs --test-run-directory a --test-args b --extern c";
        let args = rendering_args(
            test.split(' ').map(Into::into).collect(),
            Path::new("target"),
        );
        let doc = Path::new("target").join("doc");
        let expected = "--crate-name a a/lib.rs --extern c --deny=warnings --out-dir";
        let expected = expected.split(' ').map(OsString::from).chain([doc.into()]);
        assert_eq!(args, expected.collect::<Vec<_>>());
    }
}
