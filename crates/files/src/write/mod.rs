//! Writing: a [`Raster`] as a file.
//!
//! The caller chooses the path and renames atomically.

use std::io::{Cursor, Seek, Write};

use image::ImageError;

use crate::{Attached, PictureFormat, Raster, Samples};

mod bmp;
mod elements;
mod error;
mod exr;
mod fits;
mod hdr;
mod jpeg;
mod kept;
mod mrc;
mod npy;
mod pages;
mod planes;
mod png;
mod rows;
mod tiff;
mod webp;
mod zarr;

pub(crate) use self::elements::ToBytes;
pub use self::{
    error::EncodeError, jpeg::JPEG_QUALITY, npy::NpyWriter, pages::PagesWriter, tiff::TiffWriter,
    zarr::ZarrWriter,
};
use self::{kept::Kept, planes::Picture};

/// Writes a file of this format that holds `raster` and, as far as the format can hold it, what is
/// `attached` ([`PictureFormat::leaves_out`] tells what is not), from the first byte of `file` on, which
/// should be buffered.
///
/// But for JPEG and HDR, the file reads back to the bit.
/// [`writing_bytes`](PictureFormat::writing_bytes) tells how much memory this takes.
///
/// # Errors
/// As for [`PictureFormat::supports`], when the file would be too long, or it cannot be written.
///
/// # Panics
/// When the raster's samples are not as many as its shape says, or its alpha is of another kind.
pub fn write_picture(
    mut file: impl Write + Seek,
    raster: Raster,
    format: PictureFormat,
    attached: &Attached,
) -> Result<(), EncodeError> {
    use PictureFormat::{Bmp, Exr, Fits, Hdr, Jpeg, Mrc, Png, Tiff, WebP};
    let header = raster.header();
    format.supports(&header)?;
    let kept = Kept::new(attached, format, header.channels);
    match (format, &raster.samples) {
        (Tiff | Mrc | Fits, _) => {
            let mut writer = PagesWriter::new(&mut file, format, &header, attached)?;
            writer.write(&raster, std::slice::from_ref(attached))?;
        }
        (Png, Samples::U8(colours)) => {
            png::write8(&mut file, &Picture::of(colours, &raster), &kept)?;
        }
        (Png, Samples::U16(colours)) => {
            png::write16(&mut file, &Picture::of(colours, &raster), &kept)?;
        }
        (Exr, _) => exr::write(&mut file, &raster, &kept)?,
        (Hdr, Samples::F16(colours)) => hdr::write(&mut file, Picture::of(colours, &raster))?,
        (Hdr, Samples::F32(colours)) => hdr::write(&mut file, Picture::of(colours, &raster))?,
        (Jpeg | WebP | Bmp, Samples::U8(colours)) => {
            let picture = Picture::of(colours, &raster);
            let pixels = match format {
                Bmp => picture.into_rgb().pixels(),
                _ => picture.pixels(),
            };
            drop(raster);
            match format {
                Jpeg => jpeg::write(&mut file, &pixels, &kept)?,
                WebP => webp::write(&mut file, &pixels, &kept)?,
                _ => bmp::write(&mut file, &pixels, &kept)?,
            }
        }
        // `supports` has refused what is left.
        (_, _) => {
            return Err(EncodeError::Kind {
                format,
                kind: header.kind,
                way_out: "TIFF",
            });
        }
    }
    Ok(file.flush()?)
}

/// The bytes that [`write_picture`] writes.
///
/// # Errors
/// As there.
///
/// # Panics
/// As there.
pub fn encode_picture(
    raster: &Raster,
    format: PictureFormat,
    attached: &Attached,
) -> Result<Vec<u8>, EncodeError> {
    let mut file = Cursor::new(Vec::new());
    write_picture(&mut file, raster.clone(), format, attached)?;
    Ok(file.into_inner())
}

/// What the encoder of a whole image says.
fn whole_image_error(error: ImageError, format: PictureFormat) -> EncodeError {
    match error {
        ImageError::IoError(error) => error.into(),
        other => EncodeError::Encoder {
            format,
            source: other.into(),
        },
    }
}
