//! `n2n train`: the training program, top to bottom.

mod average;
mod checkpoint;
pub(crate) mod datasets;
pub(crate) mod denoiser;
mod non_finite;
pub(crate) mod optimizer;
mod pictures;
mod position;
pub(crate) mod progress;
pub(crate) mod psnr;
mod resume;
mod run;
mod run_dir;
pub(crate) mod schedule;
pub(crate) mod step;
mod strategy;
mod terminal;
mod update;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use burn::train::logger::InMemoryMetricLogger;
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::renderer::MetricsRenderer;
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};
use n2n_data::{Batching, Opened, TrainStream, ValidationSet};
use n2n_denoise::ModelMetadata;
use serde::Serialize;

use self::checkpoint::Checkpoint;
use self::denoiser::Denoiser;
use self::pictures::Gallery;
use self::position::{End, Position};
use self::progress::ProgressLines;
use self::psnr::{Psnr, PsnrKeys, PsnrMetric};
use self::resume::Resumed;
use self::run_dir::{Provenance, RunDir};
use self::schedule::Schedule;
use self::strategy::{Outcome, ValidateEvery};
use self::terminal::Terminal;
use crate::args::TrainArgs;
use crate::backend::Selected;
use crate::experiment::Experiment;

/// A shell's code for a program that ended on Ctrl-C: 128 + SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// Signals that follow one another faster are one stop: a terminal that closes sends two.
const ONE_STOP: Duration = Duration::from_secs(1);

/// Trains as the arguments say.
///
/// # Errors
/// When an argument, the config, the data or the run directory cannot be used.
pub fn run(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let resumed = args.resume.as_deref().map(Resumed::open).transpose()?;
    let experiment = match &resumed {
        Some(resumed) => resumed.experiment()?,
        None => args.experiment.resolve()?,
    };
    let selected = args.place.open()?;
    let (experiment, opened) = datasets::open(experiment)?;
    let noisy = datasets::noisy_psnr(&opened.validation)?;
    let keys = PsnrKeys::from(noisy);
    let (run_dir, checkpoint) = match resumed {
        Some(Resumed {
            run_dir,
            checkpoint,
        }) => (run_dir, checkpoint),
        None => {
            let run_dir = RunDir::create(args.run_dir.as_deref(), &args.experiment.name())?;
            run_dir.describe(
                &experiment.to_toml()?,
                &Provenance {
                    version: env!("CARGO_PKG_VERSION"),
                    git_revision: env!("N2N_GIT_REVISION"),
                    backend: selected.backend,
                    device: &selected.name,
                    seed: experiment.train.seed,
                    train_examples: opened.train.len(),
                    validation_examples: opened.validation.len(),
                    noisy_psnr_db: keys.psnr_db,
                    noisy_psnr_est_db: keys.psnr_est_db,
                },
            )?;
            (run_dir, None)
        }
    };
    let run_path = run_dir.path().to_owned();
    if !args.json {
        eprintln!(
            "{}: {} training and {} validation images, noisy input {noisy}, on {} ({}), into {}",
            opened.kind,
            opened.train.len(),
            opened.validation.len(),
            selected.backend,
            selected.name,
            run_path.display(),
        );
    }

    if opened.one_scene {
        eprintln!("warning: there is one scene, so that validation is on what is trained on");
    }
    if let Some(warning) = opened.noise_check()?.and_then(|check| check.warning()) {
        eprintln!("warning: {warning}");
    }
    report_skipped(&opened.skipped);

    if selected.tunes_kernels && !args.json {
        eprintln!("tuning kernels for this device: the first steps take longer");
    }

    let signalled = Arc::new(AtomicBool::new(false));
    let outcome = train(
        &experiment,
        &opened,
        &selected,
        run_dir,
        checkpoint,
        args.json,
        &signalled,
    )?;

    let mut skipped = opened.skipped.clone();
    for examples in [&opened.train, &opened.validation] {
        skipped.extend(examples.skipped());
    }
    report_skipped(&skipped[opened.skipped.len()..]);
    let summary = Summary {
        psnr: outcome.last.psnr,
        noisy_psnr_db: keys.psnr_db,
        noisy_psnr_est_db: keys.psnr_est_db,
        skipped: skipped.len(),
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
        println!("{}", summary.text(&outcome, noisy));
        if selected.tunes_kernels {
            println!(
                "tuning kernels: the first step took {:.1} s",
                outcome.first_step_seconds
            );
        }
    }
    for rollback in &outcome.rollbacks {
        eprintln!("warning: {rollback}");
    }
    if outcome.end == End::Stopped {
        eprintln!("to go on: n2n train --resume {}", run_path.display());
    }
    Ok(match signalled.load(Ordering::Relaxed) {
        true => ExitCode::from(INTERRUPTED),
        false => ExitCode::SUCCESS,
    })
}

fn train(
    experiment: &Experiment,
    opened: &Opened,
    selected: &Selected,
    run_dir: RunDir,
    checkpoint: Option<Checkpoint>,
    json: bool,
    signalled: &Arc<AtomicBool>,
) -> anyhow::Result<Outcome> {
    let config = &experiment.train;
    let normalization = opened.normalization(experiment.data.normalize)?;
    let shared = Arc::new(normalization.clone());
    let max_images = max_images(experiment, opened.train.len());
    let device = selected.device.clone().autodiff();
    let validate_every = config
        .validate_every
        .batches(opened.train.len(), config.images_per_step());

    let metadata = ModelMetadata::new(
        experiment.model.clone(),
        normalization,
        experiment.data.range,
    );
    let network = experiment.model.init(config.seed, &device);
    if checkpoint.is_none() {
        run_dir.save_model("initial", &experiment.model.state_dict(&network), &metadata)?;
    }
    let schedule = Schedule::new(config, max_images.div_ceil(config.images_per_step()));
    let optimizer = optimizer::optimizer(&config.optimizer, &device);
    let denoiser = Denoiser::new(network, config);
    denoiser.snapshot.begin_with(&optimizer);
    let (objective, snapshot) = (denoiser.objective.clone(), denoiser.snapshot.clone());
    let mut learner = Learner::new(denoiser, optimizer, schedule.clone());
    let mut resumed = None;
    if let Some(checkpoint) = checkpoint {
        ensure!(
            checkpoint.position.is_over(config, max_images).is_none(),
            "the run in {} is over, after {} images",
            run_dir.path().display(),
            checkpoint.position.images
        );
        resume::restore_best(&run_dir, &checkpoint, &learner.model(), &metadata)?;
        resume::restore(&mut learner, &checkpoint)?;
        let position = checkpoint.position;
        schedule.restore(position.plateau, position.halvings);
        resumed = Some(position);
    }
    let stream = TrainStream::new(
        opened.train.clone(),
        Batching {
            normalization: shared.clone(),
            target: config.target,
            batch_size: config.batch_size,
            shuffle_seed: experiment.data.shuffle.then_some(config.seed),
            workers: experiment.data.workers,
        },
        device.clone(),
    );
    let has_clean = opened.validation.has_clean();
    let validation = ValidationSet::new(
        opened.validation.clone(),
        0..opened.validation.len(),
        shared,
        config.batch_size,
        selected.device.clone(),
    );

    let interrupter = Interrupter::new();
    let before = resumed.as_ref().map_or((0, 0), |position: &Position| {
        let in_stretch = position.losses.len() * config.images_per_step();
        (position.images, position.images.saturating_sub(in_stretch))
    });
    let lines = ProgressLines::new(max_images, before);
    let renderer =
        Watched::open(json, &interrupter, lines).stop_on_signal(&interrupter, signalled)?;
    let run_path = run_dir.path().to_owned();
    let outcome = Arc::new(Mutex::new(None));
    let strategy = ValidateEvery {
        device,
        config: config.clone(),
        max_images,
        validate_every,
        stream: stream.clone(),
        dropout: experiment.model.has_dropout(),
        has_clean,
        objective,
        snapshot,
        resumed,
        gallery: Gallery::new(&opened.validation)?,
        schedule,
        metadata,
        run_dir: Mutex::new(run_dir),
        outcome: outcome.clone(),
    };
    let stretches = max_images.div_ceil(validate_every * config.images_per_step());
    let result = SupervisedTraining::new(&run_path, Arc::new(stream), Arc::new(validation))
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .metric_valid_numeric(PsnrMetric::new(has_clean))
        .metric_train_numeric(LearningRateMetric::new())
        .with_interrupter(interrupter.clone())
        // metrics.jsonl is the record of a run; burn-train's own would be a file for each epoch.
        .with_metric_logger(InMemoryMetricLogger::default())
        .with_application_logger(None)
        .renderer(renderer)
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

/// What a run is watched on.
enum Watched {
    /// Plain lines.
    Lines(ProgressLines),
    /// The dashboard, which has the screen to itself, and the terminal under it.
    Dashboard(TuiMetricsRendererWrapper, Option<Terminal>),
}

impl Watched {
    /// The dashboard on a terminal, plain lines elsewhere.
    fn open(json: bool, interrupter: &Interrupter, lines: ProgressLines) -> Self {
        if json || !std::io::stdout().is_terminal() {
            return Self::Lines(lines);
        }
        let terminal = Terminal::before_dashboard();
        let dashboard = TuiMetricsRendererWrapper::new(interrupter.clone(), None);
        Self::Dashboard(
            dashboard,
            terminal.filter(|terminal| terminal.let_interrupt().is_ok()),
        )
    }

    /// The renderer, with a handler of signals that knows of it: the first signal stops after the
    /// present batch, and validates and saves; another one ends the program at once.
    fn stop_on_signal(
        self,
        interrupter: &Interrupter,
        signalled: &Arc<AtomicBool>,
    ) -> anyhow::Result<Box<dyn MetricsRenderer>> {
        let (renderer, dashboard, mut terminal): (Box<dyn MetricsRenderer>, _, _) = match self {
            Self::Lines(lines) => (Box::new(lines), false, None),
            Self::Dashboard(dashboard, terminal) => (Box::new(dashboard), true, terminal),
        };
        let (interrupter, signalled) = (interrupter.clone(), signalled.clone());
        let mut first: Option<Instant> = None;
        ctrlc::set_handler(move || match first {
            None => {
                first = Some(Instant::now());
                signalled.store(true, Ordering::Relaxed);
                interrupter.stop(Some("signal"));
                if !dashboard {
                    // Whoever reads may be gone: the signal may say so.
                    let _ = writeln!(
                        std::io::stderr(),
                        "stopping: validating and saving; once more to quit at once"
                    );
                }
            }
            Some(first) if first.elapsed() < ONE_STOP => {}
            Some(_) => {
                if let Some(terminal) = &mut terminal {
                    terminal.restore();
                }
                std::process::exit(i32::from(INTERRUPTED));
            }
        })
        .context("cannot handle Ctrl-C")?;
        Ok(renderer)
    }
}

/// Says which scenes and files are left out: a few of them, and how many.
fn report_skipped(reasons: &[String]) {
    const SHOWN: usize = 3;
    for reason in reasons.iter().take(SHOWN) {
        eprintln!("warning: left out: {reason}");
    }
    if reasons.len() > SHOWN {
        eprintln!(
            "warning: {} scenes or files are left out; --strict stops at the first",
            reasons.len()
        );
    }
}

/// What a run came to.
#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    psnr: PsnrKeys,
    #[serde(skip_serializing_if = "Option::is_none")]
    noisy_psnr_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noisy_psnr_est_db: Option<f64>,
    skipped: usize,
    images: usize,
    seconds: f64,
    images_per_s: f64,
    first_step_s: f64,
    backend: &'a str,
    device: &'a str,
    model: &'a Path,
}

impl Summary<'_> {
    fn text(&self, outcome: &Outcome, noisy: Psnr) -> String {
        format!(
            "{} after {} images in {:.0} s ({:.1} images/s on {})\n\
             PSNR {} (best {}), noisy input {noisy}\n\
             best model: {}",
            match outcome.end {
                End::Done => "Done",
                End::NoBetter => "No better weights were found: done",
                End::Stopped => "Stopped",
            },
            self.images,
            self.seconds,
            self.images_per_s,
            self.device,
            Psnr::from(outcome.last.psnr),
            Psnr::from(outcome.best.psnr),
            self.model.display(),
        )
    }
}
