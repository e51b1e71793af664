//! The network as burn-train's learner interface sees it: a training step and a validation step.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{ExecutionError, Tensor};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use n2n_data::quality::noise2noise_mse;
use n2n_data::{Batch, Restoration};
use n2n_model::{Loss, Network};

use super::{GradientTransform, ema};
use crate::experiment::TrainConfig;

/// A network in training, and the exponential moving average (EMA) of its weights.
///
/// The names of its fields are those of parameters in checkpoints.
#[derive(Module, Debug)]
pub struct TrainingModel {
    /// Network that the optimizer changes.
    pub network: Network,
    /// EMA of its weights, if the experiment asks for one.
    average: Option<Network>,
    #[module(skip)]
    loss: Loss,
    #[module(skip)]
    transform: GradientTransform,
    /// Limit of the EMA's decay.
    #[module(skip)]
    decay: f64,
    /// Steps taken so far.
    #[module(skip)]
    steps: usize,
    /// Share of the run that is over, from 0 to 1; the L0 loss depends on it.
    #[module(skip)]
    progress: f32,
}

impl TrainingModel {
    /// Prepares a network for the first step of a run.
    pub fn new(network: Network, config: &TrainConfig) -> Self {
        Self {
            average: config.ema.map(|_| network.clone()),
            network,
            loss: config.loss,
            transform: GradientTransform::new(config),
            decay: config.ema.unwrap_or_default(),
            steps: 0,
            progress: 0.0,
        }
    }

    /// Sets the number of steps taken so far, and the share of the run that is over.
    pub fn set_progress(&mut self, steps: usize, progress: f32) {
        self.steps = steps;
        self.progress = progress;
    }

    /// Returns the network that is validated and saved: the EMA, if there is one.
    pub fn evaluation_network(&self) -> &Network {
        self.average.as_ref().unwrap_or(&self.network)
    }
}

/// Loss of a training batch.
///
/// # Shapes
/// - `[1]`
pub struct BatchLoss(pub Tensor<1>);

/// Result of a validation batch.
pub struct ValidationOutput {
    /// Mean squared error of each image, or the unbiased estimate of it: `[batch_size]`.
    pub errors: Tensor<1>,
    /// Denoised images: `[batch_size, channels, height, width]`.
    pub denoised: Tensor<4>,
}

impl TrainStep for TrainingModel {
    type Input = Batch;
    type Output = BatchLoss;

    fn step(&self, batch: Batch) -> TrainOutput<BatchLoss> {
        let (loss, grads) = self.network.loss_and_gradients(
            self.loss,
            f64::from(self.progress),
            batch.input,
            batch.target,
            batch.mask,
        );
        let item = BatchLoss(loss);
        TrainOutput { grads, item }
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        let grads = self.transform.apply(&self.network, grads);
        let network = optimizer.step(lr, self.network, grads);
        let decay = ema::decay(self.decay, self.steps);
        let average = self
            .average
            .map(|average| ema::update(average, &network, decay));
        Self {
            network,
            average,
            ..self
        }
    }
}

impl InferenceStep for TrainingModel {
    type Input = Batch;
    type Output = ValidationOutput;

    fn step(&self, batch: Batch) -> ValidationOutput {
        let denoise = |input, restoration: Option<Restoration>| {
            let output = self.evaluation_network().forward(input);
            match restoration {
                Some(restoration) => restoration.restore(output),
                None => output,
            }
        };
        let mse = |a: Tensor<4>, b: Tensor<4>| mse_per_image(a, b, batch.mask.as_ref());
        let denoised = denoise(batch.input, batch.restoration);
        let error = mse(denoised.clone(), batch.target.clone());
        let errors = match batch.reverse {
            None => error,
            Some(reverse) => {
                let noise = mse(reverse.target.clone(), batch.target);
                let other = denoise(reverse.input, reverse.restoration);
                noise2noise_mse(error, mse(other, reverse.target), noise)
            }
        };
        ValidationOutput { errors, denoised }
    }
}

/// Mean squared error of each image, over the pixels of the mask; 0 where it has none.
///
/// # Shapes
/// - `a`, `b`: `[batch_size, channels, height, width]`
/// - `mask`: `[batch_size, 1, height, width]`
/// - result: `[batch_size]`
fn mse_per_image(a: Tensor<4>, b: Tensor<4>, mask: Option<&Tensor<4>>) -> Tensor<1> {
    let Some(mask) = mask else {
        return n2n_scratch::mse_per_image(a, b);
    };
    let squares = (a - b).square();
    let sum = |values: Tensor<4>| values.flatten::<2>(1, 3).sum_dim(1).squeeze_dim::<1>(1);
    let count = sum(mask.clone()).clamp_min(1.0) * squares.dims()[1] as f32;
    sum(squares * mask.clone()) / count
}

// burn-train's own loop reads items on another thread; here the training loop reads them itself.
impl ItemLazy for BatchLoss {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl ItemLazy for ValidationOutput {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}
