//! Any of the networks, chosen by a config. A new network is one line of the table below.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use n2n_scratch::Graph;
use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, DEFAULT_CHANNELS, Forward};
use crate::conv::mse;
use crate::receptive_field::Span;
use crate::{
    ConfigError, Implementation, Layout, Loss, ParameterError, SimpleNet, SimpleNetConfig,
    StateDict, UNet, UNetConfig,
};

/// Declares the networks: variant, config, layers and the name in a config.
macro_rules! networks {
    ($($(#[$doc:meta])* $Kind:ident: $Config:ident => $Layers:ident, $name:literal;)+) => {
        /// Configuration of a [`Network`].
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum NetworkConfig {
            $($(#[$doc])* #[serde(rename = $name)] $Kind($Config),)+
        }

        /// Any of the networks.
        #[derive(Module, Debug)]
        pub enum Network {
            $($(#[$doc])* $Kind($Layers),)+
        }

        impl NetworkConfig {
            /// Every kind of network, by its name in a config.
            pub const KINDS: &'static [&'static str] = &[$($name),+];

            /// The default configuration of a kind.
            pub fn of_kind(kind: &str) -> Option<Self> {
                match kind {
                    $($name => Some(Self::$Kind($Config::default())),)+
                    _ => None,
                }
            }

            fn architecture(&self) -> &dyn Architecture {
                match self {
                    $(Self::$Kind(config) => config,)+
                }
            }

            fn architecture_mut(&mut self) -> &mut dyn Architecture {
                match self {
                    $(Self::$Kind(config) => config,)+
                }
            }

            /// A network with initial parameters, drawn from `seed` on the host.
            pub fn init(&self, seed: u64, device: &Device) -> Network {
                match self {
                    $(Self::$Kind(config) => Network::$Kind(config.init(seed, device)),)+
                }
            }

            /// A network with the parameters of `state`.
            ///
            /// # Errors
            /// When they are not those of such a network.
            pub fn load(&self, state: StateDict, device: &Device) -> Result<Network, ParameterError> {
                Ok(match self {
                    $(Self::$Kind(config) => Network::$Kind(config.load(state, device)?),)+
                })
            }

            /// Every parameter of `network` under its name.
            ///
            /// # Panics
            /// If the network is of another kind.
            pub fn state_dict(&self, network: &Network) -> StateDict {
                match (self, network) {
                    $((Self::$Kind(config), Network::$Kind(network)) => config.state_dict(network),)+
                    _ => panic!("expected a network of {self:?}"),
                }
            }
        }

        impl Network {
            fn layers(&self) -> &dyn Forward {
                match self {
                    $(Self::$Kind(network) => network,)+
                }
            }
        }
    };
}

networks! {
    /// The reference U-Net.
    UNet: UNetConfig => UNet, "unet";
    /// The reference's simple net.
    Simple: SimpleNetConfig => SimpleNet, "simple";
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self::UNet(UNetConfig::default())
    }
}

impl NetworkConfig {
    /// Every implementation that some network has, by name.
    pub const IMPLEMENTATIONS: &'static [&'static str] = &Implementation::NAMES;

    /// Checks that a network of this configuration exists.
    ///
    /// # Errors
    /// When an option is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.architecture().validate()
    }

    /// Checks that images of this size pass through the network.
    ///
    /// # Errors
    /// When a side is not a multiple of [`divisor`](Self::divisor).
    pub fn check_image(&self, height: usize, width: usize) -> Result<(), ConfigError> {
        self.validate()?;
        ConfigError::check_image(height, width, self.architecture().depth())
    }

    /// The number that the sides of images must be multiples of.
    pub fn divisor(&self) -> usize {
        1 << self.architecture().depth()
    }

    /// Colour channels of the images, if the config names them.
    pub fn channels(&self) -> Option<usize> {
        self.architecture().channels()
    }

    /// Colour channels of the images; 3 if the config names none.
    pub fn channels_or_default(&self) -> usize {
        self.channels().unwrap_or(DEFAULT_CHANNELS)
    }

    /// The same network for images with this number of channels.
    #[must_use]
    pub fn with_channels(mut self, channels: usize) -> Self {
        self.architecture_mut().set_channels(channels);
        self
    }

    /// The largest distance in pixels, along an axis, at which a pixel of the image changes a denoised one.
    ///
    /// The distance depends on the place of the pixel on the grid of `2^depth` pixels; this is the largest.
    ///
    /// ```
    /// use n2n_model::NetworkConfig;
    ///
    /// assert_eq!(NetworkConfig::default().receptive_radius(), 78);
    /// ```
    pub fn receptive_radius(&self) -> usize {
        let radius = |pixel: i64| {
            let span = self.architecture().input_span(Span::new(pixel));
            span.radius(pixel)
        };
        let radii = (0..self.divisor() as i64).map(radius);
        radii.max().unwrap_or(0)
    }

    /// Upper bound of the memory of inference, in bytes per pixel of the image: twice the inputs and outputs
    /// of the widest layer, once as they are and once as a convolution lays them out.
    pub fn bytes_per_pixel(&self) -> usize {
        2 * self.architecture().values_per_pixel() * size_of::<f32>()
    }

    /// One-line description.
    ///
    /// ```
    /// use n2n_model::NetworkConfig;
    ///
    /// let expected = "U-Net of depth 4 with 32 features and 3 channels, shared blocks, PReLU";
    /// assert_eq!(NetworkConfig::default().summary(), expected);
    /// ```
    pub fn summary(&self) -> String {
        self.architecture().summary()
    }

    /// Whether the network brings its own backward pass, which knows only L2 over all pixels.
    pub fn has_custom_backward(&self) -> bool {
        self.architecture().has_custom_backward()
    }

    /// Whether the output is in the units of the input, so that the statistics of a normalization bring it
    /// back; a sigmoid's output is not.
    pub fn has_input_units(&self) -> bool {
        self.architecture().has_input_units()
    }

    /// The same network, its input added to the result of the layers, if it has this option.
    pub fn with_residual(mut self) -> Option<Self> {
        self.architecture_mut().set_residual().then_some(self)
    }

    /// Whether training drops values at random.
    pub fn has_dropout(&self) -> bool {
        self.architecture().has_dropout()
    }

    /// Name of the implementation that computes the network on a device: `burn`, `scratch` or `layers`.
    pub fn implementation(&self, device: &Device) -> &'static str {
        self.architecture().implementation(device)
    }

    /// The same network with the implementation of this name, if it has one.
    pub fn with_implementation(&self, name: &str) -> Option<Self> {
        let mut config = self.clone();
        let known = config.architecture_mut().set_implementation(name);
        known.then_some(config)
    }

    /// Names of the implementations of this network.
    pub fn implementations(&self) -> impl Iterator<Item = &'static str> {
        let names = Self::IMPLEMENTATIONS.iter().copied();
        names.filter(|name| self.with_implementation(name).is_some())
    }
}

impl Network {
    /// Denoises a batch of images; the output has the shape of `x`: `[batch_size, channels, height, width]`.
    ///
    /// # Panics
    /// If a side is not a multiple of [`NetworkConfig::divisor`].
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.layers().forward(x)
    }

    /// The loss of an output at `progress` from 0 to 1 through the run, over the pixels of the mask.
    ///
    /// `sum(mask loss(output, target)) / (channels sum(mask))`, the mask all ones if absent
    ///
    /// # Shapes
    /// - `output`, `target`: `[batch_size, channels, height, width]`
    /// - `mask`: `[batch_size, 1, height, width]`, of ones and zeros
    /// - the loss: `[1]`
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn loss(
        &self,
        loss: Loss,
        progress: f64,
        output: Tensor<4>,
        target: Tensor<4>,
        mask: Option<Tensor<4>>,
    ) -> Tensor<1> {
        match mask {
            None if loss == Loss::L2 => mse(output, target, self.layers().is_scratch()),
            None => loss.of_values(output, target, progress).mean(),
            Some(mask) => {
                // An empty mask gives a loss of 0.
                let count = mask.clone().sum().clamp_min(1.0) * output.dims()[1] as f32;
                (loss.of_values(output, target, progress) * mask).sum() / count
            }
        }
    }

    /// The network as a [`Graph`], which computes the gradient by all parameters itself; `None` if it has layers that
    /// a graph does not know.
    pub fn graph(&self, layout: &Layout) -> Option<Graph> {
        self.layers().graph(layout)
    }

    /// The loss of a batch at `progress` from 0 to 1 through the run, and its gradients: by Burn's
    /// autodiff, or by the network's own backward pass.
    ///
    /// # Shapes
    /// As in [`loss`](Self::loss), `input` as `target`.
    ///
    /// # Panics
    /// If the shapes differ, the network's device has no autodiff, or its own backward pass lacks the loss.
    pub fn loss_and_gradients(
        &self,
        loss: Loss,
        progress: f64,
        input: Tensor<4>,
        target: Tensor<4>,
        mask: Option<Tensor<4>>,
    ) -> (Tensor<1>, GradientsParams) {
        if let Some(result) = self.layers().custom_backward(&input, &target) {
            assert!(
                loss == Loss::L2 && mask.is_none(),
                "expected L2 over all pixels for a network with its own backward pass, got {loss:?}{}",
                if mask.is_some() { " with a mask" } else { "" }
            );
            return result;
        }
        let output = self.forward(input);
        let loss = self.loss(loss, progress, output, target, mask);
        let gradients = GradientsParams::from_grads(loss.backward(), self);
        (loss.without_autodiff(), gradients)
    }
}
