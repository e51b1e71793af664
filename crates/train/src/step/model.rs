//! The network as burn-train's learner interface sees it: a training step and a validation step.

use std::sync::Arc;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Module, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, ExecutionError, Tensor};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use n2n_data::quality::{between_mse, noise2noise_mse};
use n2n_data::{Batch, Restoration, Wholes};
use n2n_model::{Layout, Loss, Network};
use n2n_scratch::Graph;

use super::{GradientTransform, ema};
use crate::experiment::TrainConfig;

/// A network in training: its parameters as one vector, and the exponential moving average (EMA) of them.
#[derive(Module, Debug)]
pub struct TrainingModel {
    /// Vector of all parameters, which the optimizer changes.
    parameters: Param<Tensor<1>>,
    /// EMA of the vector, if the experiment asks for one; without autodiff.
    #[module(skip)]
    average: Option<Tensor<1>>,
    /// The layers, with parameters from before; running statistics are those of now.
    #[module(skip)]
    network: Network,
    #[module(skip)]
    layout: Arc<Layout>,
    /// The network's own backward pass, where it is the faster one.
    #[module(skip)]
    graph: Option<Graph>,
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

/// The networks of a [`TrainingModel`], for checkpoints; the names of the fields are those of parameters there.
#[derive(Module, Debug)]
pub struct Weights {
    /// Network that the optimizer changes.
    pub network: Network,
    /// EMA of its weights, if the experiment asks for one.
    pub average: Option<Network>,
}

impl TrainingModel {
    /// Prepares a network, on a device with autodiff, for the first step of a run.
    pub fn new(network: Network, config: &TrainConfig) -> Self {
        let average = config.ema.map(|_| network.clone());
        Self::of_weights(Weights { network, average }, config)
    }

    /// As [`new`](Self::new), with weights of a checkpoint.
    pub(crate) fn of_weights(weights: Weights, config: &TrainConfig) -> Self {
        let Weights { network, average } = weights;
        let layout = Layout::of(&network);
        let vector = layout.join(&network);
        let launches_cost = n2n_scratch::is_gpu(&vector.device());
        Self {
            parameters: Param::from_tensor(vector.autodiff()),
            average: average.map(|average| Layout::of(&average).join(&average)),
            graph: network
                .graph(&layout)
                .filter(|_| launches_cost)
                .map(|graph| graph.storing(config.activations.into())),
            network,
            layout: layout.into(),
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

    /// Whether the network's own backward pass computes the gradients, unless images have holes.
    pub(crate) fn has_graph(&self) -> bool {
        self.loss == Loss::L2 && self.graph.is_some()
    }

    /// Returns where parameters lie in the vector.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the name of the vector.
    pub(crate) fn id(&self) -> ParamId {
        self.parameters.id
    }

    /// Returns the network for inference: with the EMA of its weights, if there is one.
    pub fn evaluation_network(&self) -> Network {
        self.layout
            .split(&self.evaluation_vector(), self.network.valid())
    }

    /// Returns the networks, their parameters read from the device, each in one go.
    pub(crate) fn weights(&self) -> Weights {
        Weights {
            network: self.on_host(self.vector()),
            average: self.average.clone().map(|average| self.on_host(average)),
        }
    }

    /// Returns the weights that are validated and saved, read from the device in one go.
    pub(crate) fn evaluation_weights(&self) -> Network {
        self.on_host(self.evaluation_vector())
    }

    /// The network to be loaded from a checkpoint.
    pub(crate) fn template(&self) -> Weights {
        Weights {
            network: self.network.clone(),
            average: self.average.as_ref().map(|_| self.network.clone()),
        }
    }

    /// Returns the gradient by the vector, given those by a network's parameters.
    pub(crate) fn gradients(
        &self,
        network: &Network,
        gradients: GradientsParams,
    ) -> GradientsParams {
        let gradient = self.layout.join_gradients(network, gradients);
        gradients_of(self.parameters.id, gradient)
    }

    /// Returns the target of the loss for sub-images, which depends on the network itself; no gradient goes that way.
    fn target_of_sub_images(&self, target: Tensor<4>, wholes: &Wholes) -> Tensor<4> {
        let network = self.layout.split(&self.vector(), self.network.valid());
        let wholes = Wholes {
            images: wholes.images.clone().without_autodiff(),
            signs: wholes.signs.clone().without_autodiff(),
            weight: wholes.weight,
        };
        let denoised = network.forward(wholes.images.clone());
        let target = wholes.target(target.without_autodiff(), denoised, self.progress);
        target.autodiff()
    }

    fn vector(&self) -> Tensor<1> {
        self.parameters.val().without_autodiff()
    }

    fn evaluation_vector(&self) -> Tensor<1> {
        self.average.clone().unwrap_or_else(|| self.vector())
    }

    fn on_host(&self, vector: Tensor<1>) -> Network {
        let vector = Tensor::from_data(vector.into_data(), &Device::flex());
        self.layout.split(&vector, self.network.valid())
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

    fn step(&self, mut batch: Batch) -> TrainOutput<BatchLoss> {
        if let Some(wholes) = batch.wholes.take() {
            batch.target = self.target_of_sub_images(batch.target, &wholes);
        }
        let has_graph = self.has_graph() && batch.mask.is_none();
        let (loss, grads) = match self.graph.as_ref().filter(|_| has_graph) {
            Some(graph) => {
                let [input, target] = [batch.input, batch.target].map(Tensor::without_autodiff);
                let (loss, gradient) = graph.loss_and_gradient(self.vector(), input, target);
                (loss, gradients_of(self.parameters.id, gradient))
            }
            None => {
                let network = self.layout.split(&self.vector(), self.network.clone());
                let (loss, gradients) = network.loss_and_gradients(
                    self.loss,
                    f64::from(self.progress),
                    batch.input,
                    batch.target,
                    batch.mask,
                );
                (loss, self.gradients(&network, gradients))
            }
        };
        let item = BatchLoss(loss);
        TrainOutput { grads, item }
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        mut grads: GradientsParams,
    ) -> Self {
        let id = self.parameters.id;
        let Some(gradient) = grads.remove::<1>(id) else {
            return self;
        };
        let decay = ema::decay(self.decay, self.steps);
        let grads = gradients_of(id, self.transform.apply(gradient));
        let mut next = optimizer.step(lr, self, grads);
        let average = next.average.take();
        next.average = average.map(|average| ema::update(average, next.vector(), decay));
        next
    }
}

fn gradients_of(vector: ParamId, gradient: Tensor<1>) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    gradients.register(vector, gradient);
    gradients
}

/// Network for inference.
pub struct EvaluationModel(pub Network);

impl InferenceStep for EvaluationModel {
    type Input = Batch;
    type Output = ValidationOutput;

    fn step(&self, batch: Batch) -> ValidationOutput {
        let denoise = |input, restoration: Option<Restoration>| {
            let output = self.0.forward(input);
            match restoration {
                Some(restoration) => restoration.restore(output),
                None => output,
            }
        };
        let mse = |a: Tensor<4>, b: Tensor<4>| mse_per_image(a, b, batch.mask.as_ref());
        let denoised = denoise(batch.input, batch.restoration);
        let error = mse(denoised.clone(), batch.target.clone());
        let errors = match (batch.reverse, batch.between) {
            (None, None) => error,
            (None, Some(input)) => between_mse(error, mse(input, batch.target)),
            (Some(reverse), _) => {
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
