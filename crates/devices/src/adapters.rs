//! The graphics adapters of this machine, as wgpu reports them.

use burn::tensor::DeviceKind;
use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::wgpu::wgpu as graphics;
use serde::Serialize;

/// PCI identifiers of the vendors whose adapters people have.
const VENDORS: [(u32, &str); 7] = [
    (0x1002, "AMD"),
    (0x1010, "Imagination"),
    (0x10de, "NVIDIA"),
    (0x13b5, "Arm"),
    (0x5143, "Qualcomm"),
    (0x8086, "Intel"),
    (0x106b, "Apple"),
];

/// Mesa's identifier for its software rasterizers, which are on no bus.
const MESA: u32 = 0x1_0005;

/// One adapter under one graphics API.
#[derive(Clone, Debug, Serialize)]
pub struct Adapter {
    /// Name of the hardware, or of the program that stands in for it.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// Discrete, integrated or virtual GPU, or a CPU.
    pub kind: &'static str,
    /// Whether it is a GPU, and not a program on the CPU.
    pub gpu: bool,
    /// Graphics API it is reached through.
    pub api: &'static str,
    /// Driver and its version.
    pub driver: String,
    /// Largest single buffer in MiB; wgpu does not tell the memory itself.
    pub max_buffer_mib: u64,
    /// 16-bit floats in shaders.
    pub f16: bool,
    /// Subgroup operations in shaders.
    pub subgroups: bool,
    /// How Burn finds it.
    #[serde(skip)]
    pub selector: (WgpuBackend, DeviceKind),
}

/// Every adapter under `api`, or under all of them: real GPUs first.
pub fn adapters(api: WgpuBackend) -> Vec<Adapter> {
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
    let found = burn::tensor::read_sync(instance.enumerate_adapters(backends));
    let infos: Vec<_> = found.iter().map(graphics::Adapter::get_info).collect();
    let mut adapters: Vec<Adapter> = found
        .iter()
        .enumerate()
        .filter_map(|(index, adapter)| {
            // Burn counts the adapters of each API and kind apart.
            let info = &infos[index];
            let same = |other: &&graphics::AdapterInfo| {
                other.backend == info.backend && other.device_type == info.device_type
            };
            let number = infos[..index].iter().filter(same).count();
            describe(info, adapter, number)
        })
        .collect();
    adapters.sort_by_key(|adapter| !adapter.gpu);
    adapters
}

fn describe(
    info: &graphics::AdapterInfo,
    adapter: &graphics::Adapter,
    number: usize,
) -> Option<Adapter> {
    let (kind, device_kind) = match info.device_type {
        graphics::DeviceType::DiscreteGpu => ("discrete GPU", DeviceKind::DiscreteGpu(number)),
        graphics::DeviceType::IntegratedGpu => {
            ("integrated GPU", DeviceKind::IntegratedGpu(number))
        }
        graphics::DeviceType::VirtualGpu => ("virtual GPU", DeviceKind::VirtualGpu(number)),
        graphics::DeviceType::Cpu if number == 0 => ("CPU", DeviceKind::Cpu),
        // Burn cannot address these.
        graphics::DeviceType::Cpu | graphics::DeviceType::Other => return None,
    };
    let (api_name, api) = match info.backend {
        graphics::Backend::Vulkan => ("Vulkan", WgpuBackend::Vulkan),
        graphics::Backend::Metal => ("Metal", WgpuBackend::Metal),
        graphics::Backend::Dx12 => ("DirectX 12", WgpuBackend::Dx12),
        _ => return None,
    };
    let features = adapter.features();
    Some(Adapter {
        name: info.name.clone(),
        vendor: vendor(info.vendor),
        kind,
        gpu: info.device_type != graphics::DeviceType::Cpu,
        api: api_name,
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
        max_buffer_mib: adapter.limits().max_buffer_size >> 20,
        f16: features.contains(graphics::Features::SHADER_F16),
        subgroups: features.contains(graphics::Features::SUBGROUP),
        selector: (api, device_kind),
    })
}

fn vendor(id: u32) -> String {
    let known = VENDORS.iter().find(|(vendor, _)| *vendor == id);
    match known {
        Some((_, name)) => (*name).to_owned(),
        None if id == MESA => "Mesa".to_owned(),
        None => format!("{id:#06x}"),
    }
}
