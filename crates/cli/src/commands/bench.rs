//! `n2n bench`: training steps by each implementation and by a peer, in alternation.

mod launches;
mod layers;
mod ours;
mod peer;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use burn::tensor::Device;
use clap::Args;
use clap::builder::PossibleValuesParser;
use n2n_data::quality::median;
use n2n_devices::{Backend, SelectedDevice};
use n2n_model::NetworkConfig;
use serde::Serialize;
use time::OffsetDateTime;

use self::layers::{LAYERS, Layer, Ops, Passes};
use self::ours::Training;
use self::peer::Peer;
use super::output::{prepare, print};
use crate::args::at_least_one;

/// Arguments of `n2n bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What to compute on
    #[arg(
        long,
        value_parser = crate::backend::parser(),
        value_delimiter = ',',
        value_name = "NAME,NAME",
        default_value = "flex"
    )]
    pub backend: Vec<Backend>,

    /// Networks to train
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME", default_values = NetworkConfig::KINDS, value_parser = PossibleValuesParser::new(NetworkConfig::KINDS))]
    pub network: Vec<String>,

    /// Implementations to measure, of each network those that it has
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME", default_values = NetworkConfig::IMPLEMENTATIONS, value_parser = PossibleValuesParser::new(NetworkConfig::IMPLEMENTATIONS))]
    pub implementation: Vec<String>,

    /// Images in a batch
    #[arg(long, value_delimiter = ',', value_name = "N,N", default_value = "16,64", value_parser = at_least_one)]
    pub batch: Vec<usize>,

    /// Rounds in which everyone is measured once
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Seconds of a measurement, of at least three steps
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5)]
    pub seconds: f64,

    /// Read the loss of every 25th step only, as training does: a device computes while the next step is prepared
    #[arg(long)]
    pub pipelined: bool,

    /// Time each convolution of the U-Net as well, with batches of the first size
    #[arg(long)]
    pub layers: bool,

    /// Count kernel launches in place of timing: of a forward pass, the first step and a later one
    #[arg(long, conflicts_with_all = ["rounds", "seconds", "pipelined", "layers", "peer", "report"])]
    pub launches: bool,

    /// Another engine to measure beside: a Python program and its script, as benches/peers/bench.py
    #[arg(long, num_args = 2, value_names = ["PYTHON", "SCRIPT"])]
    pub peer: Option<Vec<PathBuf>>,

    /// Write the table to a file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Write over a report that is there already
    #[arg(long)]
    pub overwrite: bool,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// The times of one contestant.
#[derive(Serialize)]
pub struct Times {
    /// Its kind in a config, such as `unet`.
    network: &'static str,
    batch_size: usize,
    /// `flex, scratch`, say, or the peer's name.
    who: String,
    /// Median of the rounds, each the median of its steps.
    median_ms: f64,
    /// The fastest and the slowest round.
    range_ms: [f64; 2],
    /// Median of this round by round over the peer's, where there is one.
    ratio: Option<f64>,
}

/// Steps of which training reads one loss.
const PIPELINED: usize = 25;

/// What `--json` prints.
#[derive(Serialize)]
pub struct Bench {
    /// The fastest of ours over the peer's, U-Net, first batch size, on the first backend.
    step_ratio: Option<f64>,
    /// Largest GFLOP/s of a matrix product of 1024 x 1024 in f32.
    sgemm_gflops: f64,
    processor: String,
    /// The graphics device, if there is one among the backends.
    graphics: Option<String>,
    /// In UTC.
    date: String,
    threads: usize,
    peer: Option<String>,
    rounds: usize,
    seconds: f64,
    /// Steps of which one loss is read.
    steps_per_read: usize,
    times: Vec<Times>,
    /// Convolutions of the U-Net, on the first backend, with batches of the first size.
    layers: Vec<LayerTimes>,
}

/// Medians of the rounds.
#[derive(Serialize)]
struct LayerTimes {
    #[serde(flatten)]
    layer: Layer,
    scratch: Passes,
    burn: Passes,
    peer: Option<Passes>,
}

enum Contestant {
    Ours(Box<Training>),
    /// The peer, and the way in which it computes a step.
    Peer(usize),
}

/// Measures as the arguments say.
///
/// # Errors
/// When a backend or the peer cannot be used.
pub fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if let Some(path) = &args.report {
        prepare(path, &[], args.overwrite)?;
    }
    let rounds = usize::try_from(args.rounds)?;
    let threads = n2n_kernels::threads();
    let backends = args.backend.iter().map(|name| {
        ensure!(
            *name != Backend::Auto,
            "--backend auto: name the backends themselves"
        );
        Ok(name.open(0)?)
    });
    let backends = backends.collect::<anyhow::Result<Vec<_>>>()?;
    // Beside a graphics device, the peer computes on one too.
    let is_gpu = |selected: &&SelectedDevice| n2n_scratch::is_gpu(&selected.device);
    let graphics = backends.iter().find(is_gpu);
    let mut peer = match &args.peer {
        Some(command) => Some(Peer::start(command, threads, graphics.is_some())?),
        None => None,
    };
    if args.launches {
        let counted = count_launches(args, &backends)?;
        print(args.json, &counted, || launches::text(&counted))?;
        return Ok(ExitCode::SUCCESS);
    }
    let steps_per_read = if args.pipelined { PIPELINED } else { 1 };
    let mut times = vec![];
    for (network, configs) in networks(args) {
        for &batch_size in &args.batch {
            let mut contestants = vec![];
            for selected in &backends {
                for config in &configs {
                    let training = Training::new(config, selected, batch_size);
                    let who = format!(
                        "{}, {}",
                        selected.backend,
                        config.implementation(&selected.device)
                    );
                    contestants.push((who, Contestant::Ours(Box::new(training))));
                }
            }
            let reference = contestants.len();
            let ways = peer.iter().flat_map(|peer| peer.ways.iter().enumerate());
            contestants.extend(ways.map(|(way, who)| (who.clone(), Contestant::Peer(way))));
            eprintln!("{network}, batches of {batch_size}: {rounds} rounds ...");
            let mut measured: Vec<Vec<f64>> = vec![vec![]; contestants.len()];
            // The round before the first warms caches and allocators up.
            for round in 0..=rounds {
                for ((_, contestant), measured) in contestants.iter_mut().zip(&mut measured) {
                    let mut seconds = match (contestant, &mut peer) {
                        (Contestant::Ours(training), _) => {
                            training.seconds(steps_per_read, args.seconds)?
                        }
                        (Contestant::Peer(way), Some(peer)) => {
                            peer.steps(*way, network, batch_size, steps_per_read, args.seconds)?
                        }
                        (Contestant::Peer(_), None) => vec![],
                    };
                    if round > 0 {
                        measured.push(1e3 * median(&mut seconds));
                    }
                }
            }
            let reference = measured.get(reference).cloned();
            for ((who, _), rounds) in contestants.into_iter().zip(measured) {
                times.push(Times::new(
                    network,
                    batch_size,
                    who,
                    rounds,
                    reference.as_deref(),
                ));
            }
        }
    }
    let layers = match (args.layers, backends.first(), args.batch.first()) {
        (true, Some(first), Some(&batch_size)) => {
            time_layers(args, &first.device, batch_size, peer.as_mut())?
        }
        _ => vec![],
    };
    let first = times.iter().filter(|times| {
        Some(&times.batch_size) == args.batch.first()
            && times.network == "unet"
            && backends
                .first()
                .is_some_and(|first| times.who.starts_with(first.backend))
    });
    let bench = Bench {
        step_ratio: first.filter_map(|times| times.ratio).min_by(f64::total_cmp),
        sgemm_gflops: ours::sgemm_gflops(),
        processor: processor(),
        graphics: graphics.map(|selected| selected.name.clone()),
        date: OffsetDateTime::now_utc().date().to_string(),
        threads,
        peer: peer.map(|peer| peer.version.clone()),
        rounds,
        seconds: args.seconds,
        steps_per_read,
        times,
        layers,
    };
    let table = report::markdown(&bench);
    if let Some(path) = &args.report {
        report::write(path, args, &table)?;
    }
    print(args.json, &bench, || table)?;
    Ok(ExitCode::SUCCESS)
}

fn count_launches(
    args: &BenchArgs,
    backends: &[SelectedDevice],
) -> anyhow::Result<Vec<launches::Counted>> {
    let mut counted = vec![];
    for (network, configs) in networks(args) {
        for &batch_size in &args.batch {
            for selected in backends {
                for config in &configs {
                    eprintln!(
                        "{network}, batches of {batch_size}, {} ...",
                        selected.backend
                    );
                    let launches = launches::Counted::of(network, config, selected, batch_size);
                    counted.push(launches?);
                }
            }
        }
    }
    Ok(counted)
}

fn time_layers(
    args: &BenchArgs,
    device: &Device,
    batch_size: usize,
    mut peer: Option<&mut Peer>,
) -> anyhow::Result<Vec<LayerTimes>> {
    /// Measurements of a round that together take as long as one of a network.
    const SHARES: f64 = 10.0;
    let seconds = args.seconds / SHARES;
    let mut times = vec![];
    for layer in LAYERS {
        eprintln!("{}, {} ...", layer.name, layer.channels());
        let (mut scratch, mut burn, mut theirs) = (vec![], vec![], vec![]);
        for round in 0..=args.rounds {
            let ours = layers::measure(&layer, batch_size, Ops::Scratch, device, seconds)?;
            let burns = layers::measure(&layer, batch_size, Ops::Burn, device, seconds)?;
            let peers = match &mut peer {
                Some(peer) => Some(peer.layer(&layer, batch_size, seconds)?),
                None => None,
            };
            // The first round warms up.
            if round > 0 {
                scratch.push(ours);
                burn.push(burns);
                theirs.extend(peers);
            }
        }
        times.push(LayerTimes {
            layer,
            scratch: Passes::median(&scratch),
            burn: Passes::median(&burn),
            peer: peer.is_some().then(|| Passes::median(&theirs)),
        });
    }
    Ok(times)
}

/// Every selected network with every implementation that supports it.
fn networks(args: &BenchArgs) -> impl Iterator<Item = (&'static str, Vec<NetworkConfig>)> {
    let kinds = NetworkConfig::KINDS.iter().copied();
    let kinds = kinds.filter(|kind| args.network.iter().any(|chosen| chosen == kind));
    kinds.filter_map(|kind| {
        let config = NetworkConfig::of_kind(kind)?;
        let names = args.implementation.iter();
        let configs = names.filter_map(|name| config.with_implementation(name));
        Some((kind, configs.collect()))
    })
}

impl Times {
    fn new(
        network: &'static str,
        batch_size: usize,
        who: String,
        mut rounds: Vec<f64>,
        reference: Option<&[f64]>,
    ) -> Self {
        let ratio = reference.map(|reference| {
            let ratios = rounds
                .iter()
                .zip(reference)
                .map(|(ours, theirs)| ours / theirs);
            median(&mut ratios.collect::<Vec<_>>())
        });
        let fold =
            |pick: fn(f64, f64) -> f64| rounds.iter().copied().reduce(pick).unwrap_or(f64::NAN);
        Self {
            network,
            batch_size,
            who,
            range_ms: [fold(f64::min), fold(f64::max)],
            median_ms: median(&mut rounds),
            ratio,
        }
    }
}

/// The name that the processor gives itself, or else its architecture.
fn processor() -> String {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(brand) = raw_cpuid::CpuId::new().get_processor_brand_string() {
        return brand.as_str().trim().to_owned();
    }
    std::env::consts::ARCH.to_owned()
}
