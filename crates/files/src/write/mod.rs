//! Writing: a [`Raster`] as the bytes of a file.
//!
//! Pictures are encoded in memory, stacks image by image. The caller chooses the path and renames
//! atomically.

use crate::{Attached, PictureFormat, Raster};

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
use self::{kept::Kept, planes::Planes};

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
    match (
        format,
        Planes::new(&raster.samples, raster.alpha.as_ref(), raster.shape()),
    ) {
        (PictureFormat::Png, Planes::U8(picture)) => png::encode8(&picture, &kept),
        (PictureFormat::Png, Planes::U16(picture)) => png::encode16(&picture, &kept),
        (PictureFormat::Jpeg, Planes::U8(picture)) => jpeg::encode(&picture, &kept),
        (PictureFormat::WebP, Planes::U8(picture)) => webp::encode(&picture, &kept),
        (PictureFormat::Bmp, Planes::U8(picture)) => bmp::encode(picture),
        (PictureFormat::Exr, Planes::F32(picture)) => exr::encode(&picture),
        (PictureFormat::Hdr, Planes::F32(picture)) => hdr::encode(picture),
        (PictureFormat::Tiff, _) => tiff::encode(raster, attached),
        // `supports` has refused what is left.
        (_, _) => Err(EncodeError::Kind {
            format,
            kind: header.kind,
            way_out: "TIFF",
        }),
    }
}
