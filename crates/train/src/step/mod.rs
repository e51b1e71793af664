//! One optimizer step: gradients, clipping, the optimizer, the exponential moving average.

mod clip;
mod ema;
mod gradients;
mod model;
mod optimizer;

pub use self::clip::GradientTransform;
pub(crate) use self::gradients::mean_loss_and_gradients;
pub use self::gradients::{Batches, next_batches};
pub use self::model::{BatchLoss, TrainingModel, ValidationOutput};
pub use self::optimizer::optimizer;
