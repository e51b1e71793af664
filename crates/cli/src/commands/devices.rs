//! `n2n devices`: what this machine can compute on.

use std::process::ExitCode;

use burn::tensor::wgpu::WgpuBackend;
use clap::Args;
use n2n_devices::{Adapter, Backend, adapters};
use serde::Serialize;

use super::output::print;

/// Arguments of `n2n devices`.
#[derive(Debug, Args)]
pub struct DevicesArgs {
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Backends that compute on the CPU, always there.
const CPU_BACKENDS: [&str; 2] = ["flex", "ndarray"];

/// What there is, and what `auto` takes.
#[derive(Serialize)]
struct Devices {
    /// In the order of `--backend wgpu --device N`.
    adapters: Vec<Adapter>,
    cpu_backends: [&'static str; 2],
    auto: Choice,
}

#[derive(Serialize)]
struct Choice {
    backend: String,
    reason: String,
}

/// Lists every adapter and CPU backend.
///
/// # Errors
/// When the list cannot be written as JSON.
pub fn run(args: &DevicesArgs) -> anyhow::Result<ExitCode> {
    let (backend, reason) = Backend::automatic();
    let backend = backend.to_string();
    let devices = Devices {
        adapters: adapters(WgpuBackend::Auto),
        cpu_backends: CPU_BACKENDS,
        auto: Choice { backend, reason },
    };
    print(args.json, &devices, || devices.text())?;
    Ok(ExitCode::SUCCESS)
}

impl Devices {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        if self.adapters.is_empty() {
            lines.push("no graphics adapter: install a Vulkan driver to use a GPU".to_owned());
        }
        for (index, adapter) in self.adapters.iter().enumerate() {
            let yes_no = |has| if has { "yes" } else { "no" };
            lines.push(format!(
                "--backend wgpu --device {index}: {} ({}, {}, {})\n    \
                 driver {}, largest buffer {} MiB, f16 {}, subgroups {}",
                adapter.name,
                adapter.vendor,
                adapter.kind,
                adapter.api,
                adapter.driver,
                adapter.max_buffer_mib,
                yes_no(adapter.f16),
                yes_no(adapter.subgroups),
            ));
        }
        for backend in self.cpu_backends {
            lines.push(format!("--backend {backend}: CPU"));
        }
        let Choice { backend, reason } = &self.auto;
        lines.push(format!("--backend auto takes {backend}: {reason}"));
        lines.join("\n")
    }
}
