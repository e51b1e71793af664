//! `n2n compare`: the same training steps on several backends in turn.

mod measure;
mod memory;
mod table;

use std::process::ExitCode;

use anyhow::ensure;
use serde::Serialize;

use self::measure::{Bench, Measurement};
use crate::args::CompareArgs;
use crate::backend::{BackendName, Selected};

/// Compares as the arguments say.
///
/// # Errors
/// When an argument, the config, the data or a backend cannot be used, or a step fails.
pub fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let experiment = args.experiment.resolve()?;
    let selected = open(&args.backends)?;
    let steps = usize::try_from(args.steps)?;
    let bench = Bench::new(&experiment, steps)?;

    let mut measured: Vec<Measurement> = Vec::new();
    for selected in &selected {
        eprintln!(
            "{} ({}): {steps} steps ...",
            selected.backend, selected.name
        );
        let measurement = bench.measure(selected, measured.first())?;
        eprintln!(
            "{}: {:.1} images/s, first step {:.2} s",
            selected.backend, measurement.images_per_s, measurement.first_step_s
        );
        measured.push(measurement);
    }

    if args.json {
        let comparison = Comparison {
            steps,
            batch_size: experiment.train.batch_size,
            backends: &measured,
        };
        println!("{}", serde_json::to_string(&comparison)?);
    } else {
        let [_, height, width] = bench.image_shape();
        println!(
            "{}: {steps} steps of {} images, {height}x{width} pixels each",
            args.experiment.name(),
            experiment.train.batch_size,
        );
        print!("{}", table::text(&measured));
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the first device of each backend.
fn open(names: &[BackendName]) -> anyhow::Result<Vec<Selected>> {
    let list = names.iter().map(|name| format!("{name:?}").to_lowercase());
    let list = list.collect::<Vec<_>>().join(",");
    for (index, name) in names.iter().enumerate() {
        ensure!(
            *name != BackendName::Auto,
            "--backends {list}: auto is a choice among backends; name the backends themselves"
        );
        ensure!(
            !names[..index].contains(name),
            "--backends {list}: a backend is named twice"
        );
    }
    names.iter().map(|name| name.open(0)).collect()
}

/// What `--json` prints.
#[derive(Serialize)]
struct Comparison<'a> {
    steps: usize,
    batch_size: usize,
    backends: &'a [Measurement],
}
