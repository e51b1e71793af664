//! OpenEXR: the channels R, G and B, or Y, and A, compressed by PIZ: less than ZIP leaves, and faster.

use std::io::{Seek, Write};

use ::exr::{
    compression::Compression,
    error::Error,
    image::write::WritableImage,
    image::{AnyChannel, AnyChannels, Blocks, Encoding, FlatSamples, Image, Layer},
    meta::attribute::LineOrder,
    meta::header::LayerAttributes,
};

use super::{EncodeError, kept::Kept, planes::Picture};
use crate::{Own, PictureFormat};

pub(super) fn write<T: Clone>(
    file: impl Write + Seek,
    picture: &Picture<'_, T>,
    kept: &Kept<'_>,
    samples: fn(Vec<T>) -> FlatSamples,
) -> Result<(), EncodeError> {
    let names: &[&str] = match picture.planes.len() {
        1 => &["Y"],
        2 => &["Y", "A"],
        3 => &["R", "G", "B"],
        _ => &["R", "G", "B", "A"],
    };
    let channels = names.iter().zip(&picture.planes);
    let channels = channels.map(|(&name, plane)| AnyChannel::new(name, samples(plane.to_vec())));
    let attributes = match kept.own {
        Some(Own::Exr(attributes)) => Some(attributes),
        _ => None,
    };
    let layer = Layer::new(
        (picture.width, picture.height),
        attributes.map_or_else(LayerAttributes::default, |found| found.layer.clone()),
        Encoding {
            compression: Compression::PIZ,
            blocks: Blocks::ScanLines,
            line_order: LineOrder::Increasing,
        },
        AnyChannels::sort(channels.collect()),
    );
    let mut image = Image::from_layer(layer);
    if let Some(attributes) = attributes {
        image.attributes = attributes.image.clone();
    }
    image
        .write()
        .non_parallel()
        .to_buffered(file)
        .map_err(|error| match error {
            Error::Io(error) => error.into(),
            other => EncodeError::Encoder {
                format: PictureFormat::Exr,
                source: other.into(),
            },
        })
}
