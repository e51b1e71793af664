//! Noisy pairs: where they come from, how they are augmented and normalized, in what order they are
//! served.
//!
//! Start reading at [`SceneSource`], what data is made of, and [`Examples`], what networks see.

mod ahead;
mod augment;
mod batch;
pub mod classical;
mod config;
mod cut;
mod error;
mod evaluation;
mod examples;
mod independence;
mod library;
pub mod noise;
mod normalize;
mod open;
mod order;
mod pair;
pub mod quality;
mod scene;
mod source;
#[cfg(test)]
mod tests;

pub use augment::AugmentConfig;
pub use batch::{Batch, Batching, Reverse, TrainStream, ValidationSet};
pub use config::DataConfig;
pub use cut::reflect;
pub use error::DataError;
pub use evaluation::{EvaluationRequest, EvaluationSet};
pub use examples::{Examples, Visit};
pub use independence::NoiseCheck;
pub use library::Library;
pub use n2n_files::FileError;
pub use normalize::{MIN_STD, Normalization, NormalizationKind};
pub use open::{Opened, Request};
pub use pair::{NoisyPair, Target};
pub use scene::{SceneInfo, SceneSource, View};
pub use source::{Arrays, Finder, Found, Layout, Scenes, ScenesConfig, Split, Subset};
