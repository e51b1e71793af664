//! Loads a trained denoiser, and denoises images of any size with it.
//!
//! Start reading at [`Denoiser`]. An image that is too large for the memory is cut into tiles that
//! overlap by as far as the network sees, so that the result is that of the whole image.

#![recursion_limit = "256"]

mod blend;
mod channels;
mod denoiser;
mod error;
mod fit;
mod forward;
mod image;
mod memory;
mod metadata;
mod parts;
mod pass;
mod samples;
mod symmetry;
mod tiles;

pub use denoiser::{Denoiser, model_file};
pub use error::Error;
pub use image::Image;
pub use memory::is_out_of_memory;
pub use metadata::ModelMetadata;
pub use parts::Denoised;
