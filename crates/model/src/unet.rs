//! The reference U-Net of Noise2Noise.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, PRelu};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::conv::{Conv2d, Convolution, sigmoid};
use crate::norm::BatchNorm;
use crate::parameters::{Builder, named_parameters};
use crate::{Init, ParameterError, ParameterSource, RandomInit, StateDict};

/// Colour channels of images of which nothing else is said.
pub(crate) const CHANNELS: usize = 3;

/// Every kernel of the network.
const KERNEL_SIZE: [usize; 2] = [3, 3];

/// The scalar activation after the first and the bottom convolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// One PReLU slope, shared by both places.
    #[default]
    PRelu,
    /// A plain ReLU, as in the published checkpoint.
    Relu,
}

/// What the network makes of its last convolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// The logistic function of it, the reference's output.
    #[default]
    Sigmoid,
    /// The input plus it: the network learns the noise, with the sign turned (Zhang et al., "Beyond a
    /// Gaussian Denoiser", 2017).
    Residual,
}

/// Configuration of a [`UNet`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use n2n_model::UNetConfig;
///
/// let device = Device::flex();
/// let config = UNetConfig { features: 4, depth: 2, ..UNetConfig::default() };
/// let network = config.init(7, &device);
/// let denoised = network.forward(Tensor::zeros([1, 3, 8, 12], &device));
/// assert_eq!(denoised.dims(), [1, 3, 8, 12]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UNetConfig {
    /// Colour channels of the images; 3 where unset.
    pub channels: Option<usize>,
    /// Channels of the encoder, C_e; the decoder has twice as many, C_d.
    pub features: usize,
    /// Number of halvings of the image, N_e; at least 2.
    pub depth: usize,
    /// One encoder block serves all levels, and one decoder block all middle levels.
    pub share_weights: bool,
    /// The scalar activation.
    pub activation: Activation,
    /// What becomes of the last convolution.
    pub output: Output,
    /// Batch normalization between each convolution of a block and its activation; with shared
    /// weights, one serves all levels.
    pub batch_norm: bool,
    /// Share of the values that training leaves out after each block.
    pub dropout: f64,
    /// What kernels start from.
    pub init: Init,
    /// Gain of a Xavier or Kaiming [`Init`]; `sqrt(2)` where unset.
    pub init_gain: Option<f64>,
    /// Whose convolution computes it; a state dict fits both.
    pub conv: Convolution,
}

impl Default for UNetConfig {
    fn default() -> Self {
        Self {
            channels: None,
            features: 32,
            depth: 4,
            share_weights: true,
            activation: Activation::PRelu,
            output: Output::Sigmoid,
            batch_norm: false,
            dropout: 0.0,
            init: Init::Default,
            init_gain: None,
            conv: Convolution::Auto,
        }
    }
}

/// Why a U-Net, or an image for it, cannot be.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SizeError {
    /// The images would have no channels.
    #[error("model.channels is {channels}, but must be at least 1")]
    Channels {
        /// Channels.
        channels: usize,
    },

    /// The network would have a layer without channels.
    #[error("model.features is {features}, but must be at least {least}")]
    Features {
        /// Channels.
        features: usize,
        /// The fewest that make a network.
        least: usize,
    },

    /// The network has no level between the first and the last, or more than images can have.
    #[error("model.depth is {depth}, but must lie between 2 and 16")]
    Depth {
        /// N_e.
        depth: usize,
    },

    /// Dropout would leave out less than nothing, or everything.
    #[error("model.dropout is {rate}, but must be at least 0 and below 1")]
    Dropout {
        /// Share of the values.
        rate: f64,
    },

    /// Kernels would start from nothing, or from no number.
    #[error("model.init_gain is {gain}, but must be above 0")]
    Gain {
        /// The gain.
        gain: f64,
    },

    /// An image cannot be halved often enough.
    #[error(
        "images are {height}x{width}, but the network halves them {depth} times, so that sides must be \
         divisible by {divisor}; crop them, or set a lower model.depth"
    )]
    NotDivisible {
        /// Image height in pixels.
        height: usize,
        /// Image width in pixels.
        width: usize,
        /// Times that the network halves them.
        depth: usize,
        /// `2^depth`.
        divisor: usize,
    },
}

impl SizeError {
    /// Whether images can have so many channels.
    pub(crate) fn check_channels(channels: Option<usize>) -> Result<(), Self> {
        match channels {
            Some(channels @ 0) => Err(Self::Channels { channels }),
            _ => Ok(()),
        }
    }

    /// Whether training can leave out this share of the values.
    pub(crate) fn check_dropout(rate: f64) -> Result<(), Self> {
        match (0.0..1.0).contains(&rate) {
            true => Ok(()),
            false => Err(Self::Dropout { rate }),
        }
    }

    /// Whether kernels can start with this gain.
    pub(crate) fn check_gain(gain: Option<f64>) -> Result<(), Self> {
        match gain {
            Some(gain) if !(gain.is_finite() && gain > 0.0) => Err(Self::Gain { gain }),
            _ => Ok(()),
        }
    }

    /// Whether an image can be halved `depth` times.
    pub(crate) fn check(height: usize, width: usize, depth: usize) -> Result<(), Self> {
        let divisor = 1 << depth;
        if height.is_multiple_of(divisor) && width.is_multiple_of(divisor) {
            return Ok(());
        }
        Err(Self::NotDivisible {
            height,
            width,
            depth,
            divisor,
        })
    }
}

impl UNetConfig {
    /// Checks that a network of this configuration exists.
    ///
    /// # Errors
    /// When `features` or `depth` is out of range.
    pub fn validate(&self) -> Result<(), SizeError> {
        SizeError::check_channels(self.channels)?;
        SizeError::check_dropout(self.dropout)?;
        SizeError::check_gain(self.init_gain)?;
        // The last block ends with C_d / 3 = 2 * features / 3 channels.
        if self.features < 2 {
            return Err(SizeError::Features {
                features: self.features,
                least: 2,
            });
        }
        if !(2..=16).contains(&self.depth) {
            return Err(SizeError::Depth { depth: self.depth });
        }
        Ok(())
    }

    /// Checks that images of this size pass through the network.
    ///
    /// # Errors
    /// When a side is not divisible by `2^depth`.
    pub fn check_image(&self, height: usize, width: usize) -> Result<(), SizeError> {
        self.validate()?;
        SizeError::check(height, width, self.depth)
    }

    /// A network with PyTorch's default initialization, drawn from `seed` on the host: the same
    /// on every device.
    ///
    /// # Panics
    /// If the configuration does not [`validate`](Self::validate).
    pub fn init(&self, seed: u64, device: &Device) -> UNet {
        self.build(&mut RandomInit::new(seed), device)
            .unwrap_or_else(|error| unreachable!("random parameters always fit: {error}"))
    }

    /// A network with the parameters of `state`, which is under PyTorch's names: a shared block
    /// stands under every index.
    ///
    /// # Errors
    /// When a parameter is missing, superfluous, of another shape, or not shared where it should.
    ///
    /// # Panics
    /// If the configuration does not [`validate`](Self::validate).
    pub fn load(&self, mut state: StateDict, device: &Device) -> Result<UNet, ParameterError> {
        let network = self.build(&mut state, device)?;
        match state.into_keys().next() {
            Some(name) => Err(ParameterError::Unexpected { name }),
            None => Ok(network),
        }
    }

    fn build(
        &self,
        source: &mut impl ParameterSource,
        device: &Device,
    ) -> Result<UNet, ParameterError> {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let (encoder, decoder) = (self.features, 2 * self.features); // C_e, C_d
        let mut builder = Builder {
            source,
            device,
            scratch: self.conv.resolve(device) == Convolution::Scratch,
            init: (self.init, self.init_gain),
        };
        let dropout = || (self.dropout > 0.0).then(|| DropoutConfig::new(self.dropout).init());
        let named = |name: &str| [name.to_owned()];
        let channels = self.channels.unwrap_or(CHANNELS);

        let conv0 = builder.same_convolution(&named("conv0"), [channels, encoder], KERNEL_SIZE)?;
        let eblocks = self
            .encoder_levels()
            .iter()
            .map(|levels| {
                let layer = names("eblocks", levels);
                Ok(EncoderBlock {
                    conv: builder.same_convolution(
                        &layer("conv"),
                        [encoder, encoder],
                        KERNEL_SIZE,
                    )?,
                    norm: self.norm(&mut builder, &layer("norm"), encoder)?,
                    relu: builder.prelu(&layer("relu"), encoder)?,
                    dropout: dropout(),
                })
            })
            .collect::<Result<_, _>>()?;
        let conv1 = builder.same_convolution(&named("conv1"), [encoder, encoder], KERNEL_SIZE)?;
        let dblocks = self
            .decoder_levels()
            .iter()
            .map(|levels| {
                let (channels_in, [mid, out]) = match levels.as_slice() {
                    [0] => (2 * encoder, [decoder, decoder]),
                    [last] if last + 1 == self.depth => {
                        (decoder + channels, [decoder / 2, decoder / 3])
                    }
                    _ => (decoder + encoder, [decoder, decoder]),
                };
                let layer = names("dblocks", levels);
                Ok(DecoderBlock {
                    conv0: builder.same_convolution(
                        &layer("conv0"),
                        [channels_in, mid],
                        KERNEL_SIZE,
                    )?,
                    norm0: self.norm(&mut builder, &layer("norm0"), mid)?,
                    relu0: builder.prelu(&layer("relu0"), mid)?,
                    conv1: builder.same_convolution(&layer("conv1"), [mid, out], KERNEL_SIZE)?,
                    norm1: self.norm(&mut builder, &layer("norm1"), out)?,
                    relu1: builder.prelu(&layer("relu1"), out)?,
                    dropout: dropout(),
                })
            })
            .collect::<Result<_, _>>()?;
        let conv2 =
            builder.same_convolution(&named("conv2"), [decoder / 3, channels], KERNEL_SIZE)?;
        let relu = match self.activation {
            Activation::PRelu => Some(builder.prelu(&named("relu"), 1)?),
            Activation::Relu => None,
        };
        Ok(UNet {
            conv0,
            eblocks,
            conv1,
            dblocks,
            conv2,
            relu,
            depth: self.depth,
            residual: self.output == Output::Residual,
        })
    }

    fn norm<S: ParameterSource>(
        &self,
        builder: &mut Builder<'_, S>,
        names: &[String],
        channels: usize,
    ) -> Result<Option<BatchNorm>, ParameterError> {
        let norm = self.batch_norm.then(|| builder.batch_norm(names, channels));
        norm.transpose()
    }

    /// The levels that each stored encoder block serves.
    fn encoder_levels(&self) -> Vec<Vec<usize>> {
        if self.share_weights {
            vec![(0..self.depth).collect()]
        } else {
            (0..self.depth).map(|level| vec![level]).collect()
        }
    }

    /// The levels that each stored decoder block serves, the deepest first.
    fn decoder_levels(&self) -> Vec<Vec<usize>> {
        let last = self.depth - 1;
        if self.share_weights && last > 1 {
            vec![vec![0], (1..last).collect(), vec![last]]
        } else {
            (0..self.depth).map(|level| vec![level]).collect()
        }
    }

    /// Every parameter of `network` under PyTorch's names: a shared block stands under every
    /// index. Meant for a network of this configuration.
    pub fn state_dict(&self, network: &UNet) -> StateDict {
        let mut state = StateDict::new();
        for (name, data) in named_parameters(network) {
            let (list, levels) = match name.split_once('.') {
                Some(("eblocks", _)) => ("eblocks", self.encoder_levels()),
                Some(("dblocks", _)) => ("dblocks", self.decoder_levels()),
                _ => {
                    state.insert(name, data);
                    continue;
                }
            };
            for (stored, served) in levels.iter().enumerate() {
                if let Some(parameter) = name.strip_prefix(&format!("{list}.{stored}.")) {
                    for alias in names(list, served)(parameter) {
                        state.insert(alias, data.clone());
                    }
                }
            }
        }
        state
    }
}

/// Names of a layer in a block that serves `levels`: `list.level.layer` for each.
fn names<'a>(list: &'a str, levels: &'a [usize]) -> impl Fn(&str) -> Vec<String> + 'a {
    move |layer: &str| {
        levels
            .iter()
            .map(|level| format!("{list}.{level}.{layer}"))
            .collect()
    }
}

/// The reference U-Net: an encoder that halves the image `depth` times, and a decoder that
/// doubles it back, each level joined with the encoder's image of the same size.
#[derive(Module, Debug)]
pub struct UNet {
    conv0: Conv2d,
    eblocks: Vec<EncoderBlock>,
    conv1: Conv2d,
    dblocks: Vec<DecoderBlock>,
    conv2: Conv2d,
    relu: Option<PRelu>,
    depth: usize,
    residual: bool,
}

impl UNet {
    /// The denoised images.
    ///
    /// # Shapes
    /// - `x`: `[batch_size, channels, height, width]`
    /// - output: the same, with [`Output::Sigmoid`] values in `(0, 1)`
    ///
    /// # Panics
    /// If a side is not divisible by `2^depth`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        let divisor = 1 << self.depth;
        assert!(
            height % divisor == 0 && width % divisor == 0,
            "expected sides divisible by {divisor}, got {height}x{width}"
        );
        let mut skips = vec![x.clone()]; // [N, channels, H, W]
        let mut y = self.conv0.forward_activated(x.clone(), self.relu.as_ref()); // [N, C_e, H, W]
        for level in 0..self.depth {
            y = self.encoder(level).forward(y); // [N, C_e, H / 2^(level + 1), W / 2^(level + 1)]
            skips.push(y.clone());
        }
        skips.pop(); // the deepest image goes on through the bottom
        y = self.conv1.forward_activated(y, self.relu.as_ref()); // [N, C_e, H / 2^depth, W / 2^depth]
        for (level, skip) in skips.into_iter().rev().enumerate() {
            y = self.decoder(level).forward(y, skip); // doubled; C_d channels, C_d / 3 at the end
        }
        y = self.conv2.forward(y); // [N, channels, H, W]
        match self.residual {
            true => x + y,
            false => sigmoid(y, self.is_scratch()),
        }
    }

    /// Whether the ops of `n2n_scratch` compute it.
    pub(crate) fn is_scratch(&self) -> bool {
        matches!(self.conv2, Conv2d::Scratch(_))
    }

    fn encoder(&self, level: usize) -> &EncoderBlock {
        &self.eblocks[level.min(self.eblocks.len() - 1)]
    }

    /// Stored blocks are one for each level, or first, middle and last.
    fn decoder(&self, level: usize) -> &DecoderBlock {
        let stored = self.dblocks.len();
        match level {
            0 => &self.dblocks[0],
            _ if level + 1 == self.depth => &self.dblocks[stored - 1],
            _ => &self.dblocks[level.min(stored - 2)],
        }
    }
}

/// Convolution, PReLU for each channel, max-pooling by 2.
#[derive(Module, Debug)]
pub struct EncoderBlock {
    conv: Conv2d,
    norm: Option<BatchNorm>,
    relu: PRelu,
    dropout: Option<Dropout>,
}

impl EncoderBlock {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.conv.forward_pooled(x, self.norm.as_ref(), &self.relu);
        dropped(y, self.dropout.as_ref())
    }
}

/// Nearest-neighbour upsampling by 2, concatenation with the encoder's image, and two
/// convolutions with PReLU for each channel.
#[derive(Module, Debug)]
pub struct DecoderBlock {
    conv0: Conv2d,
    norm0: Option<BatchNorm>,
    relu0: PRelu,
    conv1: Conv2d,
    norm1: Option<BatchNorm>,
    relu1: PRelu,
    dropout: Option<Dropout>,
}

impl DecoderBlock {
    fn forward(&self, x: Tensor<4>, skip: Tensor<4>) -> Tensor<4> {
        let (norm0, norm1) = (self.norm0.as_ref(), self.norm1.as_ref());
        let y = self.conv0.forward_upsampled(x, skip, norm0, &self.relu0);
        let y = self.conv1.forward_normalized(y, norm1, &self.relu1);
        dropped(y, self.dropout.as_ref())
    }
}

fn dropped(x: Tensor<4>, dropout: Option<&Dropout>) -> Tensor<4> {
    match dropout {
        Some(dropout) => dropout.forward(x),
        None => x,
    }
}
