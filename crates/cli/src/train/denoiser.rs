//! The network as burn-train's learner sees it: a training step, a validation step, an output.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{ExecutionError, Tensor};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use n2n_data::Batch;
use n2n_model::Network;

use super::psnr::PsnrInput;

/// A network that learns to map noisy images to what their targets have in common.
#[derive(Module, Debug)]
pub struct Denoiser {
    /// The network.
    pub network: Network,
}

/// What a step leaves for metrics and records.
pub struct DenoisingOutput {
    /// Mean squared error: one value for a training batch, one for each image in validation.
    pub mse: Tensor<1>,
}

impl TrainStep for Denoiser {
    type Input = Batch;
    type Output = DenoisingOutput;

    fn step(&self, batch: Batch) -> TrainOutput<DenoisingOutput> {
        if let Some(network) = self.network.by_hand() {
            let (mse, grads) = network.loss_and_gradients(batch.input, batch.target);
            let item = DenoisingOutput { mse };
            return TrainOutput { grads, item };
        }
        let output = self.network.forward(batch.input);
        let mse = self.network.mse(output, batch.target);
        let gradients = mse.backward();
        let mse = mse.without_autodiff();
        TrainOutput::new(self, gradients, DenoisingOutput { mse })
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        let network = match self.network {
            Network::Simple(network) if network.is_by_hand() => {
                Network::Simple(network.descend(lr.base(), grads))
            }
            network => optimizer.step(lr, network, grads),
        };
        Self { network }
    }
}

impl InferenceStep for Denoiser {
    type Input = Batch;
    type Output = DenoisingOutput;

    fn step(&self, batch: Batch) -> DenoisingOutput {
        let output = self.network.forward(batch.input);
        let squares = (output - batch.target).square(); // [N, C, H, W]
        let mse = squares.flatten::<2>(1, 3).mean_dim(1).squeeze_dim::<1>(1); // [N]
        DenoisingOutput { mse }
    }
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
