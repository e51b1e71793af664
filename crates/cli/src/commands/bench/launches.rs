//! Kernel launches of a network's passes.

use std::fmt::Write;

use anyhow::ensure;
use burn::tensor::{Device, Distribution, Tensor};
use n2n_devices::{Launches, SelectedDevice, count_launches};
use n2n_model::NetworkConfig;
use serde::Serialize;

use super::ours::{SIZE, Training};

/// Steps after which no kernel is searched for any more.
const SEARCHING: usize = 2;

/// Launches of one contestant.
#[derive(Serialize)]
pub struct Counted {
    network: &'static str,
    batch_size: usize,
    /// `wgpu, scratch`, say.
    who: String,
    /// Of a forward pass without gradients.
    forward: usize,
    /// Of the first training step, which may search for the fastest kernels.
    first_step: usize,
    /// Of a later one.
    step: usize,
    /// Most memory that the allocator held on the device in these steps, in MiB: never less than was in use.
    peak_mib: Option<u64>,
    /// Launches of each kernel of the first step.
    first_kernels: Launches,
    /// Launches of each kernel of a later step.
    kernels: Launches,
}

impl Counted {
    /// Counts on a device that launches kernels.
    ///
    /// # Errors
    /// When it launches none, or fails.
    pub fn of(
        network: &'static str,
        config: &NetworkConfig,
        selected: &SelectedDevice,
        batch_size: usize,
    ) -> anyhow::Result<Self> {
        let device = &selected.device;
        let mut training = Training::new(config, selected, batch_size);
        let sum = |launches: &Launches| launches.values().sum::<usize>();
        let (loss, first) = count_launches(device, || training.step())?;
        loss?;
        ensure!(
            sum(&first) > 0,
            "{} launches no kernels; count those of --backend wgpu",
            selected.backend
        );
        for _ in 1..SEARCHING {
            training.step()?;
        }
        let (loss, kernels) = count_launches(device, || training.step())?;
        loss?;
        let peak_mib = peak_bytes(device).map(|bytes| bytes >> 20);
        let network_alone = config.init(0, device);
        let shape = [batch_size, 3, SIZE, SIZE];
        let x = Tensor::<4>::random(shape, Distribution::Uniform(0.0, 1.0), device);
        let (output, forward) = count_launches(device, || network_alone.forward(x))?;
        output.try_into_data()?;
        Ok(Self {
            network,
            batch_size,
            who: format!("{}, {}", selected.backend, config.implementation(device)),
            forward: sum(&forward),
            first_step: sum(&first),
            first_kernels: first,
            step: sum(&kernels),
            peak_mib,
            kernels,
        })
    }
}

/// Most bytes that the allocator of a graphics device held, in pages; those of earlier work of the process count too.
fn peak_bytes(device: &Device) -> Option<u64> {
    let pools = device.memory_pool_report()?;
    let bytes = pools.iter().map(|pool| pool.page_size * pool.pages_peak);
    Some(bytes.sum())
}

/// A table, and the kernels of the first and a later step, those launched most often first.
pub fn text(counted: &[Counted]) -> String {
    let mut text =
        "| network | batch | computed by | forward | first step | later step | peak MiB |\n\
                    | --- | ---: | --- | ---: | ---: | ---: | ---: |\n"
            .to_owned();
    // Writing to a string cannot fail.
    for counted in counted {
        let Counted {
            network,
            batch_size,
            who,
            forward,
            first_step,
            step,
            peak_mib,
            ..
        } = counted;
        let peak = peak_mib.map_or("-".to_owned(), |mib| mib.to_string());
        let _ = writeln!(
            text,
            "| {network} | {batch_size} | {who} | {forward} | {first_step} | {step} | {peak} |"
        );
    }
    for counted in counted {
        let Counted { network, who, .. } = counted;
        for (step, kernels) in [
            ("first", &counted.first_kernels),
            ("later", &counted.kernels),
        ] {
            let _ = writeln!(text, "\n{network}, {who}, {step} step:");
            let mut kernels: Vec<_> = kernels.iter().collect();
            kernels.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            for (kernel, count) in kernels {
                let _ = writeln!(text, "{count:6}  {kernel}");
            }
        }
    }
    text
}
