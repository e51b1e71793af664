//! Invalid network configurations and input sizes.

use n2n_files::MAX_CHANNELS;

/// Largest number of channels between layers: weights grow with its square, to a gigabyte here.
const MAX_FEATURES: usize = 512;

/// Invalid network configuration or input size.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Images without channels, or with too many.
    #[error("model.channels is {channels}, but must lie between 1 and {MAX_CHANNELS}")]
    Channels {
        /// Channels.
        channels: usize,
    },

    /// A layer without channels, or with more than are of use.
    #[error("model.features is {features}, but must lie between {least} and {MAX_FEATURES}")]
    Features {
        /// Channels.
        features: usize,
        /// Smallest valid number.
        least: usize,
    },

    /// No level between the first and the last, or more levels than images have.
    #[error("model.depth is {depth}, but must lie between 2 and 16")]
    Depth {
        /// N_e.
        depth: usize,
    },

    /// A dropout rate outside of `[0, 1)`.
    #[error("model.dropout is {rate}, but must be at least 0 and below 1")]
    Dropout {
        /// Share of the values.
        rate: f64,
    },

    /// A gain that is not a positive number.
    #[error("model.init_gain is {gain}, but must be above 0")]
    Gain {
        /// The gain.
        gain: f64,
    },

    /// An image whose sides are not multiples of `2^depth`.
    #[error(
        "images are {height}x{width}, but the network halves them {depth} times, so that sides must be \
         divisible by {multiple}; crop them, or set a lower model.depth"
    )]
    NotDivisible {
        /// Image height in pixels.
        height: usize,
        /// Image width in pixels.
        width: usize,
        /// Downsampling steps of the network.
        depth: usize,
        /// `2^depth`.
        multiple: usize,
    },
}

impl ConfigError {
    /// Checks the number of channels of images.
    pub(crate) fn check_channels(channels: Option<usize>) -> Result<(), Self> {
        match channels {
            Some(channels) if !(1..=MAX_CHANNELS).contains(&channels) => {
                Err(Self::Channels { channels })
            }
            _ => Ok(()),
        }
    }

    /// Checks the number of channels between layers.
    pub(crate) fn check_features(features: usize, least: usize) -> Result<(), Self> {
        if !(least..=MAX_FEATURES).contains(&features) {
            return Err(Self::Features { features, least });
        }
        Ok(())
    }

    /// Checks a dropout rate.
    pub(crate) fn check_dropout(rate: f64) -> Result<(), Self> {
        if !(0.0..1.0).contains(&rate) {
            return Err(Self::Dropout { rate });
        }
        Ok(())
    }

    /// Checks the gain of an initializer.
    pub(crate) fn check_gain(gain: Option<f64>) -> Result<(), Self> {
        match gain {
            Some(gain) if !(gain.is_finite() && gain > 0.0) => Err(Self::Gain { gain }),
            _ => Ok(()),
        }
    }

    /// Checks that an image can be halved `depth` times.
    pub(crate) fn check_image(height: usize, width: usize, depth: usize) -> Result<(), Self> {
        let multiple = 1 << depth;
        if height.is_multiple_of(multiple) && width.is_multiple_of(multiple) {
            return Ok(());
        }
        Err(Self::NotDivisible {
            height,
            width,
            depth,
            multiple,
        })
    }
}
