//! Lints as errors, without a second build of Burn.
//!
//! `cargo clippy` needs the output of `cargo check` for the dependencies, which `cargo build` and
//! `cargo test` cannot use: Burn would be compiled twice. This step runs `cargo build` with Clippy's
//! compiler for the members of the workspace, and reuses the finished build of the dependencies.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::cargo;

/// Variable with the path of `clippy-driver`, set where this program replaces rustc.
pub const DRIVER: &str = "N2N_XTASK_CLIPPY_DRIVER";

/// Options that Clippy's compiler adds to its command line. Its output is not run, hence not optimized.
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

/// Runs Clippy's compiler, which expects the path of rustc first, as Cargo passes it to a wrapper.
///
/// Programs and tests are analyzed but not linked: linking takes time, and an unoptimized program would
/// replace the optimized one in the target folder. Build scripts are linked, because Cargo runs them.
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
