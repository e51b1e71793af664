//! Assembling a run: data, network, run directory.

use std::collections::BTreeSet;
use std::env::consts;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use burn::tensor::Device;
use n2n_data::noise::NoiseModel;
use n2n_data::quality::{Psnr, PsnrKeys};
use n2n_data::{NoisyPair, Normalization, Opened, TrainStream, ValidationSet};
use n2n_denoise::ModelMetadata;

use crate::data::{
    InMemory, NoisyInput, max_images, noisy_input, open_with, preparation, train_stream,
};
use crate::event::{Event, Start};
use crate::experiment::Experiment;
use crate::gallery::Gallery;
use crate::read::Waits;
use crate::run::Run;
use crate::run_dir::{
    Basis, Notes, Program, Provenance, Resumed, RunDir, TrainingState, changed_settings,
    restore_best,
};
use crate::store::Store;
use crate::{Learner, Outcome, Pace, Stop, TrainError};

/// Trains the network of an experiment.
pub struct Trainer {
    experiment: Experiment,
    opened: Opened,
    /// Name of the data that no config can name.
    in_memory: Option<&'static str>,
    noisy: NoisyInput,
    device: Device,
    destination: Destination,
    /// Whether a run goes on with other data or settings than it had.
    accepts_changes: bool,
    /// Whether a run in a folder keeps event files for TensorBoard.
    keeps_events: bool,
    program: Program,
    notes: Notes,
}

/// Where the run's files go.
enum Destination {
    Memory,
    New(PathBuf),
    Earlier(PathBuf),
}

impl Trainer {
    /// Opens the data of an experiment and checks that they fit each other.
    ///
    /// # Errors
    /// When the experiment is not possible, or a file is missing, damaged or does not fit.
    pub fn new(experiment: &Experiment, device: &Device) -> Result<Self, TrainError> {
        Self::open(experiment, device, &|_| {})
    }

    /// Opens the data as [`new`](Self::new) does, and calls `progress` now and then with the number of
    /// scenes looked at.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn open(
        experiment: &Experiment,
        device: &Device,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Self, TrainError> {
        Self::with(experiment, None, device, progress)
    }

    /// Trains on pairs held in memory; the experiment names no data.
    ///
    /// A tenth of the pairs is held out for validation, or as many as `data.split` says.
    ///
    /// # Errors
    /// When the experiment is not possible, or a pair does not fit it.
    pub fn with_pairs(
        experiment: &Experiment,
        pairs: impl IntoIterator<Item = NoisyPair>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let pairs = InMemory::Pairs(pairs.into_iter().collect());
        Self::with(experiment, Some(pairs), device, &|_| {})
    }

    /// Trains on the experiment's clean images with noise of any model.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_noise(
        experiment: &Experiment,
        noise: Arc<dyn NoiseModel>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let noise = InMemory::Noise(noise);
        Self::with(experiment, Some(noise), device, &|_| {})
    }

    fn with(
        experiment: &Experiment,
        in_memory: Option<InMemory>,
        device: &Device,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Self, TrainError> {
        let in_memory_name = in_memory.as_ref().map(InMemory::name);
        let (experiment, opened) = open_with(experiment, in_memory, progress)?;
        opened.train.check_variation()?;
        let noisy = noisy_input(&opened.validation)?;
        Ok(Self {
            experiment,
            opened,
            in_memory: in_memory_name,
            noisy,
            device: device.clone(),
            destination: Destination::Memory,
            accepts_changes: false,
            keeps_events: false,
            program: Program {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                git_revision: "unknown".to_owned(),
                backend: "unknown".to_owned(),
                device: format!("{device:?}"),
            },
            notes: Notes::default(),
        })
    }

    /// Writes the run into a new folder. Without a folder the run stays in memory.
    #[must_use]
    pub fn run_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.destination = Destination::New(path.into());
        self
    }

    /// Continues the run in a folder from its newest checkpoint, as if it had never stopped. Its
    /// experiment, [`RunDir::experiment`], must be the trainer's, but for its length and the place of its
    /// data.
    #[must_use]
    pub fn resume(mut self, path: impl Into<PathBuf>) -> Self {
        self.destination = Destination::Earlier(path.into());
        self
    }

    /// Lets a run go on with other data or settings than it had: with the statistics that it has, and a new
    /// best validation.
    #[must_use]
    pub fn accept_changes(mut self, accepts: bool) -> Self {
        self.accepts_changes = accepts;
        self
    }

    /// Keeps event files for TensorBoard in the run's folder; a run that was begun with them goes on with them in any
    /// case.
    #[must_use]
    pub fn tensorboard(mut self, keeps: bool) -> Self {
        self.keeps_events = keeps;
        self
    }

    /// Names the program and the device in the run's provenance.
    #[must_use]
    pub fn program(mut self, program: Program) -> Self {
        self.program = program;
        self
    }

    /// Keeps notes on a new run in its provenance.
    #[must_use]
    pub fn notes(mut self, notes: Notes) -> Self {
        self.notes = notes;
        self
    }

    /// Returns the experiment, with the channels and the noise that were found.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// Returns the data.
    pub fn data(&self) -> &Opened {
        &self.opened
    }

    /// Checks that the images of pairs are no copies of each other, as a new run does before it begins.
    ///
    /// # Errors
    /// When most of the pairs that are compared are.
    pub fn check_partners(&self) -> Result<(), TrainError> {
        match self.opened.partners() {
            Some(partners) => Ok(partners.check()?),
            None => Ok(()),
        }
    }

    /// Returns the PSNR of the noisy validation inputs, or what stands for it.
    pub fn noisy_psnr(&self) -> Psnr {
        self.noisy.psnr
    }

    /// Trains to the end of the run, or until `stop` asks for an earlier end.
    ///
    /// `on_event` is called on this thread.
    ///
    /// # Errors
    /// When the run directory cannot be used, an image cannot be read, a file cannot be written, the
    /// device fails, or a loss is NaN or infinite and the experiment says to stop then.
    pub fn run(
        mut self,
        stop: &Stop,
        mut on_event: impl FnMut(Event<'_>),
    ) -> Result<Outcome, TrainError> {
        let earlier = match &self.destination {
            Destination::Earlier(path) => Some(Resumed::open(path)?),
            Destination::Memory | Destination::New(_) => None,
        };
        if earlier.is_none() {
            self.check_partners()?;
        }
        let basis = self.basis(earlier.as_ref())?;
        let normalization = basis.metadata.normalization.clone();
        let preparation = preparation(&self.experiment, normalization);
        let device = self.device.clone().autodiff();
        let stream = train_stream(&self.experiment, &self.opened.train, &preparation, &device);
        let validation = ValidationSet::new(
            self.opened.validation.clone(),
            0..self.opened.validation.len(),
            preparation,
            self.experiment.train.batch_size,
            self.device.clone(),
        );
        self.fix_length(&stream, &validation, stop, &mut on_event)?;
        let config = self.experiment.train.clone();
        let max_images = max_images(&self.experiment, self.opened.train.len());
        let mut learner = Learner::new(&self.experiment.model, &config, max_images, &self.device);
        learner.check_activations()?;
        let gallery = Gallery::new(&self.opened.validation)?;
        let Opening {
            store,
            state,
            best_weights,
            damaged,
            damaged_best,
            resumed,
        } = self.open_store(earlier, &mut learner, &basis, max_images, &gallery)?;
        let images_per_step = config.images_per_step();
        let validate_every =
            config
                .validate_every
                .batches(self.opened.train.len(), images_per_step, max_images);
        on_event(Event::Start(Start {
            images: state.images,
            max_images,
            validations: max_images.div_ceil(validate_every * images_per_step),
            damaged: &damaged,
            unlocked: store.is_unlocked(),
            damaged_best: damaged_best.as_ref(),
        }));
        let run = Run {
            max_images,
            validate_every,
            left_out: BTreeSet::new(),
            train: self.opened.train.clone(),
            stream: stream.ending_after(max_images),
            validation,
            noisy: self.noisy,
            counts_every_pixel: self.experiment.model.has_custom_backward(),
            reference: self.opened.validation.reference(),
            gallery,
            config,
            basis,
            learner,
            store,
            state,
            best_weights,
            stop,
            on_event: &mut on_event,
            pending: Vec::new(),
            first_step_seconds: None,
            rollbacks: Vec::new(),
            restarts: Vec::new(),
            waits: Waits::default(),
        };
        run.complete(resumed)
    }

    /// Fixes the length in images of a run whose length is in minutes.
    fn fix_length(
        &mut self,
        stream: &TrainStream,
        validation: &ValidationSet,
        stop: &Stop,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), TrainError> {
        let config = &self.experiment.train;
        let Some(minutes) = config.minutes.filter(|_| !config.has_length()) else {
            return Ok(());
        };
        on_event(Event::Measuring { minutes });
        let start = Instant::now();
        let network = &self.experiment.model;
        let pace = Pace::measure(network, config, stream, validation, &self.device, stop)?;
        let seconds = 60.0 * minutes - start.elapsed().as_secs_f64();
        let (epoch, images_per_step) = (self.opened.train.len(), config.images_per_step());
        let max_images = pace.images(seconds, config.validate_every, epoch, images_per_step);
        on_event(Event::Measured {
            images_per_s: images_per_step as f64 / pace.step_seconds,
            max_images,
        });
        self.experiment.train.max_images = Some(max_images);
        Ok(())
    }

    /// Returns what the run stands on: of a run that continues, what it stood on before, if nothing has
    /// changed, or changes are accepted.
    fn basis(&self, earlier: Option<&Resumed>) -> Result<Basis, TrainError> {
        let before = earlier.and_then(|resumed| resumed.checkpoint.as_ref()?.basis.as_ref());
        let normalization = match before {
            Some(before) => before.metadata.normalization.clone(),
            None => self.opened.normalization(self.experiment.data.normalize)?,
        };
        let sets = [&self.opened.train, &self.opened.validation].map(|set| set.digest());
        let shape = self.opened.train.shape(0);
        let metadata = ModelMetadata::new(
            self.experiment.model.clone(),
            normalization,
            self.opened.range.clone(),
        );
        let basis = Basis::new(&self.experiment, sets, metadata)?;
        let Some(Resumed { run_dir, .. }) = earlier else {
            return Ok(basis);
        };
        let path = run_dir.path().to_owned();
        if RunDir::provenance(&path)?.in_memory.as_deref() != self.in_memory {
            return Err(TrainError::OtherData { path });
        }
        let changes = match before {
            Some(before) => before.changes(&basis),
            None => changed_settings(&RunDir::experiment(&path)?, &self.experiment),
        };
        if !changes.is_empty() && !self.accepts_changes {
            return Err(TrainError::Changed { path, changes });
        }
        match &basis.metadata.normalization {
            Normalization::PerPixel { shape: fitted, .. } if *fitted != shape => {
                Err(TrainError::OtherShape { path })
            }
            _ => Ok(basis),
        }
    }

    /// Opens or creates the run directory, and puts the learner where the run continues.
    fn open_store(
        &self,
        earlier: Option<Resumed>,
        learner: &mut Learner,
        basis: &Basis,
        max_images: usize,
        gallery: &Gallery,
    ) -> Result<Opening, TrainError> {
        let metadata = &basis.metadata;
        let Some(resumed) = earlier else {
            let Destination::New(path) = &self.destination else {
                return Ok(Opening::new(Store::Memory(None)));
            };
            let mut run_dir = RunDir::create(path)?;
            if self.keeps_events {
                run_dir.keep_events()?;
            }
            self.describe(&run_dir, gallery)?;
            run_dir.save_model("initial", &learner.evaluation_weights(), metadata)?;
            return Ok(Opening::new(Store::Directory(run_dir)));
        };
        let path = resumed.run_dir.path().to_owned();
        let state = resumed
            .checkpoint
            .as_ref()
            .map(|checkpoint| &checkpoint.state);
        if let Some(state) = state
            && state.end(&self.experiment.train, max_images).is_some()
        {
            return Err(TrainError::Over {
                path,
                images: state.images,
            });
        }
        resumed.rewind()?;
        // Its data may have moved.
        let config = self.experiment.to_toml()?;
        resumed.run_dir.save_experiment(&config)?;
        let Resumed {
            mut run_dir,
            checkpoint,
            damaged,
        } = resumed;
        if self.keeps_events || run_dir.has_events() {
            run_dir.keep_events()?;
        }
        let Some(checkpoint) = checkpoint else {
            run_dir.save_model("initial", &learner.evaluation_weights(), metadata)?;
            return Ok(Opening::new(Store::Directory(run_dir)));
        };
        let mut state = checkpoint.state.clone();
        if state.restarts > 0 {
            *learner = learner.restarted(state.restarts);
        }
        let is_changed = checkpoint
            .basis
            .as_ref()
            .is_some_and(|before| !before.changes(basis).is_empty());
        let (best_weights, damaged_best) = if is_changed {
            // What was best is so no longer; its model stays until the next validation.
            (state.best, state.since_best) = (None, 0);
            (None, None)
        } else {
            restore_best(&run_dir, &checkpoint, learner, metadata)?
        };
        learner.restore(&checkpoint.learner, state.batches, state.images)?;
        learner
            .schedule_mut()
            .restore(state.plateau, state.rollbacks);
        Ok(Opening {
            store: Store::Directory(run_dir),
            state,
            best_weights,
            damaged,
            damaged_best,
            resumed: true,
        })
    }

    fn describe(&self, run_dir: &RunDir, gallery: &Gallery) -> Result<(), TrainError> {
        let noisy = PsnrKeys::from(self.noisy.psnr);
        let provenance = Provenance {
            program: self.program.clone(),
            seed: self.experiment.train.seed,
            train_examples: self.opened.train.len(),
            validation_examples: self.opened.validation.len(),
            in_memory: self.in_memory.map(str::to_owned),
            noisy_psnr_db: noisy.psnr_db,
            noisy_psnr_est_db: noisy.psnr_est_db,
            noisy_sub_images_db: noisy.sub_images_db,
            data: Some(self.opened.kind.clone()),
            notes: self.notes.clone(),
            threads: Some(rayon::current_num_threads()),
            system: Some(format!("{} {}", consts::OS, consts::ARCH)),
            began_unix_s: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .map(|since| since.as_secs()),
            pictures: gallery.shapes(),
        };
        run_dir.describe(&self.experiment.to_toml()?, &provenance)
    }
}

/// Store of a run and its present state.
struct Opening {
    store: Store,
    state: TrainingState,
    best_weights: Option<n2n_model::StateDict>,
    damaged: Vec<TrainError>,
    damaged_best: Option<TrainError>,
    resumed: bool,
}

impl Opening {
    /// A run at its start.
    fn new(store: Store) -> Self {
        Self {
            store,
            state: TrainingState::default(),
            best_weights: None,
            damaged: Vec::new(),
            damaged_best: None,
            resumed: false,
        }
    }
}
