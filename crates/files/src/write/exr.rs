//! OpenEXR: the channels R, G and B, or Y, and A, compressed by PIZ: less than ZIP leaves, and faster. Those of
//! a file of OpenEXR keep their names, and with them all that stands beside them.

use std::io::{Seek, Write};

use ::exr::{
    compression::Compression,
    error::Error,
    image::write::WritableImage,
    image::{AnyChannel, AnyChannels, Blocks, Encoding, FlatSamples, Image, Layer},
    meta::attribute::{LineOrder, Text},
    meta::header::LayerAttributes,
};

use super::{EncodeError, kept::Kept, planes::Picture};
use crate::{Own, PictureFormat, Raster, Samples, attached::ExrAttributes};

mod rest;

/// Writes a raster of half or float.
pub(super) fn write(
    file: impl Write + Seek,
    raster: &Raster,
    kept: &Kept<'_>,
) -> Result<(), EncodeError> {
    let attributes = match kept.own {
        Some(Own::Exr(attributes)) => Some(&**attributes),
        _ => None,
    };
    let written = match (
        attributes.and_then(|own| own.rest.as_ref()),
        &raster.samples,
    ) {
        (Some(rest), _) => {
            rest::check(raster, rest)?;
            rest::write(file, raster, rest)
        }
        (None, Samples::F16(colours)) => {
            let picture = Picture::of(colours, raster);
            plain(file, &picture, attributes, FlatSamples::F16)
        }
        (None, Samples::F32(colours)) => {
            let picture = Picture::of(colours, raster);
            plain(file, &picture, attributes, FlatSamples::F32)
        }
        (None, other) => {
            return Err(EncodeError::Kind {
                format: PictureFormat::Exr,
                kind: other.kind(),
                way_out: "TIFF",
            });
        }
    };
    written.map_err(|error| match error {
        Error::Io(error) => error.into(),
        other => EncodeError::Encoder {
            format: PictureFormat::Exr,
            source: other.into(),
        },
    })
}

/// A file of these channels alone.
fn plain<T: Clone>(
    file: impl Write + Seek,
    picture: &Picture<'_, T>,
    attributes: Option<&ExrAttributes>,
    samples: fn(Vec<T>) -> FlatSamples,
) -> Result<(), Error> {
    let names: &[&str] = match picture.planes.len() {
        1 => &["Y"],
        2 => &["Y", "A"],
        3 => &["R", "G", "B"],
        _ => &["R", "G", "B", "A"],
    };
    let names = names.iter().map(|&name| Text::from(name)).collect();
    // Of grey and of colours, with alpha and without, there is a number of names each.
    let names = match attributes {
        Some(own) if own.names.len() == picture.planes.len() => own.names.clone(),
        _ => names,
    };
    let channels = names.into_iter().zip(&picture.planes);
    let channels = channels.map(|(name, plane)| AnyChannel::new(name, samples(plane.to_vec())));
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
    image.write().non_parallel().to_buffered(file)
}
