//! The layers of the U-Net out of a source of parameters.

use burn::nn::DropoutConfig;
use burn::tensor::Device;

use super::config::{Activation, UNetConfig};
use super::{DecoderBlock, EncoderBlock, UNet};
use crate::architecture::Architecture;
use crate::builder::{Builder, Shape};
use crate::conv::Convolution;
use crate::norm::BatchNorm;
use crate::{ParameterError, ParameterSource};

/// Every kernel of the network.
const KERNEL_SIZE: [usize; 2] = [3, 3];

/// A network with the parameters of `source`.
///
/// # Panics
/// If the configuration is invalid.
pub(super) fn unet(
    config: &UNetConfig,
    source: &mut dyn ParameterSource,
    device: &Device,
) -> Result<UNet, ParameterError> {
    if let Err(error) = config.validate() {
        panic!("{error}");
    }
    let (encoder, decoder) = (config.features, 2 * config.features); // C_e, C_d
    let mut builder = Builder {
        source,
        device,
        scratch: config.conv.resolve(device) == Convolution::Scratch,
        init: (config.init, config.init_gain),
    };
    let dropout = || (config.dropout > 0.0).then(|| DropoutConfig::new(config.dropout).init());
    let named = |name: &str| [name.to_owned()];
    let same = |channels| Shape::same(channels, KERNEL_SIZE);
    let channels = config.image_channels();

    let conv0 = builder.conv2d(&named("conv0"), &same([channels, encoder]))?;
    let eblocks = config
        .sharing()
        .encoder_levels()
        .iter()
        .map(|levels| {
            let layer = names("eblocks", levels);
            Ok(EncoderBlock {
                conv: builder.conv2d(&layer("conv"), &same([encoder, encoder]))?,
                norm: norm(config, &mut builder, &layer("norm"), encoder)?,
                relu: builder.prelu(&layer("relu"), encoder)?,
                dropout: dropout(),
            })
        })
        .collect::<Result<_, _>>()?;
    let conv1 = builder.conv2d(&named("conv1"), &same([encoder, encoder]))?;
    let dblocks = config
        .sharing()
        .decoder_levels()
        .iter()
        .map(|levels| {
            let (channels_in, [mid, out]) = match levels.as_slice() {
                [0] => (2 * encoder, [decoder, decoder]),
                [last] if last + 1 == config.depth => {
                    (decoder + channels, [decoder / 2, decoder / 3])
                }
                _ => (decoder + encoder, [decoder, decoder]),
            };
            let layer = names("dblocks", levels);
            Ok(DecoderBlock {
                conv0: builder.conv2d(&layer("conv0"), &same([channels_in, mid]))?,
                norm0: norm(config, &mut builder, &layer("norm0"), mid)?,
                relu0: builder.prelu(&layer("relu0"), mid)?,
                conv1: builder.conv2d(&layer("conv1"), &same([mid, out]))?,
                norm1: norm(config, &mut builder, &layer("norm1"), out)?,
                relu1: builder.prelu(&layer("relu1"), out)?,
                dropout: dropout(),
            })
        })
        .collect::<Result<_, _>>()?;
    let conv2 = builder.conv2d(&named("conv2"), &same([decoder / 3, channels]))?;
    let relu = match config.activation {
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
        sharing: config.sharing(),
        output: config.output,
    })
}

fn norm(
    config: &UNetConfig,
    builder: &mut Builder<'_>,
    names: &[String],
    channels: usize,
) -> Result<Option<BatchNorm>, ParameterError> {
    let norm = config
        .batch_norm
        .then(|| builder.batch_norm(names, channels));
    norm.transpose()
}

/// Names of a layer in a block that serves `levels`: `list.level.layer` for each.
pub(super) fn names<'a>(list: &'a str, levels: &'a [usize]) -> impl Fn(&str) -> Vec<String> + 'a {
    move |layer: &str| {
        levels
            .iter()
            .map(|level| format!("{list}.{level}.{layer}"))
            .collect()
    }
}
