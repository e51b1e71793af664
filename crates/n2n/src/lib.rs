//! Image restoration with Noise2Noise: networks that learn to denoise from noisy images alone.
//!
//! This crate re-exports the libraries of the workspace under one name.
//!
//! # Denoising
//! A [`Denoiser`] restores images of any size, with the model that comes with this crate or with one of your own.
//!
//! ```
//! use n2n::{Denoiser, Image};
//!
//! # fn main() -> Result<(), n2n::Error> {
//! let noisy = Image::new([1, 2, 3], vec![0.1, 0.3, 0.2, 0.2, 0.1, 0.3])?;
//! let denoised = Denoiser::bundled().denoise(&noisy)?;
//! assert_eq!(denoised.shape(), [1, 2, 3]);
//! # Ok(())
//! # }
//! ```

pub use burn::tensor::Device;
#[doc(inline)]
pub use n2n_denoise::{Denoiser, Error, Image, ModelMetadata, is_out_of_memory};
