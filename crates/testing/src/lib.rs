//! Devices, golden files, pickles and error measures for tests. A dev-dependency only.

#![allow(clippy::unwrap_used)]

pub mod pickle;

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use burn::tensor::wgpu::{WgpuBackend, WgpuSetup};
use burn::tensor::{Device, FloatDType, TensorData};
use safetensors::SafeTensors;

/// CPU backends.
pub fn cpu_devices() -> [Device; 2] {
    // The ndarray backend is deprecated in favour of flex, and kept for comparison.
    #[allow(deprecated)]
    [Device::flex(), Device::ndarray()]
}

/// CPU backends with f64 as their default float type, in the whole process.
///
/// # Panics
/// If one has been used before.
pub fn cpu_devices_in_f64() -> [Device; 2] {
    static CONFIGURED: LazyLock<[Device; 2]> = LazyLock::new(|| {
        let mut devices = cpu_devices();
        for device in &mut devices {
            device.configure(FloatDType::F64).unwrap();
        }
        devices
    });
    CONFIGURED.clone()
}

/// Graphics adapter of this machine, possibly a software one; prints its name or that none exists.
///
/// # Panics
/// If no adapter exists and `CI` is set.
pub fn wgpu() -> Option<Device> {
    wgpu_with_setup().map(|(device, _)| device)
}

/// The device of [`wgpu`] with wgpu's own handles.
///
/// # Panics
/// If no adapter exists and `CI` is set.
pub fn wgpu_with_setup() -> Option<(Device, WgpuSetup)> {
    // A process can set wgpu up once.
    static ADAPTER: LazyLock<Option<(Device, WgpuSetup)>> = LazyLock::new(|| {
        // The APIs of the program, which excludes OpenGL.
        let api = match std::env::consts::OS {
            "macos" => WgpuBackend::Metal,
            "windows" => WgpuBackend::Dx12,
            _ => WgpuBackend::Vulkan,
        };
        match Device::wgpu_options().graphics_api(api).init_with_setup() {
            Ok((device, setup)) => {
                let adapter = setup.adapter.get_info().name;
                tell(&format!("wgpu is tested on {adapter}"));
                Some((device, setup))
            }
            Err(error) if std::env::var_os("CI").is_some() => panic!("no adapter in CI: {error}"),
            Err(error) => {
                tell(&format!("wgpu is NOT tested: no adapter here: {error}"));
                None
            }
        }
    });
    ADAPTER.clone()
}

/// Prints a line that the test runner does not capture.
fn tell(line: &str) {
    let line = format!("{line}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// f32 tensors of a golden file by name; a scalar becomes a vector of one element.
pub fn golden(bytes: &[u8]) -> HashMap<String, TensorData> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    let tensors = tensors.iter().map(|(name, view)| {
        let values: Vec<f32> = view
            .data()
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        let shape = match view.shape() {
            [] => vec![1],
            shape => shape.to_vec(),
        };
        (name.to_owned(), TensorData::new(values, shape))
    });
    tensors.collect()
}

/// Largest error relative to the largest value: `max|got - expected| / max|expected|`; the absolute
/// error where `expected` is zero.
///
/// # Panics
/// If the shapes differ.
pub fn error(got: &TensorData, expected: &TensorData) -> f64 {
    assert_eq!(got.shape(), expected.shape());
    let (got, expected): (Vec<f64>, Vec<f64>) = (got.iter().collect(), expected.iter().collect());
    let largest = expected.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    let difference = got.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    // f64::max would ignore a NaN.
    let difference = difference.fold(0.0, |a, b| if a >= b || a.is_nan() { a } else { b });
    if largest > 0.0 {
        difference / largest
    } else {
        difference
    }
}
