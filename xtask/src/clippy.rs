//! The lints, as errors, without a second build of Burn.
//!
//! `cargo clippy` takes its dependencies from `cargo check`, whose output `cargo build` and
//! `cargo test` cannot use: all of Burn would be compiled twice. This is `cargo build` instead, with
//! Clippy's compiler for the members of the workspace and the finished build of everything else.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::cargo;

/// Set where this program stands in for rustc: the path of `clippy-driver`.
pub const DRIVER: &str = "N2N_XTASK_CLIPPY_DRIVER";

/// Clippy's compiler adds these to its command line. Nothing built here is run, so it is not optimized.
const CLIPPY_ARGS: &str = "-Dwarnings__CLIPPY_HACKERY__-Copt-level=0__CLIPPY_HACKERY__";

pub fn run() -> Result<()> {
    cargo::succeed(
        cargo::command(["build", "--all-targets"])
            .args(cargo::WORKSPACE)
            .env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?)
            .env(DRIVER, cargo::toolchain_program("clippy-driver")?)
            .env("CLIPPY_ARGS", CLIPPY_ARGS),
    )
}

/// Runs Clippy's compiler, which expects the path of rustc first, just as Cargo gives it to a wrapper.
///
/// Programs and tests are analyzed but not linked: it saves time, and a program linked here would
/// replace the optimized one in the target folder. Build scripts do have to run.
pub fn stand_in_for_rustc(driver: OsString) -> Result<ExitCode> {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let build_script = args.iter().any(|arg| arg == "build_script_build");
    let args = args.iter().map(|arg| {
        if arg == "--emit=dep-info,link" && !build_script {
            OsStr::new("--emit=dep-info,metadata")
        } else {
            arg
        }
    });
    cargo::become_process(Command::new(driver).args(args))
}
