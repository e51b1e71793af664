//! The network as burn-train's learner sees it: a training step, a validation step, an output.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::store::RecordError;
use burn::tensor::{ExecutionError, Tensor};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use n2n_data::Batch;
use n2n_data::quality::noise2noise_mse;
use n2n_model::{Loss, Network};

use super::average;
use super::psnr::PsnrInput;
use super::update::Update;
use crate::experiment::TrainConfig;

/// A network that learns to map noisy images to what their targets have in common.
#[derive(Module, Debug)]
pub struct Denoiser {
    /// The network that is trained.
    pub network: Network,
    /// A running mean of its weights, if one is kept.
    average: Option<Network>,
    /// What training minimizes.
    #[module(skip)]
    pub objective: Objective,
    /// What happens to gradients.
    #[module(skip)]
    update: Update,
    /// Decay of the mean.
    #[module(skip)]
    decay: f64,
    /// Where the optimizer's state goes when it is wanted.
    #[module(skip)]
    pub snapshot: Snapshot,
}

impl Denoiser {
    /// A network at the start of a run.
    pub fn new(network: Network, config: &TrainConfig) -> Self {
        Self {
            average: config.ema.map(|_| network.clone()),
            network,
            objective: Objective::new(config.loss),
            update: Update::new(config),
            decay: config.ema.unwrap_or_default(),
            snapshot: Snapshot::default(),
        }
    }

    /// The network that is validated and saved: the mean, if one is kept.
    pub fn judged(&self) -> &Network {
        self.average.as_ref().unwrap_or(&self.network)
    }
}

/// Hands out the state of the optimizer, which burn-train's learner shows to [`TrainStep::optimize`]
/// only.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    wanted: Arc<AtomicBool>,
    taken: Arc<Mutex<Option<Serialized>>>,
}

/// An optimizer's state in Burn's format.
type Serialized = Result<Vec<u8>, RecordError>;

impl Snapshot {
    /// Takes the state of an optimizer that has not taken a step.
    pub fn begin_with(&self, optimizer: &ModuleOptimizer) {
        self.request();
        self.offer(optimizer);
    }

    /// Asks for the state after the next step.
    pub fn request(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// The state that was asked for last, in Burn's format.
    ///
    /// # Errors
    /// When Burn could not write it.
    pub fn take(&self) -> Serialized {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.take().unwrap_or(Ok(vec![]))
    }

    fn offer(&self, optimizer: &ModuleOptimizer) {
        if self.wanted.swap(false, Ordering::Relaxed) {
            let state = optimizer.into_bytes().map(|bytes| bytes.to_vec());
            *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        }
    }
}

/// What training minimizes, and how far through the run it is.
#[derive(Clone, Debug, Default)]
pub struct Objective {
    loss: Loss,
    progress: Arc<AtomicU32>,
    steps: Arc<AtomicUsize>,
}

impl Objective {
    /// A loss at the start of a run.
    pub fn new(loss: Loss) -> Self {
        Self {
            loss,
            ..Self::default()
        }
    }

    /// Says how much of the run is over, from 0 to 1, and after how many steps: to every clone.
    pub fn set_progress(&self, progress: f32, steps: usize) {
        self.progress.store(progress.to_bits(), Ordering::Relaxed);
        self.steps.store(steps, Ordering::Relaxed);
    }

    fn progress(&self) -> f64 {
        f64::from(f32::from_bits(self.progress.load(Ordering::Relaxed)))
    }

    fn steps(&self) -> usize {
        self.steps.load(Ordering::Relaxed)
    }
}

/// What a step leaves for metrics and records.
pub struct DenoisingOutput {
    /// The loss of a training batch; in validation the mean squared error of each image, or an
    /// unbiased estimate of it.
    pub mse: Tensor<1>,
}

impl TrainStep for Denoiser {
    type Input = Batch;
    type Output = DenoisingOutput;

    fn step(&self, batch: Batch) -> TrainOutput<DenoisingOutput> {
        let (mse, grads) = self.network.loss_and_gradients(
            self.objective.loss,
            self.objective.progress(),
            batch.input,
            batch.target,
            batch.mask,
        );
        let item = DenoisingOutput { mse };
        TrainOutput { grads, item }
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        let grads = self.update.prepare(&self.network, grads);
        let network = optimizer.step(lr, self.network, grads);
        self.snapshot.offer(optimizer);
        let decay = average::decay(self.decay, self.objective.steps());
        let average = self
            .average
            .map(|average| average::follow(average, &network, decay));
        Self {
            network,
            average,
            ..self
        }
    }
}

impl InferenceStep for Denoiser {
    type Input = Batch;
    type Output = DenoisingOutput;

    fn step(&self, batch: Batch) -> DenoisingOutput {
        self.validate(batch).0
    }
}

impl Denoiser {
    /// The errors of a validation batch, and its denoised images.
    pub fn validate(&self, batch: Batch) -> (DenoisingOutput, Tensor<4>) {
        let denoised = self.judged().forward(batch.input);
        let error = mse_per_image(denoised.clone(), batch.target.clone());
        let mse = match batch.reverse {
            None => error,
            Some(reverse) => {
                let noise = mse_per_image(reverse.target.clone(), batch.target);
                let other = mse_per_image(self.judged().forward(reverse.input), reverse.target);
                noise2noise_mse(error, other, noise)
            }
        };
        (DenoisingOutput { mse }, denoised)
    }
}

/// Mean squared error of each image.
///
/// # Shapes
/// - `a`, `b`: `[batch_size, channels, height, width]`
/// - the errors: `[batch_size]`
fn mse_per_image(a: Tensor<4>, b: Tensor<4>) -> Tensor<1> {
    let squares = (a - b).square();
    squares.flatten::<2>(1, 3).mean_dim(1).squeeze_dim::<1>(1)
}

impl ItemLazy for DenoisingOutput {
    fn sync(self) -> Result<Self, ExecutionError> {
        // Metrics read on another thread; the work must be on its way by then.
        self.mse.device().flush()?;
        Ok(self)
    }
}

impl Adaptor<LossInput> for DenoisingOutput {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.mse.clone())
    }
}

impl Adaptor<PsnrInput> for DenoisingOutput {
    fn adapt(&self) -> PsnrInput {
        PsnrInput {
            mse: self.mse.clone(),
        }
    }
}
