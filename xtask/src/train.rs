//! `cargo xtask train`: builds `n2n` and runs `n2n train`.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::cargo;

/// Backends outside the default build; each is a Cargo feature of `n2n-cli` with the same name.
const OPTIONAL_BACKENDS: [&str; 4] = ["cpu", "cuda", "rocm", "tch"];

pub fn run(args: &[OsString]) -> Result<ExitCode> {
    let n2n = env::current_exe()?.with_file_name(format!("n2n{}", env::consts::EXE_SUFFIX));
    if !n2n.exists() {
        eprintln!("Building n2n and Burn, once: about half an hour on two cores.");
    }
    let mut cargo = cargo::command(["run", "--release", "--locked", "--package", "n2n-cli"]);
    cargo.args(["--bin", "n2n"]);
    if let Some(feature) = feature(args) {
        cargo.args(["--features", feature]);
    }
    cargo::become_process(cargo.args(["--", "train"]).args(args))
}

/// Cargo feature that the backend in `args` needs.
fn feature(args: &[OsString]) -> Option<&'static str> {
    let mut args = args.iter().filter_map(|arg| arg.to_str());
    let mut backend = None;
    while let Some(arg) = args.next() {
        if arg == "--backend" {
            backend = args.next();
        } else if let Some(value) = arg.strip_prefix("--backend=") {
            backend = Some(value);
        }
    }
    OPTIONAL_BACKENDS
        .into_iter()
        .find(|&optional| backend == Some(optional))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature_of(args: &[&str]) -> Option<&'static str> {
        feature(&args.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn only_optional_backends_need_a_feature() {
        assert_eq!(feature_of(&["run.toml", "--backend", "cuda"]), Some("cuda"));
        assert_eq!(feature_of(&["--backend=tch", "run.toml"]), Some("tch"));
        assert_eq!(feature_of(&["--backend", "wgpu"]), None);
        assert_eq!(feature_of(&["--backend"]), None);
        assert_eq!(feature_of(&["cuda"]), None);
    }
}
