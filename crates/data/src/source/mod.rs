//! One file for each kind of source.

mod scenes;
mod slice;
mod torch_pickle;

pub use scenes::{Scenes, ScenesConfig, Split};
pub use slice::Slice;
pub use torch_pickle::TorchPairs;
