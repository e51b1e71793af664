//! Batches of a step, and their losses and gradients.

use burn::data::dataset::DatasetError;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;
use burn::train::TrainStep;
use n2n_data::Batch;
use n2n_model::Network;

use super::TrainingModel;

/// Endless stream of training batches.
pub type Batches<'a> = dyn Iterator<Item = Result<Batch, DatasetError>> + 'a;

/// Takes the next `count` batches.
///
/// # Errors
/// When an image cannot be read.
///
/// # Panics
/// If the stream ends.
pub fn next_batches(stream: &mut Batches, count: usize) -> Result<Vec<Batch>, DatasetError> {
    let batches: Result<Vec<Batch>, _> = stream.take(count).collect();
    if let Ok(batches) = &batches {
        assert_eq!(batches.len(), count, "the training stream is endless");
    }
    batches
}

/// Runs forward and backward passes over the batches of a step; returns the mean of their losses and
/// the sum of their gradients.
pub(crate) fn mean_loss_and_gradients(
    model: &TrainingModel,
    batches: Vec<Batch>,
) -> (Tensor<1>, GradientsParams) {
    let mut sum = GradientsAccumulator::<Network>::new();
    let mut losses = Vec::with_capacity(batches.len());
    for batch in batches {
        let output = TrainStep::step(model, batch);
        sum.accumulate(&model.network, output.grads);
        losses.push(output.item.0);
    }
    (Tensor::cat(losses, 0).mean(), sum.grads())
}
