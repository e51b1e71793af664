//! What a step of training is made of.

use anyhow::Context;
use burn::data::dataset::DatasetError;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;
use burn::train::Learner;
use n2n_data::Batch;
use n2n_model::Network;

use super::denoiser::Denoiser;

/// Training batches, without end.
pub type Batches<'a> = &'a mut dyn Iterator<Item = Result<Batch, DatasetError>>;

/// The next `count` batches.
///
/// # Errors
/// When an image cannot be read.
pub fn next(stream: Batches, count: usize) -> anyhow::Result<Vec<Batch>> {
    let mut next = || Ok(stream.next().context("the training stream is endless")??);
    (0..count).map(|_| next()).collect()
}

/// Forward and backward passes over the batches of a step: the mean of their losses, and the sum of
/// their gradients.
pub fn losses_and_gradients(
    learner: &Learner<Denoiser>,
    batches: Vec<Batch>,
) -> (Tensor<1>, GradientsParams) {
    let mut sum = GradientsAccumulator::<Network>::new();
    let mut losses = Vec::with_capacity(batches.len());
    for batch in batches {
        let output = learner.train_step(batch);
        sum.accumulate(&learner.model().network, output.grads);
        losses.push(output.item.mse);
    }
    let mean = Tensor::cat(losses, 0).mean();
    (mean, sum.grads())
}
