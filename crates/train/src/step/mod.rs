//! One optimizer step: gradients, clipping, the optimizer, the exponential moving average.

mod clip;
mod ema;
mod gradients;
mod model;
mod optimizer;
mod record;
#[cfg(test)]
mod tests;

pub use self::clip::GradientTransform;
pub use self::gradients::Batches;
pub(crate) use self::gradients::mean_loss_and_gradients;
pub use self::model::{BatchLoss, EvaluationModel, TrainingModel, ValidationOutput};
pub use self::optimizer::optimizer;
pub(crate) use self::record::{joined, split};
