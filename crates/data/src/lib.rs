//! Noisy pairs: where they come from, how they are normalized, and in what order they are served.
//!
//! Start reading at [`NoisyPair`] and [`PairSource`].

mod batch;
mod error;
mod normalize;
mod pair;
mod source;

pub use batch::{Batch, TrainStream, ValidationSet};
pub use error::DataError;
pub use normalize::{Normalization, NormalizationKind};
pub use pair::{NoisyPair, PairSource, Target};
pub use source::{Scenes, ScenesConfig, Slice, Split, TorchPairs};
