//! Writing: a [`Raster`] as the bytes of a file.
//!
//! Pictures are encoded in memory, stacks image by image. The caller chooses the path and renames
//! atomically.

use crate::{Attached, PictureFormat, Raster, Samples};

mod bmp;
mod error;
mod exr;
mod hdr;
mod jpeg;
mod kept;
mod npy;
mod planes;
mod png;
mod tiff;
mod webp;

pub use self::{error::EncodeError, jpeg::JPEG_QUALITY, npy::NpyWriter, tiff::TiffWriter};
use self::{kept::Kept, planes::Picture};

/// The bytes of a file of this format that holds `raster` and, as far as the format can hold it,
/// what is `attached` ([`PictureFormat::leaves_out`] tells what is not).
///
/// But for JPEG and HDR, the file reads back to the bit. Image and file apart, it takes about as much
/// memory as the image, for PNG next to none, and for WebP twice as much.
///
/// # Errors
/// As for [`PictureFormat::supports`], and when the file would be too long.
///
/// # Panics
/// When the raster's samples are not as many as its shape says, or its alpha is of another kind.
pub fn encode_picture(
    raster: &Raster,
    format: PictureFormat,
    attached: &Attached,
) -> Result<Vec<u8>, EncodeError> {
    let header = raster.header();
    format.supports(&header)?;
    let kept = Kept::new(attached, format, header.channels);
    match (format, &raster.samples) {
        (PictureFormat::Png, Samples::U8(colours)) => {
            png::encode8(&Picture::of(colours, raster), &kept)
        }
        (PictureFormat::Png, Samples::U16(colours)) => {
            png::encode16(&Picture::of(colours, raster), &kept)
        }
        (PictureFormat::Jpeg, Samples::U8(colours)) => {
            jpeg::encode(&Picture::of(colours, raster), &kept)
        }
        (PictureFormat::WebP, Samples::U8(colours)) => {
            webp::encode(&Picture::of(colours, raster), &kept)
        }
        (PictureFormat::Bmp, Samples::U8(colours)) => bmp::encode(Picture::of(colours, raster)),
        (PictureFormat::Exr, Samples::F32(colours)) => exr::encode(&Picture::of(colours, raster)),
        (PictureFormat::Hdr, Samples::F32(colours)) => hdr::encode(Picture::of(colours, raster)),
        (PictureFormat::Tiff, _) => tiff::encode(raster, attached),
        // `supports` has refused what is left.
        (_, _) => Err(EncodeError::Kind {
            format,
            kind: header.kind,
            way_out: "TIFF",
        }),
    }
}
