//! `n2n compare`: the same training steps on several backends in turn.

mod measure;
mod memory;
mod picture;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Args;
use n2n_devices::{Backend, SelectedDevice};
use n2n_model::NetworkConfig;
use n2n_train::Experiment;
use serde::Serialize;

use self::measure::{Bench, Measurement};
use super::output;
use crate::args::ExperimentArgs;
use crate::data;

/// Arguments of `n2n compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What to run.
    #[command(flatten)]
    pub experiment: ExperimentArgs,

    /// What to compute on, in this order; deviations are from the first
    /// [default: flex,ndarray, and wgpu if there is a GPU]
    #[arg(
        long,
        value_parser = crate::backend::parser(),
        value_delimiter = ',',
        value_name = "NAME,NAME",
        verbatim_doc_comment
    )]
    pub backends: Vec<Backend>,

    /// Implementations of the network on each backend: burn, scratch, and for the simple net layers
    /// [default: as the config says]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "NAME,NAME",
        verbatim_doc_comment
    )]
    pub implementations: Vec<String>,

    /// Training steps on each, at least 2
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..))]
    pub steps: u32,

    /// Where the picture goes, as BASE.png and BASE.svg
    /// [default: runs/compare-CONFIG, or the next number that is free]
    #[arg(long, value_name = "BASE", verbatim_doc_comment)]
    pub picture: Option<PathBuf>,

    /// Write over files that are there already
    #[arg(long)]
    pub overwrite: bool,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// Compares as the arguments say.
///
/// # Errors
/// When an argument, the config, the data or a backend cannot be used, or a step fails.
pub fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let (experiment, opened) = data::open(&args.experiment.resolve()?)?;
    let selected = open(&args.backends)?;
    let networks = networks(&experiment, &args.implementations)?;
    let pictures = prepare_pictures(args)?;
    let steps = usize::try_from(args.steps)?;
    let bench = Bench::new(&experiment, opened, steps)?;
    let [_, height, width] = bench.image_shape();
    let title = format!(
        "{}: {steps} steps of {} images, {height}x{width} pixels each",
        args.experiment.name(),
        experiment.train.batch_size,
    );

    let mut measured: Vec<Measurement> = Vec::new();
    for selected in &selected {
        for network in &networks {
            let (backend, name) = (selected.backend, network.implementation(&selected.device));
            eprintln!(
                "{backend} ({}), computed by {name}: {steps} steps ...",
                selected.name
            );
            let measurement = bench.measure(selected, network, measured.first())?;
            eprintln!(
                "{backend}, {name}: {:.1} images/s, first step {:.2} s",
                measurement.images_per_s, measurement.first_step_s
            );
            measured.push(measurement);
        }
    }

    let comparison = Comparison {
        steps,
        batch_size: experiment.train.batch_size,
        backends: &measured,
    };
    let text = || format!("{title}\n{}", table::text(&measured));
    output::print(args.json, &comparison, text)?;
    picture::write(&pictures, &title, &measured)?;
    let [png, svg] = &pictures;
    eprintln!("picture: {} and {}", png.display(), svg.display());
    Ok(ExitCode::SUCCESS)
}

/// Makes ready for the pictures that are written, a PNG and an SVG; returns their paths.
fn prepare_pictures(args: &CompareArgs) -> anyhow::Result<[PathBuf; 2]> {
    const EXTENSIONS: [&str; 2] = ["png", "svg"];
    let default = || {
        let stem = format!("compare-{}", args.experiment.name());
        output::next_free(Path::new("runs"), &stem, &EXTENSIONS)
    };
    let base = args.picture.clone().unwrap_or_else(default);
    let pictures = EXTENSIONS.map(|extension| {
        let mut path = base.clone().into_os_string();
        path.push(format!(".{extension}"));
        PathBuf::from(path)
    });
    for picture in &pictures {
        output::prepare(picture, &[], args.overwrite).context("--picture")?;
    }
    Ok(pictures)
}

/// Opens the first device of each backend; without names, of those that are fit for training here.
fn open(names: &[Backend]) -> anyhow::Result<Vec<SelectedDevice>> {
    let (automatic, _) = Backend::automatic();
    let mut default = vec![Backend::Flex, Backend::Ndarray];
    if automatic != Backend::Flex {
        default.push(automatic);
    }
    let names = if names.is_empty() { &default } else { names };
    let list = names.iter().map(|name| format!("{name:?}").to_lowercase());
    let list = list.collect::<Vec<_>>().join(",");
    for (index, name) in names.iter().enumerate() {
        ensure!(
            *name != Backend::Auto,
            "--backends {list}: auto is a choice among backends; name the backends themselves"
        );
        ensure!(
            !names[..index].contains(name),
            "--backends {list}: a backend is named twice"
        );
    }
    names.iter().map(|name| Ok(name.open(0)?)).collect()
}

/// The network as each of these computes it; without names, as the config says.
fn networks(experiment: &Experiment, names: &[String]) -> anyhow::Result<Vec<NetworkConfig>> {
    if names.is_empty() {
        return Ok(vec![experiment.model.clone()]);
    }
    let network = |name: &String| {
        let model = experiment.model.with_implementation(name);
        let model = model.with_context(|| {
            let known: Vec<_> = experiment.model.implementations().collect();
            format!(
                "--implementations {name}: the {} has {}",
                experiment.model.summary(),
                known.join(" and ")
            )
        })?;
        let experiment = Experiment {
            model,
            ..experiment.clone()
        };
        experiment.validate()?;
        Ok(experiment.model)
    };
    names.iter().map(network).collect()
}

/// What `--json` prints.
#[derive(Serialize)]
struct Comparison<'a> {
    steps: usize,
    batch_size: usize,
    backends: &'a [Measurement],
}
