//! Noisy pairs: where they come from, how they are augmented and normalized, in what order they are
//! served.
//!
//! Start reading at [`SceneSource`], what data is made of, and [`Examples`], what networks see.

mod augment;
mod auto_range;
mod axes;
mod batch;
mod by_scenes;
pub mod classical;
mod config;
mod constant;
mod crop;
mod digest;
mod error;
mod evaluation;
mod examples;
mod held_out;
mod high_pass;
mod holes;
mod image_cache;
mod independence;
mod levels;
pub mod noise;
mod noise_level;
mod normalize;
mod on_device;
mod open;
mod order;
mod pair;
mod pairing;
mod partners;
mod pipeline;
mod planes;
mod prefetch;
pub mod quality;
mod sampled;
mod scale;
mod scene;
mod single_noise;
mod source;
mod subsample;
mod swap;
#[cfg(test)]
mod tests;

pub use augment::AugmentConfig;
pub use auto_range::{RangeConfig, range_of_image};
pub use batch::{Batch, Batching, Preparation, Restoration, Reverse, TrainStream, ValidationSet};
pub use by_scenes::ByScenes;
pub use config::DataConfig;
pub use constant::is_constant;
pub use crop::reflect;
pub use digest::Digest;
pub use error::DataError;
pub use evaluation::{EvaluationRequest, EvaluationSet};
pub use examples::{ExampleIndex, Examples};
pub use holes::fill_holes;
pub use independence::NoiseCheck;
pub use n2n_files::{Axes, AxesFrom, FileError};
pub use noise_level::NoiseLevel;
pub use normalize::{MIN_STD, Normalization, NormalizationKind};
pub use open::{Opened, Request, ValidatesOn};
pub use pair::{NoisyPair, Target, TargetNoise};
pub use pairing::{Chosen, ChosenBy, Pairing};
pub use partners::{OddPairs, PartnerReport};
pub use sampled::sampled;
pub use scale::{Range, RangeError, Scale};
pub use scene::{SceneInfo, SceneSource, View};
pub use single_noise::{SingleNoise, Smeared};
pub use source::{Arrays, Finder, Found, Layout, Scenes, ScenesConfig, Split, Subset};
pub use subsample::{Whole, Wholes};
pub use swap::Swap;
