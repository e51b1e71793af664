//! Description of the U-Net.

use burn::tensor::Device;

use super::config::{Activation, Output, UNetConfig};
use super::{UNet, build};
use crate::architecture::Architecture;
use crate::conv::Convolution;
use crate::parameters::named_parameters;
use crate::receptive_field::Span;
use crate::{ConfigError, ParameterError, ParameterSource, StateDict};

/// Pixels that a 3x3 convolution reaches to either side.
const RADIUS: i64 = 1;

impl Architecture for UNetConfig {
    type Network = UNet;

    fn validate(&self) -> Result<(), ConfigError> {
        ConfigError::check_channels(self.channels)?;
        ConfigError::check_dropout(self.dropout)?;
        ConfigError::check_gain(self.init_gain)?;
        // The last block ends with C_d / 3 = 2 * features / 3 channels.
        ConfigError::check_features(self.features, 2)?;
        if !(2..=16).contains(&self.depth) {
            return Err(ConfigError::Depth { depth: self.depth });
        }
        Ok(())
    }

    fn channels(&self) -> Option<usize> {
        self.channels
    }

    fn set_channels(&mut self, channels: usize) {
        self.channels = Some(channels);
    }

    fn depth(&self) -> usize {
        self.depth
    }

    fn input_span(&self, output: Span) -> Span {
        let mut span = output.convolution(RADIUS); // conv2
        let mut skips = vec![];
        for _ in 0..self.depth {
            span = span.convolution(RADIUS).convolution(RADIUS); // a decoder block
            skips.push(span);
            span = span.upsampling();
        }
        span = span.convolution(RADIUS); // conv1
        for level in (0..self.depth).rev() {
            span = span.downsampling().convolution(RADIUS); // an encoder block
            if level == 0 {
                span = span.convolution(RADIUS); // conv0; the first skip is the image itself
            }
            span = span.union(skips[level]);
        }
        span
    }

    /// `(C_d + channels) + C_d / 2`, of the last decoder block.
    fn values_per_pixel(&self) -> usize {
        2 * self.features + self.image_channels() + self.features
    }

    fn summary(&self) -> String {
        format!(
            "U-Net of depth {} with {} features and {} channels, {} blocks, {}{}{}",
            self.depth,
            self.features,
            self.image_channels(),
            if self.share_weights {
                "shared"
            } else {
                "unshared"
            },
            match self.activation {
                Activation::PRelu => "PReLU",
                Activation::Relu => "ReLU",
            },
            if self.batch_norm {
                ", batch normalization"
            } else {
                ""
            },
            match self.output {
                Output::Sigmoid => "",
                Output::Residual => ", residual",
                Output::Linear => ", linear output",
            },
        )
    }

    fn implementation(&self, device: &Device) -> &'static str {
        self.conv.resolve(device).name()
    }

    fn set_implementation(&mut self, name: &str) -> bool {
        let conv = Convolution::named(name);
        self.conv = conv.unwrap_or(self.conv);
        conv.is_some()
    }

    fn has_input_units(&self) -> bool {
        self.output != Output::Sigmoid
    }

    fn set_residual(&mut self) -> bool {
        self.output = Output::Residual;
        true
    }

    fn has_dropout(&self) -> bool {
        self.dropout > 0.0
    }

    fn build(
        &self,
        source: &mut dyn ParameterSource,
        device: &Device,
    ) -> Result<UNet, ParameterError> {
        build::unet(self, source, device)
    }

    /// Every parameter of `network` under PyTorch's names: a shared block has one name for each level.
    fn state_dict(&self, network: &UNet) -> StateDict {
        let mut state = StateDict::new();
        for (name, data) in named_parameters(network) {
            let (list, levels) = match name.split_once('.') {
                Some(("eblocks", _)) => ("eblocks", self.sharing().encoder_levels()),
                Some(("dblocks", _)) => ("dblocks", self.sharing().decoder_levels()),
                _ => {
                    state.insert(name, data);
                    continue;
                }
            };
            for (stored, served) in levels.iter().enumerate() {
                if let Some(parameter) = name.strip_prefix(&format!("{list}.{stored}.")) {
                    for alias in build::names(list, served)(parameter) {
                        state.insert(alias, data.clone());
                    }
                }
            }
        }
        state
    }
}
