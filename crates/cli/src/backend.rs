//! Backends by name, chosen at run time among those compiled in.

use std::fmt;

use anyhow::{Context, bail};
use burn::tensor::Device;
use burn::tensor::wgpu::WgpuBackend;
use clap::ValueEnum;

use crate::adapters::adapters;

/// What to compute on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendName {
    /// A GPU through wgpu if there is one, else flex
    Auto,
    /// GPU through Vulkan, Metal or DirectX 12, whichever the system has
    Wgpu,
    /// GPU through Vulkan
    Vulkan,
    /// GPU through Metal
    Metal,
    /// GPU through DirectX 12
    Dx12,
    /// CPU, pure Rust
    Flex,
    /// CPU, the older implementation
    Ndarray,
    /// NVIDIA GPU through CUDA (not verified)
    #[cfg(feature = "cuda")]
    Cuda,
    /// AMD GPU through ROCm (not verified)
    #[cfg(feature = "rocm")]
    Rocm,
    /// CPU through CubeCL's compiler (not verified)
    #[cfg(feature = "cpu")]
    Cpu,
    /// CPU through LibTorch (not verified)
    #[cfg(feature = "tch")]
    Tch,
}

/// As `--backend` takes it.
impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_possible_value() {
            Some(value) => f.write_str(value.get_name()),
            None => Ok(()),
        }
    }
}

/// A device that is there, and what it is called.
pub struct SelectedDevice {
    /// The backend's name, never `auto`.
    pub backend: &'static str,
    /// The adapter's or processor's name.
    pub name: String,
    /// Whether its first steps go into choosing kernels.
    pub tunes_kernels: bool,
    /// Where tensors live.
    pub device: Device,
}

impl BackendName {
    /// What `auto` stands for on this machine, and why.
    pub fn automatic() -> (Self, String) {
        match adapters(WgpuBackend::Auto).first() {
            Some(adapter) if adapter.gpu => (Self::Wgpu, format!("{} is a GPU", adapter.name)),
            Some(adapter) => (
                Self::Flex,
                format!("no GPU; {} is a program on the CPU", adapter.name),
            ),
            None => (Self::Flex, "no graphics adapter".to_owned()),
        }
    }

    /// Opens device number `index` of this backend.
    ///
    /// # Errors
    /// When there is no such device.
    pub fn open(self, index: usize) -> anyhow::Result<SelectedDevice> {
        match self {
            Self::Auto => Self::automatic().0.open(index),
            Self::Wgpu => open_wgpu("wgpu", WgpuBackend::Auto, index),
            Self::Vulkan => open_wgpu("vulkan", WgpuBackend::Vulkan, index),
            Self::Metal => open_wgpu("metal", WgpuBackend::Metal, index),
            Self::Dx12 => open_wgpu("dx12", WgpuBackend::Dx12, index),
            Self::Flex => only("flex", Device::flex(), index),
            // The backend is deprecated in favour of flex, and kept for comparison.
            #[allow(deprecated)]
            Self::Ndarray => only("ndarray", Device::ndarray(), index),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(numbered("cuda", Device::cuda(index), index)),
            #[cfg(feature = "rocm")]
            Self::Rocm => Ok(numbered("rocm", Device::rocm(index), index)),
            #[cfg(feature = "cpu")]
            Self::Cpu => only("cpu", Device::cpu(), index),
            #[cfg(feature = "tch")]
            #[allow(deprecated)]
            Self::Tch => only("tch", Device::libtorch(), index),
        }
    }
}

/// A CPU backend: it has one device.
fn only(backend: &'static str, device: Device, index: usize) -> anyhow::Result<SelectedDevice> {
    if index != 0 {
        bail!("--device {index}: the {backend} backend has one device only, number 0");
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(SelectedDevice {
        backend,
        name: format!("{} CPU, {threads} threads", std::env::consts::ARCH),
        tunes_kernels: false,
        device,
    })
}

#[cfg(any(feature = "cuda", feature = "rocm"))]
fn numbered(backend: &'static str, device: Device, index: usize) -> SelectedDevice {
    SelectedDevice {
        backend,
        name: format!("{backend} device {index}"),
        tunes_kernels: true,
        device,
    }
}

fn open_wgpu(
    backend: &'static str,
    api: WgpuBackend,
    index: usize,
) -> anyhow::Result<SelectedDevice> {
    let found = adapters(api);
    let Some(adapter) = found.get(index) else {
        let names: Vec<&str> = found.iter().map(|adapter| adapter.name.as_str()).collect();
        bail!(
            "--backend {backend} --device {index}: no such adapter; this machine has {}; \
             `n2n devices` lists what there is, and --backend flex computes on the CPU",
            match names.as_slice() {
                [] => "none".to_owned(),
                names => names.join(", "),
            }
        );
    };
    let (api, kind) = adapter.selector.clone();
    let device = Device::wgpu_options()
        .device_kind(kind)
        .graphics_api(api)
        .init()
        .with_context(|| format!("cannot open {} for --backend {backend}", adapter.name))?;
    Ok(SelectedDevice {
        backend,
        name: adapter.name.clone(),
        tunes_kernels: true,
        device,
    })
}
