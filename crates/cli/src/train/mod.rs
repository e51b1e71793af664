//! `n2n train`: the training program, top to bottom.

pub(crate) mod datasets;
pub(crate) mod denoiser;
pub(crate) mod optimizer;
mod plateau;
mod progress;
pub(crate) mod psnr;
mod run_dir;
mod strategy;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use burn::train::logger::InMemoryMetricLogger;
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::renderer::MetricsRenderer;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};
use n2n_data::{Normalization, TrainStream, ValidationSet};
use serde::Serialize;

use self::datasets::Datasets;
use self::denoiser::Denoiser;
use self::progress::ProgressLines;
use self::psnr::PsnrMetric;
use self::run_dir::{ModelMetadata, Provenance, RunDir};
use self::strategy::{Outcome, ValidateEvery};
use crate::args::TrainArgs;
use crate::backend::Selected;
use crate::experiment::Experiment;

/// A shell's code for a program that ended on Ctrl-C: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// Trains as the arguments say.
///
/// # Errors
/// When an argument, the config, the data or the run directory cannot be used.
pub fn run(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let experiment = args.experiment.resolve()?;
    let selected = args.place.open()?;
    let datasets = Datasets::open(&experiment)?;
    let noisy_psnr_db = datasets.noisy_psnr_db()?;
    let run_dir = RunDir::create(args.run_dir.as_deref(), &args.experiment.name())?;
    let run_path = run_dir.path().to_owned();
    run_dir.describe(
        &experiment.to_toml()?,
        &Provenance {
            version: env!("CARGO_PKG_VERSION"),
            git_revision: env!("N2N_GIT_REVISION"),
            backend: selected.backend,
            device: &selected.name,
            seed: experiment.train.seed,
            train_examples: datasets.train.len(),
            validation_examples: datasets.validation.len(),
            noisy_psnr_db,
        },
    )?;
    if !args.json {
        eprintln!(
            "{} training and {} validation images, noisy input {noisy_psnr_db:.2} dB, on {} ({}), into {}",
            datasets.train.len(),
            datasets.validation.len(),
            selected.backend,
            selected.name,
            run_path.display(),
        );
    }

    if selected.tunes_kernels && !args.json {
        eprintln!("tuning kernels for this device: the first steps take longer");
    }

    let signalled = Arc::new(AtomicBool::new(false));
    let outcome = train(
        &experiment,
        &datasets,
        &selected,
        run_dir,
        args.json,
        &signalled,
    )?;

    let summary = Summary {
        psnr_db: outcome.last.psnr_db,
        noisy_psnr_db,
        images: outcome.last.images,
        seconds: outcome.last.seconds,
        images_per_s: outcome.last.images as f64 / outcome.training_seconds,
        first_step_s: outcome.first_step_seconds,
        backend: selected.backend,
        device: &selected.name,
        model: &run_path.join("best.safetensors"),
    };
    if args.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        println!("{}", summary.text(&outcome));
        if selected.tunes_kernels {
            println!(
                "tuning kernels: the first step took {:.1} s",
                outcome.first_step_seconds
            );
        }
    }
    Ok(match signalled.load(Ordering::Relaxed) {
        true => ExitCode::from(INTERRUPTED),
        false => ExitCode::SUCCESS,
    })
}

fn train(
    experiment: &Experiment,
    datasets: &Datasets,
    selected: &Selected,
    run_dir: RunDir,
    json: bool,
    signalled: &Arc<AtomicBool>,
) -> anyhow::Result<Outcome> {
    let config = &experiment.train;
    let normalization = Normalization::fit(experiment.data.normalize, &*datasets.train)?;
    let shared = Arc::new(normalization.clone());
    let max_images = max_images(experiment, datasets.train.len());
    let device = optimizer::device(&experiment.model, &selected.device);
    let validate_every = config
        .validate_every
        .batches(datasets.train.len(), config.batch_size);

    let metadata = ModelMetadata::new(experiment.model.clone(), normalization);
    let network = experiment.model.init(config.seed, &device);
    run_dir.save_model("initial", &experiment.model.state_dict(&network), &metadata)?;
    let (scheduler, plateau) = optimizer::scheduler(config);
    let learner = Learner::new(
        Denoiser { network },
        optimizer::optimizer(&config.optimizer),
        scheduler,
    );
    let stream = TrainStream::new(
        datasets.train.clone(),
        shared.clone(),
        config.target,
        config.batch_size,
        experiment.data.shuffle.then_some(config.seed),
        device.clone(),
    );
    let validation = ValidationSet::new(
        datasets.validation.clone(),
        shared,
        config.batch_size,
        selected.device.clone(),
    );

    let interrupter = Interrupter::new();
    stop_on_signal(&interrupter, signalled)?;
    let run_path = run_dir.path().to_owned();
    let outcome = Arc::new(Mutex::new(None));
    let strategy = ValidateEvery {
        device,
        max_images,
        validate_every,
        batch_size: config.batch_size,
        plateau,
        metadata,
        run_dir: Mutex::new(run_dir),
        outcome: outcome.clone(),
    };
    let stretches = max_images.div_ceil(validate_every * config.batch_size);
    let result = SupervisedTraining::new(&run_path, Arc::new(stream), Arc::new(validation))
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .metric_valid_numeric(PsnrMetric::new())
        .metric_train_numeric(LearningRateMetric::new())
        .with_interrupter(interrupter.clone())
        // metrics.jsonl is the record of a run; burn-train's own would be a file for each epoch.
        .with_metric_logger(InMemoryMetricLogger::default())
        .with_application_logger(None)
        .renderer(renderer(json, &interrupter, max_images))
        .num_epochs(stretches)
        .with_training_strategy(TrainingStrategy::Custom(Arc::new(strategy)))
        .launch(learner);
    // Closes the dashboard, so that what follows is seen.
    drop(result.renderer);
    if let Some(error) = result.error {
        bail!("{error}");
    }
    let outcome = outcome
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    outcome.context("the training loop did not run")?
}

/// Length of the run: the nearer of the two limits.
fn max_images(experiment: &Experiment, train_examples: usize) -> usize {
    let train = &experiment.train;
    let epochs = train.max_epochs.map(|epochs| epochs * train_examples);
    [train.max_images, epochs]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(train_examples)
}

/// The dashboard on a terminal, plain lines elsewhere.
fn renderer(json: bool, interrupter: &Interrupter, max_images: usize) -> Box<dyn MetricsRenderer> {
    if std::io::stdout().is_terminal() && !json {
        Box::new(TuiMetricsRendererWrapper::new(interrupter.clone(), None))
    } else {
        Box::new(ProgressLines::new(max_images))
    }
}

/// The first signal stops after the present batch, and validates and saves; a second one ends the
/// program at once.
fn stop_on_signal(interrupter: &Interrupter, signalled: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let (interrupter, signalled) = (interrupter.clone(), signalled.clone());
    ctrlc::set_handler(move || {
        if signalled.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        eprintln!("stopping: validating and saving; once more to quit at once");
        interrupter.stop(Some("signal"));
    })
    .context("cannot handle Ctrl-C")
}

/// What a run came to.
#[derive(Serialize)]
struct Summary<'a> {
    psnr_db: f64,
    noisy_psnr_db: f64,
    images: usize,
    seconds: f64,
    images_per_s: f64,
    first_step_s: f64,
    backend: &'a str,
    device: &'a str,
    model: &'a Path,
}

impl Summary<'_> {
    fn text(&self, outcome: &Outcome) -> String {
        format!(
            "{} after {} images in {:.0} s ({:.1} images/s on {})\n\
             PSNR {:.2} dB (best {:.2} dB), noisy input {:.2} dB\n\
             best model: {}",
            if outcome.stopped { "Stopped" } else { "Done" },
            self.images,
            self.seconds,
            self.images_per_s,
            self.device,
            self.psnr_db,
            outcome.best.psnr_db,
            self.noisy_psnr_db,
            self.model.display(),
        )
    }
}
