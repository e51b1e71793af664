//! Image restoration with Noise2Noise: networks that learn to denoise from noisy images alone.
//!
//! One network trained on pairs of noisy images denoises as well as one trained on clean targets
//! (Lehtinen et al., "Noise2Noise", ICML 2018). This crate trains such networks and uses them, on any GPU
//! through Vulkan, Metal or DirectX 12, or on the CPU. It re-exports the libraries of the workspace under
//! one name.
//!
//! # Denoise
//!
//! A [`Denoiser`] restores images of any size, with the bundled model or with one of your own.
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
//!
//! # Train
//!
//! An [`Experiment`](train::Experiment) says what to train, a [`Trainer`](train::Trainer) trains it, and its
//! [`Outcome`](train::Outcome) denoises.
//!
//! ```no_run
//! use n2n::train::{Event, Experiment, Stop, Trainer};
//! use n2n::{Device, Image};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let noisy = Image::new([1, 2, 3], vec![0.1, 0.3, 0.2, 0.2, 0.1, 0.3])?;
//! let mut experiment = Experiment::for_data("photos/");
//! experiment.train.max_images = Some(100_000);
//! let stop = Stop::new(); // clone it into a signal handler or a window
//! let outcome = Trainer::new(&experiment, &Device::flex())?
//!     .run_dir("runs/photos-1") // or .resume(..); neither: in memory, no file is written
//!     .run(&stop, |event| match event {
//!         Event::Step(step) => println!("{} images, loss {:.5}", step.images, step.loss),
//!         Event::Validation(record) => println!("{record:?}"),
//!         Event::RolledBack(rollback) => eprintln!("{rollback}"),
//!         _ => {}
//!     })?;
//! let clean = outcome.denoiser()?.denoise(&noisy)?;
//! # Ok(())
//! # }
//! ```
//!
//! [`devices`] opens a GPU in place of [`Device::flex`], the CPU: `Backend::Auto.open(0)?.device`.
//!
//! `crates/n2n/examples` has whole programs: they train on a folder, on arrays in memory, and with a custom
//! noise model.
//!
//! # Modules
//!
//! - [`train`]: experiments, the training loop, run directories
//! - [`data`]: noisy pairs, noise models, quality measures
//! - [`model`]: the networks and their files
//! - [`runs`]: run directories read back, to compare them
//! - [`devices`]: GPUs and CPUs by name

#![recursion_limit = "256"]

pub use burn::tensor::Device;
#[doc(inline)]
pub use n2n_denoise::{Denoiser, Error, Image, ModelMetadata};
#[doc(inline)]
pub use n2n_devices as devices;
#[doc(inline)]
pub use n2n_runs as runs;

/// Experiments, the training loop, run directories.
pub mod train {
    #[doc(inline)]
    pub use n2n_train::{
        Event, Experiment, ExperimentError, Learner, Outcome, Record, RunDir, Stop, TrainError,
        Trainer,
    };
    #[doc(inline)]
    pub use n2n_train::{event, experiment, run_dir};
}

/// Noisy pairs, noise models, quality measures.
pub mod data {
    #[doc(inline)]
    pub use n2n_data::{
        Axes, AxesFrom, DataConfig, DataError, NoisyPair, Normalization, NormalizationKind, Target,
        noise, quality,
    };
}

/// Networks and their files.
pub mod model {
    #[doc(inline)]
    pub use n2n_model::{
        Loss, Network, NetworkConfig, SimpleNetConfig, StateDict, UNetConfig, read_model_file,
        write_model_file,
    };
}
