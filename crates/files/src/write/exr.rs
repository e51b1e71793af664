//! OpenEXR: the channels R, G and B, or Y, and A, compressed by PIZ: less than ZIP leaves, and faster.

use std::io::Cursor;

use ::exr::{
    compression::Compression,
    error::Error,
    image::write::WritableImage,
    image::{AnyChannel, AnyChannels, Blocks, Encoding, FlatSamples, Image, Layer},
    meta::attribute::LineOrder,
    meta::header::LayerAttributes,
};

use super::{EncodeError, planes::Picture};
use crate::PictureFormat;

pub(super) fn encode(picture: &Picture<'_, f32>) -> Result<Vec<u8>, EncodeError> {
    let names: &[&str] = match picture.planes.len() {
        1 => &["Y"],
        2 => &["Y", "A"],
        3 => &["R", "G", "B"],
        _ => &["R", "G", "B", "A"],
    };
    let channels = names.iter().zip(&picture.planes);
    let channels =
        channels.map(|(&name, plane)| AnyChannel::new(name, FlatSamples::F32(plane.to_vec())));
    let layer = Layer::new(
        (picture.width, picture.height),
        LayerAttributes::default(),
        Encoding {
            compression: Compression::PIZ,
            blocks: Blocks::ScanLines,
            line_order: LineOrder::Increasing,
        },
        AnyChannels::sort(channels.collect()),
    );
    let mut file = Cursor::new(Vec::new());
    Image::from_layer(layer)
        .write()
        .non_parallel()
        .to_buffered(&mut file)
        .map_err(|error| match error {
            Error::Io(error) => error.into(),
            other => EncodeError::Encoder {
                format: PictureFormat::Exr,
                source: other.into(),
            },
        })?;
    Ok(file.into_inner())
}
