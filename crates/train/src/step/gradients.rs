//! Batches of a step, and their losses and gradients.

use burn::data::dataset::DatasetError;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;
use burn::train::TrainStep;
use n2n_data::Batch;

use super::TrainingModel;

/// Endless stream of training batches.
pub type Batches<'a> = dyn Iterator<Item = Result<Batch, DatasetError>> + 'a;

/// Runs forward and backward passes over the batches of a step, one at a time; returns the mean of their
/// losses, the sum of their gradients and the number of images.
///
/// # Errors
/// That of the first batch that is one.
pub(crate) fn mean_loss_and_gradients<E>(
    model: &TrainingModel,
    batches: impl IntoIterator<Item = Result<Batch, E>>,
) -> Result<(Tensor<1>, GradientsParams, usize), E> {
    let mut sum = GradientsAccumulator::<TrainingModel>::new();
    let (mut losses, mut images) = (Vec::new(), 0);
    for batch in batches {
        let batch = batch?;
        images += batch.input.dims()[0];
        let output = TrainStep::step(model, batch);
        sum.accumulate(model, output.grads);
        losses.push(output.item.0);
    }
    let loss = match losses.len() {
        // Not a reduction of one value, which a graphics device would look for the fastest kernel of.
        1 => losses.remove(0),
        _ => Tensor::cat(losses, 0).mean(),
    };
    Ok((loss, sum.grads(), images))
}
