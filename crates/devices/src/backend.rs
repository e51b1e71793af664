//! Backends by name, chosen at run time among those compiled in.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use burn::tensor::wgpu::WgpuBackend;

use crate::adapters::adapters;

/// Something that computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// A GPU through wgpu if there is one, else flex.
    Auto,
    /// GPU through Vulkan, Metal or DirectX 12, whichever the system has.
    Wgpu,
    /// GPU through Vulkan.
    Vulkan,
    /// GPU through Metal.
    Metal,
    /// GPU through DirectX 12.
    Dx12,
    /// CPU, pure Rust.
    Flex,
    /// CPU, the older implementation.
    Ndarray,
    /// NVIDIA GPU through CUDA (not verified).
    #[cfg(feature = "cuda")]
    Cuda,
    /// AMD GPU through ROCm (not verified).
    #[cfg(feature = "rocm")]
    Rocm,
    /// CPU through CubeCL's compiler (not verified).
    #[cfg(feature = "cpu")]
    Cpu,
    /// CPU through LibTorch (not verified).
    #[cfg(feature = "tch")]
    Tch,
}

/// Why a device cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No backend has this name.
    #[error("{name} is not a backend")]
    Unknown {
        /// The name.
        name: String,
    },

    /// A CPU backend has one device.
    #[error("{backend} has no device {index}: it has one device, number 0")]
    OneDevice {
        /// The backend.
        backend: Backend,
        /// The number that was asked for.
        index: usize,
    },

    /// There is no such graphics adapter.
    #[error("{backend} has no such adapter, number {index}; this machine has {}", listed(.found))]
    NoAdapter {
        /// The backend.
        backend: Backend,
        /// The number that was asked for.
        index: usize,
        /// Names of the adapters that there are, in order.
        found: Vec<String>,
    },

    /// Burn cannot open the adapter.
    #[error("cannot open {adapter} for {backend}: {message}")]
    Open {
        /// The backend.
        backend: Backend,
        /// Name of the adapter.
        adapter: String,
        /// Burn's message.
        message: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// A device, and its names.
pub struct SelectedDevice {
    /// Name of the backend, never `auto`.
    pub backend: &'static str,
    /// Name of the adapter or processor.
    pub name: String,
    /// Whether its first steps tune kernels.
    pub tunes_kernels: bool,
    /// Burn's device.
    pub device: Device,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let found = Self::ALL.iter().find(|backend| backend.name() == name);
        found.copied().ok_or_else(|| DeviceError::Unknown {
            name: name.to_owned(),
        })
    }
}

impl Backend {
    /// Every backend that is compiled in.
    pub const ALL: &'static [Self] = &[
        Self::Auto,
        Self::Wgpu,
        Self::Vulkan,
        Self::Metal,
        Self::Dx12,
        Self::Flex,
        Self::Ndarray,
        #[cfg(feature = "cuda")]
        Self::Cuda,
        #[cfg(feature = "rocm")]
        Self::Rocm,
        #[cfg(feature = "cpu")]
        Self::Cpu,
        #[cfg(feature = "tch")]
        Self::Tch,
    ];

    /// Returns the name, in lower case.
    pub fn name(self) -> &'static str {
        self.name_and_summary().0
    }

    /// Returns one line about the backend.
    pub fn summary(self) -> &'static str {
        self.name_and_summary().1
    }

    fn name_and_summary(self) -> (&'static str, &'static str) {
        match self {
            Self::Auto => ("auto", "A GPU through wgpu if there is one, else flex"),
            Self::Wgpu => (
                "wgpu",
                "GPU through Vulkan, Metal or DirectX 12, whichever the system has",
            ),
            Self::Vulkan => ("vulkan", "GPU through Vulkan"),
            Self::Metal => ("metal", "GPU through Metal"),
            Self::Dx12 => ("dx12", "GPU through DirectX 12"),
            Self::Flex => ("flex", "CPU, pure Rust"),
            Self::Ndarray => ("ndarray", "CPU, the older implementation"),
            #[cfg(feature = "cuda")]
            Self::Cuda => ("cuda", "NVIDIA GPU through CUDA (not verified)"),
            #[cfg(feature = "rocm")]
            Self::Rocm => ("rocm", "AMD GPU through ROCm (not verified)"),
            #[cfg(feature = "cpu")]
            Self::Cpu => ("cpu", "CPU through CubeCL's compiler (not verified)"),
            #[cfg(feature = "tch")]
            Self::Tch => ("tch", "CPU through LibTorch (not verified)"),
        }
    }

    /// Returns the backend that [`Auto`](Self::Auto) stands for on this machine, and why.
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
    pub fn open(self, index: usize) -> Result<SelectedDevice, DeviceError> {
        match self {
            Self::Auto => Self::automatic().0.open(index),
            Self::Wgpu => self.open_adapter(WgpuBackend::Auto, index),
            Self::Vulkan => self.open_adapter(WgpuBackend::Vulkan, index),
            Self::Metal => self.open_adapter(WgpuBackend::Metal, index),
            Self::Dx12 => self.open_adapter(WgpuBackend::Dx12, index),
            Self::Flex => self.open_cpu(Device::flex(), index),
            // The backend is deprecated in favour of flex, and kept for comparison.
            #[allow(deprecated)]
            Self::Ndarray => self.open_cpu(Device::ndarray(), index),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(self.numbered(Device::cuda(index), index)),
            #[cfg(feature = "rocm")]
            Self::Rocm => Ok(self.numbered(Device::rocm(index), index)),
            #[cfg(feature = "cpu")]
            Self::Cpu => self.open_cpu(Device::cpu(), index),
            #[cfg(feature = "tch")]
            #[allow(deprecated)]
            Self::Tch => self.open_cpu(Device::libtorch(), index),
        }
    }

    fn open_cpu(self, device: Device, index: usize) -> Result<SelectedDevice, DeviceError> {
        if index != 0 {
            return Err(DeviceError::OneDevice {
                backend: self,
                index,
            });
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(SelectedDevice {
            backend: self.name(),
            name: format!("{} CPU, {threads} threads", std::env::consts::ARCH),
            tunes_kernels: false,
            device,
        })
    }

    #[cfg(any(feature = "cuda", feature = "rocm"))]
    fn numbered(self, device: Device, index: usize) -> SelectedDevice {
        SelectedDevice {
            backend: self.name(),
            name: format!("{self} device {index}"),
            tunes_kernels: true,
            device,
        }
    }

    fn open_adapter(self, api: WgpuBackend, index: usize) -> Result<SelectedDevice, DeviceError> {
        let found = adapters(api);
        let Some(adapter) = found.get(index) else {
            let found = found.into_iter().map(|adapter| adapter.name).collect();
            return Err(DeviceError::NoAdapter {
                backend: self,
                index,
                found,
            });
        };
        let (api, kind) = adapter.selector.clone();
        let device = Device::wgpu_options()
            .device_kind(kind)
            .graphics_api(api)
            .init()
            .map_err(|error| DeviceError::Open {
                backend: self,
                adapter: adapter.name.clone(),
                message: error.to_string(),
            })?;
        Ok(SelectedDevice {
            backend: self.name(),
            name: adapter.name.clone(),
            tunes_kernels: true,
            device,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for backend in Backend::ALL {
            assert_eq!(backend.name().parse::<Backend>().unwrap(), *backend);
        }
    }

    #[test]
    fn cpu_backend_has_one_device() {
        assert_eq!(Backend::Flex.open(0).unwrap().backend, "flex");
        let error = Backend::Flex.open(3).err().unwrap();
        assert!(matches!(error, DeviceError::OneDevice { index: 3, .. }));
    }

    #[test]
    fn missing_adapter_lists_what_there_is() {
        let error = DeviceError::NoAdapter {
            backend: Backend::Vulkan,
            index: 2,
            found: vec!["a".to_owned(), "b".to_owned()],
        };
        let message = error.to_string();
        assert!(
            message.ends_with("number 2; this machine has a, b"),
            "{message}"
        );
    }
}
