//! Kernel launches, counted: on a graphics device a small network's step takes as long as its launches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{Device, ExecutionError};
use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};

/// Launches of each kernel, by the name of its type without parameters.
pub type Launches = BTreeMap<&'static str, usize>;

/// Counts every launch of the process while `act` runs on `device`, those that search for the fastest kernel
/// included. CPU backends launch none.
///
/// # Errors
/// When the device fails.
pub fn count_launches<T>(
    device: &Device,
    act: impl FnOnce() -> T,
) -> Result<(T, Launches), ExecutionError> {
    // What was asked for before may not have been launched yet.
    device.sync()?;
    let counts = Arc::new(Counts::default());
    let observation = LaunchObservation::new(counts.clone());
    let result = act();
    device.sync()?;
    drop(observation);
    let counts = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((result, counts.clone()))
}

#[derive(Default)]
struct Counts(Mutex<Launches>);

impl LaunchObserver for Counts {
    fn launched(&self, kernel: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(short(kernel)).or_default() += 1;
    }
}

/// The name of a type without its path and its parameters.
fn short(kernel: &'static str) -> &'static str {
    let name = kernel.split('<').next().unwrap_or(kernel);
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use burn::backend::WgpuBackend;
    use burn::tensor::{Distribution, Tensor};

    use super::*;
    use crate::{Backend, adapters};

    #[test]
    fn kernels_have_the_names_of_their_types() {
        for (kernel, name) in [
            (
                "burn_cubecl::kernel::conv::direct::DirectConv2d<f32, wgpu::Runtime>",
                "DirectConv2d",
            ),
            ("a::b::Kernel", "Kernel"),
            ("Kernel", "Kernel"),
        ] {
            assert_eq!(short(kernel), name);
        }
    }

    /// Launches of a sum of products.
    fn launches(device: &Device) -> Launches {
        let a = Tensor::<2>::random([31, 17], Distribution::Default, device);
        let act = || (a.clone() * a).sum().into_scalar::<f32>();
        count_launches(device, act).unwrap().1
    }

    #[test]
    fn cpus_launch_nothing() {
        assert_eq!(launches(&Device::flex()), Launches::new());
    }

    #[test]
    fn wgpu_launches_are_counted() {
        if adapters(WgpuBackend::Auto).is_empty() {
            assert!(std::env::var_os("CI").is_none(), "no adapter in CI");
            return;
        }
        let device = Backend::Wgpu.open(0).unwrap().device;
        // The first time it searches for the fastest reduction.
        let (first, later) = (launches(&device), launches(&device));
        let sum = |launches: &Launches| launches.values().sum::<usize>();
        assert!((1..=3).contains(&sum(&later)), "{later:?}");
        assert!(sum(&first) >= sum(&later), "{first:?}");
        assert_eq!(launches(&device), later);
    }
}
