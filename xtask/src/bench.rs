//! `cargo xtask bench`: `n2n bench`, beside PyTorch in a virtual environment.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::cargo;

/// Engine to compare with.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum PeerName {
    /// PyTorch: on the CPU, or with `--backend wgpu` on CUDA
    Torch,
}

/// Backends of graphics devices.
const GRAPHICS: [&str; 4] = ["wgpu", "vulkan", "metal", "dx12"];

pub fn run(peer: Option<PeerName>, args: &[OsString]) -> Result<ExitCode> {
    let mut n2n = cargo::command(["run", "--release", "--locked", "--package", "n2n-cli"]);
    n2n.args(["--bin", "n2n", "--", "bench"]).args(args);
    if let Some(PeerName::Torch) = peer {
        let peers = cargo::root().join("benches").join("peers");
        n2n.arg("--peer")
            .arg(environment(&peers)?)
            .arg(peers.join("bench.py"));
        // Burn would look for the fastest kernel of each layer on a graphics device, for minutes.
        let is_graphics = |arg: &OsString| {
            let arg = arg.to_string_lossy();
            GRAPHICS.iter().any(|backend| arg.contains(backend))
        };
        let on_graphics = args.iter().any(is_graphics);
        let report = if on_graphics {
            "RESULTS-GPU.md"
        } else {
            n2n.arg("--layers");
            "RESULTS.md"
        };
        n2n.arg("--report")
            .arg(cargo::root().join("benches").join(report))
            .arg("--overwrite");
    }
    cargo::become_process(&mut n2n)
}

/// Python of the virtual environment with the packages of `requirements.txt`; creates a missing one.
fn environment(peers: &Path) -> Result<OsString> {
    let folder = peers.join(".venv");
    let python = if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    };
    if !python.exists() {
        eprintln!("Installing the peer into {}, once.", folder.display());
        let system = if cfg!(windows) { "python" } else { "python3" };
        cargo::succeed(Command::new(system).args(["-m", "venv"]).arg(&folder))?;
        let requirements = peers.join("requirements.txt");
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--requirement"]);
        if let Err(error) = cargo::succeed(pip.arg(requirements)) {
            // The next run would take an incomplete environment for a complete one.
            std::fs::remove_dir_all(&folder)?;
            return Err(error);
        }
    }
    Ok(python.into_os_string())
}
