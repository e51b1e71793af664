//! The traits of a network: its config, which describes it, and its layers, which compute it.
//!
//! Training, tiled inference and export know networks by these traits only, so that a new network is one
//! file and one line in `network.rs`.

use std::fmt::Debug;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use n2n_scratch::Graph;

use crate::parameters::named_parameters;
use crate::receptive_field::Span;
use crate::{ConfigError, Layout, ParameterError, ParameterSource, RandomInit, StateDict};

/// Channels of images if the config names none.
pub const DEFAULT_CHANNELS: usize = 3;

/// Configuration and description of one kind of network.
pub trait Architecture {
    /// The network.
    type Network: Forward + Module
    where
        Self: Sized;

    /// Checks that a network of this configuration exists.
    ///
    /// # Errors
    /// When an option is out of range.
    fn validate(&self) -> Result<(), ConfigError>;

    /// Colour channels of the images, if the config names them.
    fn channels(&self) -> Option<usize>;

    /// Sets the colour channels of the images.
    fn set_channels(&mut self, channels: usize);

    /// Number of downsampling steps, each by 2.
    fn depth(&self) -> usize;

    /// Pixels of the input that the pixels `output` depend on, along one axis.
    fn input_span(&self, output: Span) -> Span;

    /// Largest number of values that a layer reads and writes, per pixel of the image.
    fn values_per_pixel(&self) -> usize;

    /// One-line description.
    fn summary(&self) -> String;

    /// Name of the implementation that computes the network on a device.
    fn implementation(&self, device: &Device) -> &'static str;

    /// Chooses an implementation by name; `false` if the network lacks it.
    fn set_implementation(&mut self, name: &str) -> bool;

    /// Whether the output is in the units of the input, so that the statistics of a normalization bring it
    /// back; a sigmoid's output is not.
    fn has_input_units(&self) -> bool {
        false
    }

    /// Adds the input to the result of the layers; `false` if the network has no such option.
    fn set_residual(&mut self) -> bool {
        false
    }

    /// Whether training drops values at random.
    fn has_dropout(&self) -> bool {
        false
    }

    /// Whether the network brings its own backward pass, which knows only L2 over all pixels.
    fn has_custom_backward(&self) -> bool {
        false
    }

    /// A network with the parameters of `source`, asked for in a fixed order.
    ///
    /// # Errors
    /// When the source lacks a parameter of that shape.
    fn build(
        &self,
        source: &mut dyn ParameterSource,
        device: &Device,
    ) -> Result<Self::Network, ParameterError>
    where
        Self: Sized;

    /// Every parameter of `network` under its name. Meant for a network of this configuration.
    fn state_dict(&self, network: &Self::Network) -> StateDict
    where
        Self: Sized,
    {
        named_parameters(network).into_iter().collect()
    }

    /// A network with initial parameters, drawn from `seed` on the host: the same on every device.
    ///
    /// # Panics
    /// If the configuration does not [`validate`](Self::validate).
    fn init(&self, seed: u64, device: &Device) -> Self::Network
    where
        Self: Sized,
    {
        self.build(&mut RandomInit::new(seed), device)
            .unwrap_or_else(|error| unreachable!("random parameters always fit: {error}"))
    }

    /// A network with the parameters of `state`.
    ///
    /// # Errors
    /// When a parameter is missing, superfluous, of another shape, or not shared where it should be.
    ///
    /// # Panics
    /// If the configuration does not [`validate`](Self::validate).
    fn load(&self, mut state: StateDict, device: &Device) -> Result<Self::Network, ParameterError>
    where
        Self: Sized,
    {
        let network = self.build(&mut state, device)?;
        match state.into_keys().next() {
            Some(name) => Err(ParameterError::Unexpected { name }),
            None => Ok(network),
        }
    }
}

/// The layers of a network.
pub trait Forward: Debug {
    /// Denoises a batch of images.
    ///
    /// # Shapes
    /// - `x`, output: `[batch_size, channels, height, width]`
    ///
    /// # Panics
    /// If a side is not a multiple of `2^depth`.
    fn forward(&self, x: Tensor<4>) -> Tensor<4>;

    /// Whether the ops of `n2n_scratch` compute it.
    fn is_scratch(&self) -> bool;

    /// Mean squared error and its gradients, if the network brings its own backward pass.
    ///
    /// # Shapes
    /// - `x`, `target`: `[batch_size, channels, height, width]`
    /// - the loss: `[1]`
    fn custom_backward(
        &self,
        _x: &Tensor<4>,
        _target: &Tensor<4>,
    ) -> Option<(Tensor<1>, GradientsParams)> {
        None
    }

    /// The network as a graph of blocks, which has a backward pass by all parameters at once, if it is one.
    fn graph(&self, _layout: &Layout) -> Option<Graph> {
        None
    }
}
