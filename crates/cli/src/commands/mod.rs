//! One file, or a folder, for each command but `train`.

pub mod bench;
pub mod compare;
pub mod denoise;
pub mod devices;
pub mod evaluate;
pub mod export;
pub mod gradcheck;
pub mod import;
pub mod inspect;
mod output;
pub mod plot;
pub mod report;
pub mod schema;
pub mod sweep;
pub mod train;
