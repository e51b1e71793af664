//! Backends by name, chosen at run time among those compiled in.

use anyhow::{Context, bail};
use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::wgpu::wgpu as graphics;
use burn::tensor::{Device, DeviceKind};
use clap::ValueEnum;

/// What to compute on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendName {
    /// A GPU through wgpu if there is one, else flex
    Auto,
    /// GPU through the system's best graphics API: Metal on Apple, else Vulkan, DirectX 12, OpenGL
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

/// A device that is there, and what it is called.
pub struct Selected {
    /// The backend's name, never `auto`.
    pub backend: &'static str,
    /// The adapter's or processor's name.
    pub name: String,
    /// Where tensors live.
    pub device: Device,
}

impl BackendName {
    /// Opens device number `index` of this backend.
    ///
    /// # Errors
    /// When there is no such device.
    pub fn open(self, index: usize) -> anyhow::Result<Selected> {
        match self {
            Self::Auto => match adapters(WgpuBackend::Auto).iter().any(is_gpu) {
                true => Self::Wgpu.open(index),
                false => Self::Flex.open(index),
            },
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
fn only(backend: &'static str, device: Device, index: usize) -> anyhow::Result<Selected> {
    if index != 0 {
        bail!("--device {index}: the {backend} backend has one device only, number 0");
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Selected {
        backend,
        name: format!("{} CPU, {threads} threads", std::env::consts::ARCH),
        device,
    })
}

#[cfg(any(feature = "cuda", feature = "rocm"))]
fn numbered(backend: &'static str, device: Device, index: usize) -> Selected {
    Selected {
        backend,
        name: format!("{backend} device {index}"),
        device,
    }
}

fn open_wgpu(backend: &'static str, api: WgpuBackend, index: usize) -> anyhow::Result<Selected> {
    let found = adapters(api);
    let Some(adapter) = found.get(index) else {
        let names: Vec<&str> = found.iter().map(|info| info.name.as_str()).collect();
        bail!(
            "--backend {backend} --device {index}: no such adapter; this machine has {}; \
             --backend flex computes on the CPU",
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        );
    };
    // Burn counts adapters of each kind apart.
    let kind_index = found[..index]
        .iter()
        .filter(|other| other.device_type == adapter.device_type)
        .count();
    let kind = match adapter.device_type {
        graphics::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(kind_index),
        graphics::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(kind_index),
        graphics::DeviceType::VirtualGpu => DeviceKind::VirtualGpu(kind_index),
        graphics::DeviceType::Cpu => DeviceKind::Cpu,
        graphics::DeviceType::Other => DeviceKind::DefaultDevice,
    };
    let device = Device::wgpu_options()
        .device_kind(kind)
        .graphics_api(api)
        .init()
        .with_context(|| format!("cannot open {} for --backend {backend}", adapter.name))?;
    Ok(Selected {
        backend,
        name: adapter.name.clone(),
        device,
    })
}

/// The adapters of a graphics API, real GPUs first.
fn adapters(api: WgpuBackend) -> Vec<graphics::AdapterInfo> {
    let backends = match api {
        WgpuBackend::Vulkan => graphics::Backends::VULKAN,
        WgpuBackend::Metal => graphics::Backends::METAL,
        WgpuBackend::Dx12 => graphics::Backends::DX12,
        _ => graphics::Backends::PRIMARY,
    };
    let instance = graphics::Instance::new(graphics::InstanceDescriptor {
        backends,
        ..graphics::InstanceDescriptor::new_without_display_handle()
    });
    let mut found: Vec<_> = burn::tensor::read_sync(instance.enumerate_adapters(backends))
        .iter()
        .map(graphics::Adapter::get_info)
        .collect();
    found.sort_by_key(|info| !is_gpu(info));
    found
}

fn is_gpu(info: &graphics::AdapterInfo) -> bool {
    use graphics::DeviceType::{DiscreteGpu, IntegratedGpu, VirtualGpu};
    matches!(info.device_type, DiscreteGpu | IntegratedGpu | VirtualGpu)
}
